package modeltest

import (
	"math"
	"math/rand/v2"
	"strings"

	"orrery/models"
	"orrery/models/tensor"
)

// GPT2 is a small random model of GPT-2's kind: 2 layers, D 12, 3 heads of 4,
// F 20, V 11, a context of 9, LayerNorm, learned positions, tied.
func GPT2(seed uint64) *models.Model {
	return Random("toy-gpt2", models.Config{
		Layers: 2, Width: 12, Heads: 3, KVHeads: 3, HeadWidth: 4, MLPWidth: 20, Vocab: 11, Context: 9,
		Norm: models.LayerNorm, NormEps: 1e-5, Positions: models.Learned, Activation: "gelu_tanh",
		Tied: true, AttnBias: true, OutBias: true, MLPBias: true, NormBias: true,
	}, seed)
}

// Llama is a small random model of Llama's kind: 2 layers, D 12, 4 heads of 6
// over 2 key-value heads, F 14, V 11, a context of 9, RMSNorm, rotary positions
// on 4 of the 6 dimensions with Llama 3's scaling, gated, not tied.
func Llama(seed uint64) *models.Model {
	return Random("toy-llama", models.Config{
		Layers: 2, Width: 12, Heads: 4, KVHeads: 2, HeadWidth: 6, MLPWidth: 14, Vocab: 11, Context: 9,
		Norm: models.RMSNorm, NormEps: 1e-3, Positions: models.Rotary,
		Rotary: models.RotaryConfig{Base: 50, Dim: 4,
			Scaling: &models.RopeScaling{Kind: models.Llama3Scaling, Factor: 4, LowFactor: 1, HighFactor: 4, Original: 8}},
		Activation: "silu", Gated: true,
	}, seed)
}

// Random is a model whose weights are all random, gains and biases included,
// and large enough that attention is far from uniform. It panics on a config
// that is not valid.
func Random(name string, cfg models.Config, seed uint64) *models.Model {
	rng := rand.New(rand.NewPCG(seed, 1))
	p := models.NewParams(cfg)
	p.Each(func(name string, t *tensor.Dense) {
		mean, sd := 0.0, 0.2
		switch {
		case strings.HasSuffix(name, ".weight") && t.Rank() == 1:
			mean = 1
		case strings.Contains(name, "embed"):
			sd = 0.7
		case t.Rank() == 2:
			sd = 1.2 / math.Sqrt(float64(t.Dim(1)))
		}
		for i := range t.Data {
			t.Data[i] = float32(mean + sd*rng.NormFloat64())
		}
	})
	return build(name, cfg, p)
}

// build is models.New for weights that are known to be right.
func build(name string, cfg models.Config, p *models.Params) *models.Model {
	m, err := models.New(cfg, p)
	if err != nil {
		panic(err)
	}
	m.Name = name
	return m
}
