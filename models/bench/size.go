package bench

import (
	"errors"
	"math/rand/v2"
	"os"
	"strings"

	"orrery/models"
	"orrery/models/tensor"
)

// Size says which model and which prompts the works take.
type Size struct {
	Name   string
	Config models.Config

	Pairs, Tokens int    // of the sweeps: so many pairs of a clean and a corrupted prompt
	Differ        int    // the only position at which the pairs of layout demo differ
	IDs           [2]int // the metric is the first's logit minus the second's, at the last position

	Cache       []int // lengths of the prompts that run with a full cache
	Lens        []int // and with the logit lens
	Prompt, New int   // tokens given and generated
}

// GPT2Small has the shape of GPT-2 small (Radford et al., "Language Models are
// Unsupervised Multitask Learners", 2019) and prompts of the length that
// TransformerLens' demo of patching has.
func GPT2Small() Size {
	return Size{
		Name: "gpt2-small",
		Config: models.Config{
			Layers: 12, Width: 768, Heads: 12, KVHeads: 12, HeadWidth: 64, MLPWidth: 3072, Vocab: 50257, Context: 1024,
			Norm: models.LayerNorm, NormEps: 1e-5, Positions: models.Learned, Activation: "gelu_tanh",
			Tied: true, AttnBias: true, OutBias: true, MLPBias: true, NormBias: true,
		},
		Pairs: 8, Tokens: 15, Differ: 10, IDs: [2]int{318, 262},
		Cache: []int{15, 256, 1024}, Lens: []int{15, 256}, Prompt: 16, New: 64,
	}
}

// Tiny takes every work through in a second.
func Tiny() Size {
	return Size{
		Name: "tiny",
		Config: models.Config{
			Layers: 3, Width: 24, Heads: 3, KVHeads: 3, HeadWidth: 8, MLPWidth: 40, Vocab: 101, Context: 40,
			Norm: models.LayerNorm, NormEps: 1e-5, Positions: models.Learned, Activation: "gelu_tanh",
			Tied: true, AttnBias: true, OutBias: true, MLPBias: true, NormBias: true,
		},
		Pairs: 2, Tokens: 6, Differ: 4, IDs: [2]int{31, 26},
		Cache: []int{6, 33}, Lens: []int{6}, Prompt: 5, New: 4,
	}
}

// subject is a model with the sizes of its works.
type subject struct {
	Size
	m     *models.Model
	bytes int   // of a weight
	file  int64 // bytes of the weights' files, when it came from a directory
	close func() error
}

// load makes the model, as a file that is loaded like any other: so it takes no
// more memory than a user's. close removes the file.
func (s Size) load() (*subject, error) {
	dir, err := os.MkdirTemp("", "orrery-bench-")
	if err != nil {
		return nil, err
	}
	on := &subject{Size: s, bytes: 4, close: func() error { return os.RemoveAll(dir) }}
	if err = s.write(dir); err == nil {
		on.m, err = models.Load(dir)
	}
	if err != nil {
		return nil, errors.Join(err, on.close())
	}
	return on, nil
}

// write writes the model. The weights are InitParams' with the blocks' matrices
// times 3: then layers change the residual stream about as much as trained ones.
func (s Size) write(dir string) error {
	params := models.InitParams(s.Config, 1)
	params.Each(func(name string, t *tensor.Dense) {
		if strings.HasPrefix(name, "blocks.") && t.Rank() == 2 {
			for i := range t.Data {
				t.Data[i] *= 3
			}
		}
	})
	m, err := models.New(s.Config, params)
	if err != nil {
		return err
	}
	m.Name = s.Name
	return m.Save(dir)
}

// tokens are random ids from a seed, rows of n.
func (s *subject) tokens(rows, n int, seed uint64) models.Batch {
	rng := rand.New(rand.NewPCG(seed, 0))
	in := models.Batch{B: rows, T: n, IDs: make([]int, rows*n)}
	for i := range in.IDs {
		in.IDs[i] = rng.IntN(s.m.Config.Vocab)
	}
	return in
}

// layout says where clean and corrupted prompts differ. It decides how much of
// a sweep is work: what edits do not change needs no computing.
type layout string

const (
	apart layout = "apart" // from the first token on: every cell changes the run
	demo  layout = "demo"  // at one token, as in prompts with two names swapped
)

// pairs are the clean and the corrupted prompts.
func (s *subject) pairs(l layout) (clean, corrupted models.Batch) {
	clean, corrupted = s.tokens(s.Pairs, s.Tokens, 1), s.tokens(s.Pairs, s.Tokens, 2)
	for i := range clean.IDs {
		switch {
		case l == demo && i%s.Tokens != s.Differ:
			corrupted.IDs[i] = clean.IDs[i]
		case corrupted.IDs[i] == clean.IDs[i]:
			corrupted.IDs[i] = (clean.IDs[i] + 1) % s.m.Config.Vocab
		}
	}
	return clean, corrupted
}

// first is the first position at which pairs differ.
func (s *subject) first(l layout) int {
	if l == demo {
		return s.Differ
	}
	return 0
}

// metric asks for the two logits at the last position.
func (s *subject) metric() models.Need { return models.Need{Last: true, Tokens: s.IDs[:]} }
