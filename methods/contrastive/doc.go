// Package contrastive is the spectral contrastive loss, and a method: an encoder trained under this
// loss, with ridge regression on its features.
package contrastive
