package ablate_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// randomModels are the folders of tiny random models, one an architecture: those
// in testdata, and those of the reference data where that is there. A folder
// without a golden is another way to store weights that one with a golden has.
func randomModels(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	roots := []string{filepath.Join("..", "models", "testdata", "architectures")}
	if root, ok := modeltest.ReferenceRoot(t); ok {
		roots = append(roots, filepath.Join(root, "architectures"))
	} else {
		t.Log("no shared/reference beside the checkout: only the families in testdata are checked")
	}
	for _, root := range roots {
		configs, err := filepath.Glob(filepath.Join(root, "*", "config.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range configs {
			dir := filepath.Dir(c)
			if _, err := os.Stat(filepath.Join(dir, "golden.safetensors")); err != nil {
				continue
			}
			if _, ok := found[filepath.Base(dir)]; !ok {
				found[filepath.Base(dir)] = dir
			}
		}
	}
	if len(found) == 0 {
		t.Fatal("no architectures")
	}
	return found
}

// TestInvariantsOfEveryFamily checks, on a tiny random model of every
// architecture, what holds whatever the weights (methods of causal analysis,
// their invariants 1-8 and 10): to the bit where the same numbers are
// computed, within bounds that are stated where sums are taken in another order.
func TestInvariantsOfEveryFamily(t *testing.T) {
	dirs := randomModels(t)
	var names []string
	for name := range dirs {
		names = append(names, name)
	}
	slices.Sort(names)
	tests := []struct {
		name string
		run  func(invariants, *testing.T)
	}{
		{"patch", invariants.patch},
		{"attribution", invariants.attribution},
		{"mediation", invariants.mediation},
		{"direct", invariants.direct},
		{"knockout", invariants.knockout},
		{"all for one", invariants.allForOne},
		{"all for one at the embedding", invariants.embedding},
		{"edges", invariants.edges},
		{"trace", invariants.trace},
		{"integration", invariants.integration},
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			m, err := models.Load(dirs[name])
			if err != nil {
				t.Fatal(err)
			}
			v := invariants{m: m, c: onePair(m.Config.Vocab)}
			for _, test := range tests {
				t.Run(test.name, func(t *testing.T) { test.run(v, t) })
			}
		})
	}
}

// differs is the one position at which the prompts of onePair differ.
const differs = 1

// invariants are checked on a model and two prompts that differ at one position
// in front of the last.
type invariants struct {
	m *models.Model
	c ablate.Contrast
}

func onePair(vocab int) ablate.Contrast {
	id := func(i int) int { return i % vocab }
	return ablate.Contrast{
		Clean:     ablate.Prompt{IDs: []int{id(3), id(8), id(23), id(7)}, Answer: 1, Other: 2},
		Corrupted: ablate.Prompt{IDs: []int{id(3), id(12), id(23), id(7)}, Answer: 2, Other: 1},
	}
}

// same is the contrast of the clean prompt with itself.
func (v invariants) same() ablate.Contrast {
	c := v.c
	c.Corrupted.IDs = c.Clean.IDs
	return c
}

// sweeps are those that the model has a site for, by position, and the stream
// whole.
func (v invariants) sweeps(t *testing.T) (sweeps []ablate.PatchSweep, whole int) {
	t.Helper()
	for _, name := range []string{"resid_pre", "resid_mid", "resid_post", "attn_out", "mlp_out", "attn_head_out_by_pos", "attn_head_q_by_pos", "attn_head_k_by_pos", "attn_head_v_by_pos"} {
		s, err := ablate.PatchSweepsByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if name != "resid_mid" || !v.m.Config.Parallel {
			sweeps = append(sweeps, s...)
		}
	}
	return append(sweeps, ablate.PatchSweep{Name: "whole", Site: "hook_resid_post", Axes: []string{"layer"}}), len(sweeps)
}

// patch: values of one's own change no bit, the whole stream of the source makes
// the source run, and nothing happens before the prompts differ.
func (v invariants) patch(t *testing.T) {
	sweeps, whole := v.sweeps(t)
	for _, direction := range []ablate.Direction{ablate.Denoise, ablate.Noise} {
		opt := ablate.PatchOptions{Sweeps: sweeps, Direction: direction, Metric: metric(t, "logit_diff")}
		p, err := ablate.Patch(context.Background(), v.m, []ablate.Contrast{v.c, v.same()}, opt, quiet)
		if err != nil {
			t.Fatal(err)
		}
		if p.OwnError != 0 || p.SourceError != 0 || p.Report.Checked == 0 || p.Report.Different != 0 {
			t.Errorf("%s: own %g, source %g, %+v", direction, p.OwnError, p.SourceError, p.Report)
		}
		for i, g := range p.Grids {
			at := slices.Index(g.Sweep.Axes, "pos")
			for c, value := range g.Values[1] {
				if value != p.Base[1] {
					t.Fatalf("%s, %s %v: the run's own value changes the metric by %g", direction, g.Sweep.Name, cellIndex(c, g.Shape), value-p.Base[1])
				}
			}
			for c, value := range g.Values[0] {
				index := cellIndex(c, g.Shape)
				if i == whole && value != p.Source[0] {
					t.Errorf("%s: the whole stream behind layer %d gives %g, the source run %g", direction, index[0], value, p.Source[0])
				}
				if at > 0 && index[at] < differs && value != p.Base[0] {
					t.Errorf("%s, %s %v: an effect of %g where both runs are the same", direction, g.Sweep.Name, index, value-p.Base[0])
				}
			}
		}
		first := p.Grids[0] // resid_pre
		if got := first.Values[0][differs]; got != p.Source[0] {
			t.Errorf("%s: the one embedding that differs gives %g, the source run %g", direction, got, p.Source[0])
		}
	}
}

// cellIndex is a cell's index on axes of these lengths.
func cellIndex(cell int, shape []int) []int {
	index := make([]int, len(shape))
	for a := len(shape) - 1; a >= 0; a-- {
		index[a], cell = cell%shape[a], cell/shape[a]
	}
	return index
}

// attribution: an estimate is nothing where nothing differs, and where a sum of
// components is the next value, so are their estimates: 1e-5·(1+|want|) for sums
// in float32.
func (v invariants) attribution(t *testing.T) {
	sweeps, whole := v.sweeps(t)
	neurons := ablate.PatchSweep{Name: "neurons", Site: "mlp.hook_post", Axes: []string{"layer", "pos"}}
	sweeps = append(sweeps[:whole], neurons)
	p, err := ablate.AttributionPatch(context.Background(), v.m, []ablate.Contrast{v.c, v.same()}, ablate.PatchOptions{Sweeps: sweeps, Metric: metric(t, "logit_diff")})
	if err != nil {
		t.Fatal(err)
	}
	grid := map[string]ablate.PatchGrid{}
	for _, g := range p.Grids {
		grid[g.Sweep.Name] = g
		for c, value := range g.Values[1] {
			if value != p.Base[1] {
				t.Fatalf("%s %v: an estimate of %g for the run's own value", g.Sweep.Name, cellIndex(c, g.Shape), value-p.Base[1])
			}
		}
	}
	if v.m.Config.Placement != models.PreNorm {
		return // a norm stands behind the halves: heads and neurons do not add up to their outputs
	}
	near := func(name string, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) <= 1e-5*(1+math.Abs(want))) {
			t.Errorf("%s: estimates add up to %g, want %g", name, got, want)
		}
	}
	H, base := v.m.Config.Heads, p.Base[0]
	for cell, want := range grid["attn_out"].Values[0] {
		sum := 0.0
		for h := range H {
			sum += grid["attn_head_out_by_pos"].Values[0][cell*H+h] - base
		}
		near("heads", sum, want-base)
	}
	for cell, want := range grid["mlp_out"].Values[0] {
		near("neurons", grid["neurons"].Values[0][cell]-base, want-base)
	}
}

// mediation: as patching, with probabilities; the one embedding that differs has
// the total effect.
func (v invariants) mediation(t *testing.T) {
	var pairs []ablate.Pair
	for _, c := range []ablate.Contrast{v.c, v.same()} {
		p, err := c.Pair(ablate.Noise)
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, p)
	}
	e, err := ablate.Mediate(context.Background(), v.m, pairs, ablate.MediateOptions{Components: []ablate.Component{ablate.Embedding, ablate.MLP, ablate.Attention}}, func(ablate.Cell) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if e.OwnError != 0 || e.SourceError != 0 || e.Report.Different != 0 {
		t.Errorf("own %g, source %g, %+v", e.OwnError, e.SourceError, e.Report)
	}
	for _, c := range e.Cells {
		if c.Shifts[1].Indirect() != 0 || c.Position < differs && c.Shifts[0].Indirect() != 0 {
			t.Errorf("%s at layer %d, position %d: effects of %g and, of the run itself, %g", c.Component, c.Layer, c.Position, c.Shifts[0].Indirect(), c.Shifts[1].Indirect())
		}
		if c.Component == ablate.Embedding && c.Position == differs && c.Shifts[0] != e.Total[0] {
			t.Errorf("the one embedding that differs has the effect %+v, the whole run %+v", c.Shifts[0], e.Total[0])
		}
	}
}

// direct: behind the last MLP nothing lies, behind a parallel block's attention
// neither: 1e-5·(1+|total|), whose numbers reach the norm in another order.
func (v invariants) direct(t *testing.T) {
	mlps, err := ablate.Nodes(v.m, ablate.MLPPart)
	if err != nil {
		t.Fatal(err)
	}
	attention, err := ablate.Nodes(v.m, ablate.AttentionPart)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := v.c.Pair(ablate.Noise)
	if err != nil {
		t.Fatal(err)
	}
	opt := ablate.EffectOptions{Nodes: append(mlps, attention...), Metric: metric(t, "logit_diff")}
	e, err := ablate.TotalAndDirect(context.Background(), v.m, []ablate.Pair{pair}, opt)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range e.Nodes {
		if n.Node.Layer != v.m.Config.Layers-1 || n.Node.Part == ablate.AttentionPart && !v.m.Config.Parallel {
			continue
		}
		if d := n.Total[0] - n.Direct[0]; !(math.Abs(d) <= 1e-5*(1+math.Abs(n.Total[0]))) {
			t.Errorf("%s: total effect %g, direct %g", n.Node, n.Total[0], n.Direct[0])
		}
	}
	if v.m.Config.Norm == models.NoNorm || v.m.Config.LogitCap != 0 {
		return // what follows needs a scale to freeze, and logits that are linear in the stream
	}
	opt.FrozenNorm = true
	if e, err = ablate.TotalAndDirect(context.Background(), v.m, []ablate.Pair{pair}, opt); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, n := range e.Nodes {
		sum += n.Direct[0] - e.Base[0]
	}
	// The last token is the same in both prompts, so that the embedding adds nothing.
	if want := v.frozenChange(t, pair); !(math.Abs(sum-want) <= 2e-5*(1+math.Abs(want))) {
		t.Errorf("direct effects through a frozen norm add up to %g, and the whole stream changes the metric by %g", sum, want)
	}
	if d, err := ablate.DirectSum(context.Background(), v.m, []ablate.Pair{pair}, opt.Metric, e.Nodes); err != nil || !(d <= 2e-5) {
		t.Errorf("DirectSum says that they are off by %g, %v", d, err)
	}
	if d, err := ablate.DirectSum(context.Background(), v.m, []ablate.Pair{pair}, opt.Metric, e.Nodes[:1]); err != nil || !(d > 1e-3) {
		t.Errorf("DirectSum says that one component does all but %g, %v", d, err)
	}
}

// frozenChange is how the metric of a pair changes when the last stream is the
// source's and the final norm keeps the base's scale.
func (v invariants) frozenChange(t *testing.T, p ablate.Pair) float64 {
	t.Helper()
	run := func(ids []int, edits ...models.Edit) (*models.Cache, float64) {
		hooks, err := v.m.Edits(edits...)
		if err != nil {
			t.Fatal(err)
		}
		cache := models.NewCache()
		out, err := v.m.Run(context.Background(), models.Prompt(ids...), append(hooks, models.Record(cache, models.All))...)
		if err != nil {
			t.Fatal(err)
		}
		z := out.Logits.Sub(0, len(ids)-1).Data
		return cache, float64(z[p.SourceAnswer]) - float64(z[p.BaseAnswer])
	}
	source, _ := run(p.Source)
	base, before := run(p.Base)
	last, scale := models.Site{Layer: v.m.Config.Layers - 1, Kind: models.ResidPost}, models.Site{Layer: -1, Kind: models.FinalScale}
	x, _ := source.Get(last)
	s, _ := base.Get(scale)
	_, after := run(p.Base,
		models.Edit{Site: last.String(), Op: models.Set, Value: models.List(x.Data...)},
		models.Edit{Site: scale.String(), Op: models.Set, Value: models.List(s.Data...)})
	return after - before
}

// knockout: a prompt that is its own partner, and a mean over the prompt alone,
// change no bit; where prompts are the same, so are the values of others.
func (v invariants) knockout(t *testing.T) {
	sweeps, _ := v.sweeps(t)
	prompts := []ablate.Prompt{v.c.Clean, v.c.Corrupted}
	for _, test := range []struct {
		name    string
		prompts []ablate.Prompt
		opt     ablate.KnockoutOptions
		until   int // effects are nothing before this position
	}{
		{"own partner", prompts, ablate.KnockoutOptions{Kind: ablate.Resample, Partner: []int{0, 1}}, len(v.c.Clean.IDs)},
		{"mean of itself", prompts[:1], ablate.KnockoutOptions{Kind: ablate.MeanByPos}, len(v.c.Clean.IDs)},
		{"other partner", prompts, ablate.KnockoutOptions{Kind: ablate.Resample, Partner: []int{1, 0}}, differs},
	} {
		test.opt.Sweeps, test.opt.Metrics = sweeps, []ablate.Metric{metric(t, "logit_diff"), metric(t, "kl")}
		k, err := ablate.Knockout(context.Background(), v.m, test.prompts, test.opt, func(ablate.KnockoutCell) error { return nil })
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		for i, grids := range k.Grids {
			for _, g := range grids {
				at := slices.Index(g.Sweep.Axes, "pos")
				for row, values := range g.Values {
					for c, value := range values {
						index := cellIndex(c, g.Shape)
						if (at < 0 && test.until == len(v.c.Clean.IDs) || at >= 0 && index[at] < test.until) && value != k.Base[i][row] {
							t.Fatalf("%s: %s of %s %v is %g, and %g in the run without edits", test.name, k.Metrics[i].Name, g.Sweep.Name, index, value, k.Base[i][row])
						}
					}
				}
			}
		}
	}
}

// allForOne: means are the stream itself where the own token tells the whole
// context; they do not depend on later tokens (2e-6·(1+|mean|): other rows of a
// batch, and a float64 mean); nothing happens where everything is allowed; and
// no mask leaves a query blind.
func (v invariants) allForOne(t *testing.T) {
	V, L := v.m.Config.Vocab, v.m.Config.Layers
	contexts := func(bs ...int) (out []ablate.Prompt) {
		for a := 4; a < 7; a++ {
			for _, b := range bs {
				out = append(out, ablate.Prompt{IDs: []int{3 % V, a % V, 9 % V, b % V, 8 % V}, Answer: 1, Other: 2})
			}
		}
		return out
	}
	start := func(prompts []ablate.Prompt) *ablate.AllForOne {
		table, err := ablate.CAMATable(context.Background(), v.m, prompts)
		if err != nil {
			t.Fatal(err)
		}
		a, err := ablate.StartAllForOne(context.Background(), v.m, prompts, table, ablate.AllForOneOptions{Metric: metric(t, "kl")})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	apply := func(a *ablate.AllForOne, recipes ...ablate.Recipe) []ablate.Outcome {
		out, report, err := a.Apply(context.Background(), recipes, false, func(int, ablate.Outcome) error { return nil })
		if err != nil || report.Different != 0 {
			t.Fatalf("%v, %+v", err, report)
		}
		return out
	}
	idle := func(what string, a *ablate.AllForOne, out []ablate.Outcome) {
		t.Helper()
		for _, o := range out {
			if !slices.Equal(o.Margin, a.Base.Margin) || !slices.Equal(o.P, a.Base.P) {
				t.Errorf("%s: recipe %+v gives margins %v, the model %v", what, o.Recipe, o.Margin, a.Base.Margin)
			}
		}
	}
	// Every later token is another one in each context: a mean is of one context.
	var told []ablate.Prompt
	for i := range 3 {
		told = append(told, ablate.Prompt{IDs: []int{3 % V, (4 + i) % V, (9 + i) % V, (15 + i) % V}, Answer: 1, Other: 2})
	}
	a := start(told)
	idle("own token tells all", a, apply(a, ablate.WaitSweep(v.m, ablate.WaitCAMA)...))
	all := start(contexts(10, 11))
	idle("everything is allowed", all, apply(all, ablate.Recipe{Wait: -1, Mode: ablate.WaitFree, Transfer: L, Peek: ablate.PeekEveryone}))
	one, err := ablate.CAMATable(context.Background(), v.m, contexts(10))
	if err != nil {
		t.Fatal(err)
	}
	got, err := one.Own("", 2, 9%V)
	if err != nil {
		t.Fatal(err)
	}
	want, err := all.Table.Own("", 2, 9%V)
	if err != nil {
		t.Fatal(err)
	}
	modeltest.Close(t, "the operator's mean, whatever follows", got.Mean, want.Mean, 2e-6, 2e-6)
	// Runs end in an error when a number is not finite, as behind a blind query.
	apply(all, append(ablate.WindowGrid(v.m, ablate.WaitCAMA), ablate.WindowGrid(v.m, ablate.WaitIsolated)...)...)
}

// embedding: what enters the first block is a matter of the own token and its
// place, so that its mean given the token is the value itself, to the bit, and
// putting it in changes nothing (invariant 4). Block 0 is made to add nothing, so
// that the stream behind it, which CAMA can set, is what entered.
func (v invariants) embedding(t *testing.T) {
	params := *v.m.Params()
	params.Blocks = slices.Clone(params.Blocks)
	silent := func(p models.LinearParams) models.LinearParams {
		p.Weight = tensor.New(p.Weight.Shape...)
		if p.Bias != nil {
			p.Bias = tensor.New(p.Bias.Shape...)
		}
		return p
	}
	b := &params.Blocks[0]
	b.O, b.Out = silent(b.O), silent(b.Out)
	m, err := models.New(v.m.Config, &params)
	if err != nil {
		t.Fatal(err)
	}
	V := m.Config.Vocab
	var prompts []ablate.Prompt
	var rows [][]int
	for a := 4; a < 7; a++ {
		for c := 10; c < 12; c++ {
			rows = append(rows, []int{3 % V, a % V, 9 % V, c % V, 8 % V})
			prompts = append(prompts, ablate.Prompt{IDs: rows[len(rows)-1], Answer: 1, Other: 2})
		}
	}
	table, err := ablate.CAMATable(context.Background(), m, prompts)
	if err != nil {
		t.Fatal(err)
	}
	in, err := models.Rows(rows)
	if err != nil {
		t.Fatal(err)
	}
	site := models.Site{Layer: 0, Kind: models.ResidPre}
	if m.Config.Placement == models.PostNorm { // the norm behind attention and MLP moves even an empty block's stream
		site.Kind = models.ResidPost
	}
	cache := models.NewCache()
	if _, err := m.Run(context.Background(), in, models.Record(cache, models.Sites(site))); err != nil {
		t.Fatal(err)
	}
	stream, _ := cache.Get(site)
	for i, ids := range rows {
		for pos := table.First + 1; pos < len(ids); pos++ {
			mean, err := table.Own("", pos, ids[pos])
			if err != nil {
				t.Fatal(err)
			}
			if got, want := mean.Mean.Sub(0), stream.Sub(i, pos); !slices.Equal(got.Data, want.Data) {
				t.Errorf("prompt %d, position %d: the mean given the token differs from what enters block 0 by %g", i, pos, got.MaxDifference(want))
			}
		}
	}
	all, err := ablate.StartAllForOne(context.Background(), m, prompts, table, ablate.AllForOneOptions{Metric: metric(t, "kl")})
	if err != nil {
		t.Fatal(err)
	}
	out, report, err := all.Apply(context.Background(), ablate.WaitSweep(m, ablate.WaitCAMA)[:1], false, func(int, ablate.Outcome) error { return nil })
	if err != nil || report.Different != 0 {
		t.Fatalf("%v, %+v", err, report)
	}
	if !slices.Equal(out[0].Margin, all.Base.Margin) || !slices.Equal(out[0].P, all.Base.P) || slices.Max(out[0].Values) != 0 {
		t.Errorf("CAMA at the embedding gives margins %v, the model %v, KL %v", out[0].Margin, all.Base.Margin, out[0].Values)
	}
}

// TestNoPeekBlindsAQuery: whatever is asked for, every query keeps a key that
// causal attention lets it see, in prompts of any length.
func TestNoPeekBlindsAQuery(t *testing.T) {
	for T := 1; T <= 7; T++ {
		for first := 0; first <= T; first++ {
			for _, peek := range ablate.Peeks {
				removed, err := ablate.PeekMask(T, first, peek, []int{T - 1})
				if err != nil {
					t.Fatal(err)
				}
				for q, row := range removed {
					if row[q] || !slices.Contains(row[:q+1], false) {
						t.Errorf("peek %q of %d tokens from %d: query %d loses %v", peek, T, first, q, row)
					}
				}
			}
		}
	}
}
