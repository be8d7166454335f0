package models_test

import (
	"context"
	"testing"

	"orrery/models"
)

// gpt2Small is a model of GPT-2 small's size with random weights, V being what
// the work under test reads of it.
func gpt2Small(b *testing.B, vocab int) *models.Model {
	b.Helper()
	cfg := models.Config{
		Layers: 12, Width: 768, Heads: 12, KVHeads: 12, HeadWidth: 64, MLPWidth: 3072, Vocab: vocab, Context: 1024,
		Norm: models.LayerNorm, NormEps: 1e-5, Positions: models.Learned, Activation: "gelu_tanh",
		Tied: true, AttnBias: true, OutBias: true, MLPBias: true, NormBias: true,
	}
	m, err := models.New(cfg, models.InitParams(cfg, 1))
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// BenchmarkLogitAttrs is direct logit attribution of every head, the cache
// given: a logit difference for each of 8 prompts of 15 tokens, at the last
// position and at all.
func BenchmarkLogitAttrs(b *testing.B) {
	m := gpt2Small(b, 1000)
	in := models.Batch{B: 8, T: 15, IDs: make([]int, 8*15)}
	for i := range in.IDs {
		in.IDs[i] = i * 7919 % m.Config.Vocab
	}
	_, c, err := m.RunWithCache(context.Background(), in, models.CacheOptions{})
	if err != nil {
		b.Fatal(err)
	}
	a := models.Answers{Tokens: []int{1, 2, 3, 4, 5, 6, 7, 8}, Incorrect: []int{11, 12, 13, 14, 15, 16, 17, 18}}
	stacks := []struct {
		name string
		fn   func(*models.Model, *models.Cache, int, models.StackOptions) (*models.Stack, error)
	}{{"heads", models.StackHeadResults}, {"neurons", models.StackNeuronResults}, {"components", models.DecomposeResid}}
	for _, s := range stacks {
		for name, pos := range map[string][]int{"last": {-1}, "all": nil} {
			b.Run(s.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					stack, err := s.fn(m, c, -1, models.StackOptions{Pos: pos})
					if err != nil {
						b.Fatal(err)
					}
					if _, err := models.LogitAttrs(c, stack, a); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
