// Package dpnets has the scores of deep projection networks as losses.
package dpnets
