// Package vamp is VAMPnets: the VAMP scores as losses, and an encoder trained under them with ridge
// regression on its features.
package vamp
