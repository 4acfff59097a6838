// Package dpnets is deep projection networks: their scores as losses, and an encoder trained under them
// with ridge regression on its features.
package dpnets
