// Package lora is the loss of low-rank approximation, whose features come out ordered.
package lora
