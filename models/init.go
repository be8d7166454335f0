package models

import (
	"math"
	"math/rand/v2"
	"strings"

	"orrery/models/tensor"
)

// InitParams returns random weights for a model that is to be trained:
// matrices and embeddings are normal with standard deviation 0.02, the two
// projections that write to the residual stream 0.02/sqrt(2L) (Radford et al.,
// "Language Models are Unsupervised Multitask Learners", 2019, section 2.3),
// gains are 1 and biases 0. The same seed gives the same bits.
func InitParams(cfg Config, seed uint64) *Params {
	rng := rand.New(rand.NewPCG(seed, 0))
	p := NewParams(cfg)
	p.Each(func(name string, t *tensor.Dense) {
		sd := 0.02
		switch {
		case strings.HasSuffix(name, ".bias"):
			return
		case t.Rank() == 1:
			for i := range t.Data {
				t.Data[i] = 1
			}
			return
		case strings.HasSuffix(name, "attn.o.weight"), strings.HasSuffix(name, "mlp.out.weight"):
			sd /= math.Sqrt(float64(2 * cfg.Layers))
		}
		for i := range t.Data {
			t.Data[i] = float32(sd * rng.NormFloat64())
		}
	})
	return p
}
