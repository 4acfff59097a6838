// Package contrastive is the spectral contrastive loss, and an encoder trained under it with ridge
// regression on its features.
package contrastive
