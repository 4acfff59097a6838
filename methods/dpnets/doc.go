// Package dpnets is deep projection networks. It has their scores as losses, and methods: an
// encoder trained under such a loss, with ridge regression on its features.
package dpnets
