// Package vamp is VAMPnets. It has the VAMP scores as losses, and a method: an encoder trained
// under such a loss, with ridge regression on its features.
package vamp
