package models_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// processable are models of each structure that processing distinguishes.
func processable(t *testing.T) []*models.Model {
	tied := modeltest.Llama(3).Config
	tied.Tied = true
	biased := modeltest.Llama(4).Config
	biased.AttnBias, biased.UnembedBias = true, true
	untied := modeltest.GPT2(5).Config
	untied.Tied, untied.OutBias, untied.MLPBias, untied.AttnBias = false, false, false, false
	out := []*models.Model{
		modeltest.GPT2(1), modeltest.Llama(2), modeltest.Random("tied-llama", tied, 3),
		modeltest.Random("biased-llama", biased, 4), modeltest.Random("bare-gpt2", untied, 5),
	}
	for _, family := range families(t) {
		out = append(out, openGolden(t, family).Model)
	}
	return out
}

// steps are all subsets of what a config allows.
func steps(c models.Config) (all []models.Processing) {
	a := c.Allowed()
	for i := range 16 {
		p := models.Processing{
			FoldLN: i&1 != 0, CenterWritingWeights: i&2 != 0, CenterUnembed: i&4 != 0, FoldValueBiases: i&8 != 0,
		}
		if p.FoldLN && !a.FoldLN || p.CenterWritingWeights && !a.CenterWritingWeights ||
			p.CenterUnembed && !a.CenterUnembed || p.FoldValueBiases && !a.FoldValueBiases {
			continue
		}
		all = append(all, p)
	}
	return all
}

// logProbs turns logits [B,T,V] into log-probabilities.
func logProbs(x *tensor.Dense) *tensor.Dense {
	y, v := x.Clone(), x.Dim(-1)
	for lo := 0; lo < x.Len(); lo += v {
		for i, p := range models.LogProbs(x.Data[lo : lo+v]) {
			y.Data[lo+i] = float32(p)
		}
	}
	return y
}

func TestProcessingKeepsProbabilities(t *testing.T) {
	in := models.Batch{IDs: []int{3, 1, 4, 1, 5, 9, 2, 6}, B: 2, T: 4}
	for _, m := range processable(t) {
		want := logProbs(run(t, m, in))
		before := m.Params().Clone()
		for _, p := range steps(m.Config) {
			t.Run(fmt.Sprintf("%s/%+v", m.Name, p), func(t *testing.T) {
				n, err := m.Process(p)
				if err != nil {
					t.Fatal(err)
				}
				modeltest.Close(t, "log-probabilities", logProbs(run(t, n, in)), want, 1e-5, 1e-5)
				if none := p == (models.Processing{}); none != (n.Basis() == models.RawBasis) || none != (n.Hash() == m.Hash()) {
					t.Errorf("basis %q, hash %.8s of a model of hash %.8s", n.Basis(), n.Hash(), m.Hash())
				}
				promises(t, n, p)
			})
		}
		m.Params().Each(func(name string, x *tensor.Dense) {
			if was, _ := before.Get(name); !x.EqualBits(was) {
				t.Errorf("%s of the original changed", name)
			}
		})
		if m.Basis() != models.RawBasis {
			t.Errorf("the original's basis is %q", m.Basis())
		}
	}
}

// promises checks what each step says of the weights it leaves.
func promises(t *testing.T, m *models.Model, p models.Processing) {
	t.Helper()
	const tiny = 1e-6
	small := func(name string, mean float64) {
		if !(math.Abs(mean) <= tiny) {
			t.Errorf("%s has mean %g, want 0", name, mean)
		}
	}
	m.Params().Each(func(name string, x *tensor.Dense) {
		elsewhere := strings.Contains(name, "_post") || strings.Contains(name, "_norm") || strings.HasPrefix(name, "embed.ln")
		norm := x.Rank() == 1 && strings.HasSuffix(name, ".weight") && !elsewhere
		ln := strings.Contains(name, "ln1.") || strings.Contains(name, "ln2.") || strings.Contains(name, "ln_final.")
		switch {
		case p.FoldLN && norm:
			for _, v := range x.Data {
				if v != 1 {
					t.Errorf("%s holds %g, want gains of 1", name, v)
				}
			}
		case p.FoldLN && ln:
			for _, v := range x.Data {
				if v != 0 {
					t.Errorf("%s holds %g, want biases of 0", name, v)
				}
			}
		case p.FoldValueBiases && strings.HasSuffix(name, "attn.v.bias"):
			for _, v := range x.Data {
				if v != 0 {
					t.Errorf("%s holds %g, want 0", name, v)
				}
			}
		}
		writes := strings.HasSuffix(name, "attn.o.weight") || strings.HasSuffix(name, "mlp.out.weight")
		if p.CenterWritingWeights && (name == "embed.weight" && !m.Config.EmbedNorm || name == "pos_embed.weight") {
			for r := range x.Dim(0) {
				small(name, mean(x.Sub(r).Data))
			}
		}
		if p.CenterWritingWeights && writes || p.CenterUnembed && name == "unembed.weight" {
			for c := range x.Dim(1) {
				column := make([]float32, x.Dim(0))
				for r := range column {
					column[r] = x.At(r, c)
				}
				small(name, mean(column))
			}
		}
		if p.CenterWritingWeights && (strings.HasSuffix(name, "attn.o.bias") || strings.HasSuffix(name, "mlp.out.bias")) ||
			p.CenterUnembed && name == "unembed.bias" {
			small(name, mean(x.Data))
		}
	})
}

func mean(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	return sum / float64(len(x))
}

// TestProcessedWeights compares with the weights that TransformerLens itself
// made of the same models, in float32.
func TestProcessedWeights(t *testing.T) {
	overCausal(t, func(t *testing.T, g causal) {
		got, err := g.Process(g.Config.Allowed())
		if err != nil {
			t.Fatal(err)
		}
		basis := "fold_ln+center_writing_weights+center_unembed+fold_value_biases"
		if g.Config.Norm == models.RMSNorm {
			basis = "fold_ln+center_unembed+fold_value_biases"
		}
		if got.Basis() != basis {
			t.Errorf("basis %s, want %s", got.Basis(), basis)
		}
		want := g.folded(t)
		n := 0
		got.Params().Each(func(name string, y *tensor.Dense) {
			x, ok := want.Params().Get(name)
			if !ok { // of a norm, which there is gone, here a gain of 1 and a bias of 0
				x = tensor.New(g.Config.Width)
				for i := 0; i < x.Len() && strings.HasSuffix(name, ".weight"); i++ {
					x.Data[i] = 1
				}
			}
			modeltest.Close(t, name, y, x, 2e-6, 2e-6)
			n++
		})
		if n < 10*g.Config.Layers {
			t.Errorf("%d weights compared", n)
		}
	})
}

func TestProcessedModelsAreSaved(t *testing.T) {
	m := modeltest.GPT2(1)
	p, err := m.Process(m.Config.Allowed())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := p.Save(dir); err != nil {
		t.Fatal(err)
	}
	again, err := models.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again.Hash() != p.Hash() || again.Basis() != "fold_ln+center_writing_weights+center_unembed+fold_value_biases" {
		t.Errorf("hash %.8s basis %s after loading, want %.8s %s", again.Hash(), again.Basis(), p.Hash(), p.Basis())
	}
	modeltest.Suite(t, p)
}

func TestImpossibleProcessingIsRefused(t *testing.T) {
	m := modeltest.Llama(1)
	_, err := m.Process(models.Processing{CenterWritingWeights: true})
	mustSay(t, err, "center_writing_weights", "rmsnorm")
	p, err := m.Process(models.Processing{FoldLN: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Process(models.Processing{CenterUnembed: true})
	mustSay(t, err, "fold_ln", "raw model")
	cfg := m.Config
	for _, basis := range []string{"fold", "center_unembed+fold_ln", "fold_ln+", "raw"} {
		cfg.Basis = basis
		mustSay(t, cfg.Validate(), `basis is "`+basis+`"`, "fold_ln+center_writing_weights")
	}
}

// TestFamiliesThatCannotBeProcessed names the structure that stands against
// each step.
func TestFamiliesThatCannotBeProcessed(t *testing.T) {
	change := func(m *models.Model, fn func(*models.Config)) models.Config {
		c := m.Config
		fn(&c)
		return c
	}
	gpt2, llama := modeltest.GPT2(1), modeltest.Llama(1)
	for name, test := range map[string]struct {
		cfg  models.Config
		p    models.Processing
		says string
	}{
		"post-norms":          {change(llama, func(c *models.Config) { c.Placement = models.PostNorm }), models.Processing{FoldLN: true}, `fold_ln: the norms of its blocks stand behind`},
		"gains of none":       {change(gpt2, func(c *models.Config) { c.PlainNorm, c.NormBias = true, false }), models.Processing{FoldLN: true}, "neither gain nor bias"},
		"no norms":            {change(gpt2, func(c *models.Config) { c.Norm, c.NormBias = models.NoNorm, false }), models.Processing{FoldLN: true}, "no norms"},
		"norms on both sides": {change(gpt2, func(c *models.Config) { c.Placement = models.BothNorm }), models.Processing{CenterWritingWeights: true}, "center_writing_weights: what attention and MLP write passes a norm"},
		"capped logits":       {change(llama, func(c *models.Config) { c.LogitCap = 30 }), models.Processing{CenterUnembed: true}, "center_unembed: logits are capped at ±30"},
		"clipped values":      {change(gpt2, func(c *models.Config) { c.ClipQKV = 8 }), models.Processing{FoldValueBiases: true}, "fold_value_biases: values are clipped to ±8"},
	} {
		t.Run(name, func(t *testing.T) {
			m := modeltest.Random(name, test.cfg, 1)
			_, err := m.Process(test.p)
			mustSay(t, err, test.says)
			modeltest.Suite(t, m) // whose processings are those that are allowed
		})
	}
	both := modeltest.Random("both", change(gpt2, func(c *models.Config) { c.Parallel, c.SharedNorm = true, true }), 2)
	modeltest.Suite(t, both)
}
