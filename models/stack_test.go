package models_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// withCache runs m with everything recorded.
func withCache(t *testing.T, m *models.Model, in models.Batch) (*models.Cache, *tensor.Dense) {
	t.Helper()
	out, c, err := m.RunWithCache(context.Background(), in, models.CacheOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c, out.Logits
}

// must returns what a stack function found.
func must[T any](t *testing.T) func(T, error) T {
	return func(s T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// squeeze drops the position axis of length 1 of [N,B,1,...].
func squeeze(x *tensor.Dense) *tensor.Dense {
	return x.Reshape(append(slices.Clone(x.Shape[:2]), x.Shape[3:]...)...)
}

// TestStacksAsElsewhere compares every decomposition with TransformerLens', on
// raw weights and on weights that it processed. Its own float32 run differs by
// up to 1.3e-5 from the stored values; 5e-5 is the bound its authors of the
// goldens recommend for float32.
func TestStacksAsElsewhere(t *testing.T) {
	const bound = 5e-5
	overCausal(t, func(t *testing.T, g causal) {
		in := batch(t, g.dla, "tokens")
		r, _ := ints(t, g.dla, "r")
		wrong, _ := ints(t, g.dla, "r_prime")
		for basis, m := range map[string]*models.Model{"raw": g.Model, "folded": must[*models.Model](t)(g.Process(g.Config.Allowed()))} {
			c, logits := withCache(t, m, in)
			check := func(name string, got *tensor.Dense) {
				t.Helper()
				modeltest.Close(t, basis+"."+name, got, floats(t, g.dla, basis+"."+name), bound, bound)
			}
			check("logits_last", lastRows(logits))
			stack := must[*models.Stack](t)
			last := []int{-1}
			for suffix, ln := range map[string]bool{"": false, ".ln": true} {
				opt := models.StackOptions{Pos: last, ApplyLN: ln, InclMid: !m.Config.Parallel, InclRemainder: true}
				check("decompose_resid"+suffix, squeeze(stack(models.DecomposeResid(m, c, -1, opt)).Dense()))
				check("stack_head_results"+suffix, squeeze(stack(models.StackHeadResults(m, c, -1, opt)).Dense()))
				check("accumulated_resid"+suffix, squeeze(stack(models.AccumulatedResid(m, c, -1, opt)).Dense()))
			}
			check("accumulated_resid.recompute_ln", squeeze(stack(models.AccumulatedResid(m, c, -1, models.StackOptions{Pos: last, ApplyLN: true})).Dense()))
			neurons := stack(models.StackNeuronResults(m, c, -1, models.StackOptions{Pos: last, InclRemainder: true})).Dense()
			check("stack_neuron_results.prompt0", first(squeeze(neurons)))

			stream, ok := c.Get(models.Site{Layer: m.Config.Layers - 1, Kind: models.ResidPost})
			if !ok {
				t.Fatal("the last stream was not recorded")
			}
			whole := stack(models.DecomposeResid(m, c, -1, models.StackOptions{})).Dense()
			sum := tensor.New(stream.Shape...)
			for n := range whole.Dim(0) {
				for i, v := range whole.Sub(n).Data {
					sum.Data[i] += v
				}
			}
			off := floats(t, g.dla, basis+".decompose_resid_all_pos_sum_error").Data[0]
			modeltest.Close(t, basis+" sum over all positions", sum, stream, bound+float64(off), bound)

			if basis == "raw" { // TransformerLens leaves the gain out: see LogitAttrs
				continue
			}
			attrs := func(s *models.Stack, a models.Answers) *tensor.Dense {
				t.Helper()
				return must[*models.Attribution](t)(models.LogitAttrs(c, s, a)).Values.Reshape(len(s.Labels), in.B)
			}
			parts := stack(models.DecomposeResid(m, c, -1, models.StackOptions{Pos: last}))
			heads := stack(models.StackHeadResults(m, c, -1, models.StackOptions{Pos: last}))
			check("logit_attrs.decompose.r", attrs(parts, models.Answers{Tokens: r}))
			check("logit_attrs.decompose.r_minus_rprime", attrs(parts, models.Answers{Tokens: r, Incorrect: wrong}))
			check("logit_attrs.heads.r_minus_rprime", attrs(heads, models.Answers{Tokens: r, Incorrect: wrong}))
		}
	})
}

// lastRows is the last position of [B,T,V].
func lastRows(x *tensor.Dense) *tensor.Dense {
	out := tensor.New(x.Dim(0), x.Dim(2))
	for b := range x.Dim(0) {
		copy(out.Sub(b).Data, x.Sub(b, x.Dim(1)-1).Data)
	}
	return out
}

// first is index 0 of the second axis of [N,B,D].
func first(x *tensor.Dense) *tensor.Dense {
	out := tensor.New(x.Dim(0), x.Dim(2))
	for n := range x.Dim(0) {
		copy(out.Sub(n).Data, x.Sub(n, 0).Data)
	}
	return out
}

// TestLogitAttrsByDefinition compares with contributions computed from their
// definition on the unprocessed weights, gain and biases included.
func TestLogitAttrsByDefinition(t *testing.T) {
	const bound = 5e-5
	overCausal(t, func(t *testing.T, g causal) {
		in := batch(t, g.dla, "tokens")
		c, _ := withCache(t, g.Model, in)
		r, _ := ints(t, g.dla, "r")
		wrong, _ := ints(t, g.dla, "r_prime")
		L, last := g.Config.Layers, models.StackOptions{Pos: []int{-1}}
		for name, a := range map[string]models.Answers{"r": {Tokens: r}, "r_minus_rprime": {Tokens: r, Incorrect: wrong}} {
			want := func(part string) *tensor.Dense { return floats(t, g.dla, "definition."+name+"."+part) }
			attrs := func(s *models.Stack, err error) *models.Attribution {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
				return must[*models.Attribution](t)(models.LogitAttrs(c, s, a))
			}
			heads := attrs(models.StackHeadResults(g.Model, c, -1, last))
			modeltest.Close(t, name+" head", heads.Values.Reshape(L, g.Config.Heads, in.B), want("head"), bound, bound)
			neurons := attrs(models.StackNeuronResults(g.Model, c, -1, last))
			modeltest.Close(t, name+" neuron", neurons.Values.Reshape(L, g.Config.MLPWidth, in.B), want("neuron"), bound, bound)
			parts := attrs(models.DecomposeResid(g.Model, c, -1, last))
			for i, label := range parts.Labels {
				var from *tensor.Dense
				switch {
				case strings.HasSuffix(label, "_attn_out"):
					l := layerOf(t, label)
					from = want("attn_out").Sub(l)
					modeltest.Close(t, name+" bias of "+label, rest(parts.Values.Sub(i), heads.Values, l, g.Config.Heads), want("b_O").Sub(l), bound, bound)
				case strings.HasSuffix(label, "_mlp_out"):
					l := layerOf(t, label)
					from = want("mlp_out").Sub(l)
					modeltest.Close(t, name+" bias of "+label, rest(parts.Values.Sub(i), neurons.Values, l, g.Config.MLPWidth), want("b_out").Sub(l), bound, bound)
				default:
					from = want("embed").Sub(i)
				}
				modeltest.Close(t, name+" "+label, parts.Values.Sub(i).Reshape(in.B), from, bound, bound)
			}
			constant := want("ln_final_bias").Clone()
			for i, v := range want("b_U").Data {
				constant.Data[i] += v
			}
			modeltest.Close(t, name+" constant", parts.Constant.Reshape(in.B), constant, bound, bound)
			full := attrs(models.FullResidDecomposition(g.Model, c, -1, last))
			for b := range in.B {
				sum := float64(full.Constant.At(b, 0))
				for i := range full.Labels {
					sum += float64(full.Values.At(i, b, 0))
				}
				modeltest.Close(t, name+" sum", tensor.From([]float32{float32(sum)}, 1), want("target").Slice0(b, b+1), bound, bound)
			}
		}
	})
}

// rest is what a block's part of an attribution, [B,1], has beyond its n pieces of
// layer l, [L·n,B,1]: what the bias adds, [B].
func rest(block, pieces *tensor.Dense, l, n int) *tensor.Dense {
	out := tensor.New(block.Len())
	for b, v := range block.Data {
		sum := float64(v)
		for i := range n {
			sum -= float64(pieces.Sub(l*n + i).Data[b])
		}
		out.Data[b] = float32(sum)
	}
	return out
}

func layerOf(t *testing.T, label string) (l int) {
	t.Helper()
	if _, err := fmt.Sscanf(label, "%d_", &l); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLabels(t *testing.T) {
	for name := range causalConfigs() {
		t.Run(name, func(t *testing.T) {
			var want map[string][]string
			readJSON(t, &want, "causal", name, "09_dla_labels.json")
			cfg := causalConfigs()[name]
			m := modeltest.Random(name, cfg, 1)
			c, _ := withCache(t, m, models.Prompt(1, 2, 3))
			stack := must[*models.Stack](t)
			opt := models.StackOptions{InclMid: !cfg.Parallel, InclRemainder: true}
			for op, s := range map[string]*models.Stack{
				"accumulated_resid":  stack(models.AccumulatedResid(m, c, -1, opt)),
				"decompose_resid":    stack(models.DecomposeResid(m, c, -1, opt)),
				"stack_head_results": stack(models.StackHeadResults(m, c, -1, opt)),
			} {
				if !slices.Equal(s.Labels, want["raw."+op]) {
					t.Errorf("%s has labels %v, want %v", op, s.Labels, want["raw."+op])
				}
			}
			neurons := stack(models.StackNeuronResults(m, c, -1, opt)).Labels
			if n := cfg.Layers * cfg.MLPWidth; len(neurons) != n+1 || neurons[0] != "L0N0" || neurons[n-1] != fmt.Sprintf("L%dN%d", cfg.Layers-1, cfg.MLPWidth-1) || neurons[n] != "remainder" {
				t.Errorf("neurons have %d labels from %s to %s", len(neurons), neurons[0], neurons[len(neurons)-1])
			}
		})
	}
}
