// Package lora is low-rank approximation of the evolution operator: the loss, which orders features, and
// an encoder trained under it with ridge regression on its features.
package lora
