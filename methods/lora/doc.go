// Package lora is low-rank approximation of the evolution operator: the loss, whose features come out
// ordered, and an encoder trained under it with ridge regression on its features.
package lora
