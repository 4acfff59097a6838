// Package lora is low-rank approximation of the evolution operator. It has the loss, which orders
// features, and a method: an encoder trained under this loss, with ridge regression on its
// features.
package lora
