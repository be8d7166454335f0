package models_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
	"orrery/models/weights"
)

// difference is the goldens' metric: the sum over rows of the last position's
// logit of one id less that of another.
func difference(t *testing.T, m *models.Model, f *weights.File, b int) models.Objective {
	t.Helper()
	ids, _ := ints(t, f, "metric.ids")
	var terms []string
	for r := range b {
		terms = append(terms, fmt.Sprintf("logit[%d,-1,%d] - logit[%d,-1,%d]", r, ids[2*r], r, ids[2*r+1]))
	}
	obj, err := models.ParseObjective(m, strings.Join(terms, " + "))
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func gradient(t *testing.T, m *models.Model, in models.Batch, obj models.Objective, want models.Want, hooks ...models.Hook) *models.Gradients {
	t.Helper()
	g, err := m.Gradient(context.Background(), in, obj, want, hooks...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGradientsOfEveryFamily(t *testing.T) {
	for _, family := range []string{"gpt2", "gpt2-inverse-layer", "llama2", "llama3"} {
		for _, asked := range []string{"few sites", "all sites"} {
			t.Run(family+"/"+asked, func(t *testing.T) {
				g := openGolden(t, family)
				file := openFile(t, filepath.Join(g.dir, "grads.safetensors"))
				in := batch(t, g.file, "ids")
				want := models.Want{Sites: models.All, Params: true}
				if asked == "few sites" { // the paths that no site forces to be split
					want.Sites = func(s models.Site) bool {
						return s.Kind != models.Result && (s.Kind < models.AttnIn || s.Kind > models.LN1Normalized) &&
							s.Kind != models.LN2Scale && s.Kind != models.LN2Normalized && s.Kind != models.MLPIn
					}
				}
				got := gradient(t, g.Model, in, difference(t, g.Model, file, in.B), want)
				metric := floats(t, file, "metric").Data[0]
				if !(math.Abs(got.Value-float64(metric)) <= gradTolerance) {
					t.Errorf("value %g, want %g", got.Value, metric)
				}
				if run := run(t, g.Model, in); !run.EqualBits(got.Output.Logits) {
					t.Error("the logits beside the gradient differ from a run's")
				}
				sites, params := 0, 0
				for _, name := range file.Names() {
					if param, ok := strings.CutPrefix(name, "param."); ok {
						for ours, x := range paramGradients(got.Params, param, g.Config) {
							modeltest.Close(t, ours, x, paramGolden(t, file, name, ours, g.Config), gradTolerance, gradTolerance)
							params++
						}
						continue
					}
					site, err := g.Site(name)
					if err != nil {
						continue // metric, metric.ids
					}
					x, _ := got.Sites.Get(site)
					modeltest.Close(t, name, x, floats(t, file, name), gradTolerance, gradTolerance)
					sites++
				}
				if want := 11*g.Config.Layers + 1; sites < want {
					t.Errorf("%d sites compared, want at least %d", sites, want)
				}
				if count := 0; family == "gpt2" || family == "llama3" {
					got.Params.Each(func(string, *tensor.Dense) { count++ })
					if params != count {
						t.Errorf("%d weights compared, want all %d", params, count)
					}
				}
			})
		}
	}
}

// paramNames pairs the endings of Hugging Face's names with ours. Several of
// ours mean that they lie side by side in one tensor.
var paramNames = map[string][]string{
	"wte.weight": {"embed.weight"}, "wpe.weight": {"pos_embed.weight"}, "embed_tokens.weight": {"embed.weight"},
	"ln_1": {"ln1"}, "ln_2": {"ln2"}, "ln_f": {"ln_final"}, "attn.c_attn": {"attn.q", "attn.k", "attn.v"},
	"attn.c_proj": {"attn.o"}, "mlp.c_fc": {"mlp.in"}, "mlp.c_proj": {"mlp.out"},
	"input_layernorm": {"ln1"}, "post_attention_layernorm": {"ln2"}, "model.norm": {"ln_final"},
	"q_proj": {"attn.q"}, "k_proj": {"attn.k"}, "v_proj": {"attn.v"}, "o_proj": {"attn.o"},
	"gate_proj": {"mlp.gate"}, "up_proj": {"mlp.in"}, "down_proj": {"mlp.out"},
}

// ourNames gives our names of a Hugging Face weight.
func ourNames(name string) []string {
	for theirs, ours := range paramNames {
		stem, part := name, ""
		if !strings.HasSuffix(theirs, ".weight") {
			at := strings.LastIndexByte(name, '.')
			stem, part = name[:at], name[at:]
		}
		if !strings.HasSuffix(stem, theirs) || theirs == "model.norm" && stem != theirs {
			continue
		}
		prefix := ""
		for _, field := range strings.Split(name, ".") {
			if strings.Trim(field, "0123456789") == "" {
				prefix = "blocks." + field + "."
			}
		}
		var out []string
		for _, our := range ours {
			out = append(out, prefix+our+part)
		}
		return out
	}
	return nil
}

// paramGradients gives our gradients of a Hugging Face weight, by our names.
func paramGradients(p *models.Params, name string, _ models.Config) map[string]*tensor.Dense {
	out := make(map[string]*tensor.Dense)
	for _, our := range ourNames(name) {
		out[our], _ = p.Get(our)
	}
	return out
}

// paramGolden is the golden gradient in the layout of our weight.
func paramGolden(t *testing.T, f *weights.File, name, ours string, cfg models.Config) *tensor.Dense {
	t.Helper()
	x := floats(t, f, name)
	if cfg.Positions == models.Rotary || strings.Contains(name, "wte") || strings.Contains(name, "wpe") {
		return x
	}
	if x.Rank() == 2 { // Conv1D [in,out]
		y := tensor.New(x.Dim(1), x.Dim(0))
		for i := range x.Dim(0) {
			for j := range x.Dim(1) {
				y.Set(x.At(i, j), j, i)
			}
		}
		x = y
	}
	if strings.Contains(name, "c_attn") {
		d := cfg.Width
		at := strings.Index("qkv", strings.Split(ours, ".")[3]) * d
		x = x.Slice0(at, at+d)
	}
	return x
}

// TestGradientsByFiniteDifferences holds the gradient at every site, also those
// that no golden has, and through every kind of edit, against central
// differences of the value itself.
func TestGradientsByFiniteDifferences(t *testing.T) {
	for _, m := range []*models.Model{modeltest.GPT2(3), modeltest.Llama(3)} {
		in, err := models.Pad([][]int{{1, 5, 2, 7}, {3, 4}}, models.Left, 0)
		if err != nil {
			t.Fatal(err)
		}
		obj, err := models.ParseObjective(m, "logit[0,-1,3] - 0.5*logit[1,-1,2] + logprob[0,1,4] + logit[1,2,5]")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"none", "set", "scale", "inputs", "inside", "future"} {
			t.Run(m.Name+"/"+name, func(t *testing.T) {
				hooks, err := m.Edits(someEdits()[name]...)
				if err != nil {
					t.Fatal(err)
				}
				if name == "future" {
					hooks = []models.Hook{showFuture()}
				}
				got := gradient(t, m, in, obj, models.Want{Sites: models.All}, hooks...)
				for _, site := range m.Sites() {
					if name == "inside" && site.Kind >= models.AttnIn && site.Kind <= models.VInput {
						continue // edits of ln1 do not reach a head whose input is moved
					}
					x, ok := got.Sites.Get(site)
					if !ok {
						t.Errorf("%s has no gradient", site)
						continue
					}
					checkDirection(t, m, in, obj, site, x, hooks)
				}
			})
		}
	}
}

// someEdits are edits of the toy models' first and second block.
func someEdits() map[string][]models.Edit {
	return map[string][]models.Edit{
		"set": {
			{Site: "blocks.0.hook_resid_mid", Positions: []int{1}, Neurons: []int{0, 5}, Op: models.Set, Value: models.Number(0.3)},
			{Site: "blocks.1.attn.hook_z", Heads: []int{1}, Op: models.Set, Value: models.Number(0.1)},
			{Site: "blocks.1.attn.hook_pattern", Heads: []int{0}, Queries: []int{-1}, Keys: []int{-1}, Op: models.Set, Value: models.Number(0.4)},
		},
		"scale": {
			{Site: "blocks.0.hook_mlp_out", Neurons: []int{0, 3}, Op: models.Scale, Value: models.Number(-0.5)},
			{Site: "blocks.1.attn.hook_attn_scores", Queries: []int{-1}, Keys: []int{-2}, Op: models.Mask},
			{Site: "blocks.1.attn.hook_v", Op: models.Scale, Value: models.Number(2)},
			{Site: "blocks.1.mlp.hook_post", Op: models.Add, Value: models.Number(0.1)},
		},
		"inputs": {
			{Site: "blocks.0.hook_attn_in", Heads: []int{1}, Positions: []int{-1, -2}, Op: models.Scale, Value: models.Number(1.5)},
			{Site: "blocks.1.hook_q_input", Heads: []int{0}, Op: models.Add, Value: models.Number(0.2)},
			{Site: "blocks.1.hook_k_input", Heads: []int{0}, Positions: []int{-2}, Neurons: []int{4}, Op: models.Set, Value: models.Number(0.7)},
			{Site: "blocks.1.hook_v_input", Heads: []int{0}, Neurons: []int{2}, Op: models.Scale, Value: models.Number(3)},
			{Site: "blocks.1.hook_mlp_in", Positions: []int{-1}, Op: models.Scale, Value: models.Number(0.5)},
		},
		"inside": {
			{Site: "blocks.0.ln1.hook_scale", Positions: []int{-1}, Op: models.Scale, Value: models.Number(1.3)},
			{Site: "blocks.1.ln2.hook_scale", Op: models.Set, Value: models.Number(0.9)},
			{Site: "blocks.1.ln1.hook_normalized", Neurons: []int{1}, Op: models.Scale, Value: models.Number(0.5)},
			{Site: "blocks.0.attn.hook_result", Heads: []int{0}, Positions: []int{-1}, Op: models.Scale, Value: models.Number(0.25)},
			{Site: "ln_final.hook_normalized", Neurons: []int{0}, Op: models.Set, Value: models.Number(0.5)},
		},
	}
}

// showFuture lets the second row's first real query see its later key, which no
// product of a query and a key has any part in.
func showFuture() models.Hook {
	return models.Hook{
		Sites: models.Sites(models.Site{Layer: 1, Kind: models.AttnScores}),
		Fn: func(_ models.Site, x *tensor.Dense) error {
			x.Set(0.3, 1, 0, 2, 3)
			return nil
		},
	}
}

// checkDirection compares the gradient x at a site with how the value changes
// when the value there, behind all hooks, is moved along a random direction.
func checkDirection(t *testing.T, m *models.Model, in models.Batch, obj models.Objective, site models.Site, x *tensor.Dense, hooks []models.Hook) {
	t.Helper()
	const step = 1.0 / 256
	rng := rand.New(rand.NewPCG(7, uint64(site.Layer*100)+uint64(site.Kind)))
	dir := tensor.New(x.Shape...)
	want := 0.0
	for i := range dir.Data {
		dir.Data[i] = float32(rng.NormFloat64())
	}
	if site.Kind == models.AttnScores || site.Kind == models.Pattern {
		keepVisible(dir, in)
	}
	for i, d := range dir.Data {
		want += float64(d) * float64(x.Data[i])
	}
	value := func(step float32) float64 {
		move := models.Hook{Sites: models.Sites(site), Fn: func(_ models.Site, x *tensor.Dense) error {
			for i, d := range dir.Data {
				x.Data[i] += step * d
			}
			return nil
		}}
		v, _, err := obj(run(t, m, in, append(hooks[:len(hooks):len(hooks)], move)...))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	// Richardson's extrapolation of two central differences leaves an error of
	// the fourth order.
	wide := (value(2*step) - value(-2*step)) / (4 * step)
	near := (value(step) - value(-step)) / (2 * step)
	got := (4*near - wide) / 3
	if !(math.Abs(got-want) <= 2e-3*(1+math.Abs(want))) {
		t.Errorf("%s: along a random direction the value changes by %g and the gradient says %g", site, got, want)
	}
}

// keepVisible clears what lies on masked edges of dir [B,H,T,T].
func keepVisible(dir *tensor.Dense, in models.Batch) {
	for i := range dir.Data {
		b, q, k := i/(dir.Dim(1)*in.T*in.T), i/in.T%in.T, i%in.T
		if k > q || k < in.Start[b] || q < in.Start[b] {
			dir.Data[i] = 0
		}
	}
}
