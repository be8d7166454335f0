package analysis_test

import (
	"math"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/server/analysis"
	"orrery/viz"
)

// holds fails on a figure that does not validate or whose badges do not hold.
func holds(t *testing.T, f *viz.Figure) {
	t.Helper()
	if err := f.Validate(); err != nil {
		t.Fatal(err)
	}
	if len(f.Badges) == 0 {
		t.Error("no badge")
	}
	for _, b := range f.Badges {
		if !b.OK {
			t.Errorf("badge %q: %g, bound %g", b.Text, b.Value, b.Bound)
		}
	}
}

// The bars of every way to take the stream apart add up to one logit.
func TestDirectAttributionAddsUp(t *testing.T) {
	m := mental(t)
	zero := []models.Edit{{Site: "blocks.3.attn.hook_z", Heads: []int{1}, Op: models.Set, Value: models.Number(0)}}
	for _, args := range []analysis.Args{{}, {"incorrect": "84"}, {"edits": zero}, {"position": 3, "answer": "91"}} {
		var sums []float64
		for _, by := range []string{"component", "head", "neuron"} {
			args := analysis.Args{"m": m, "prompt": "34+57=", "by": by, "incorrect": args["incorrect"], "edits": args["edits"], "position": args["position"], "answer": args["answer"]}
			f, _ := run(t, "dla", args)
			holds(t, f)
			sum := 0.0
			for _, v := range f.Arrays["value"].Data {
				sum += float64(v)
			}
			sums = append(sums, sum)
		}
		if math.Abs(sums[0]-sums[1]) > 1e-4 || math.Abs(sums[0]-sums[2]) > 1e-4 {
			t.Errorf("%v: the three ways add up to %v", args, sums)
		}
	}
}

// The head of the hand-made circuit that looks at position 0 alone is found by
// its detector and drawn so.
func TestHeadDetectorsFindTheCopyHead(t *testing.T) {
	m := modeltest.Copy()
	f, _ := run(t, "head_detectors", analysis.Args{"m": m, "prompt": []int{3, 1, 2, 4}})
	holds(t, f)
	if !strings.Contains(f.Caption, "first token L1H0 1.00") {
		t.Errorf("caption %q", f.Caption)
	}
	g, _ := run(t, "attention", analysis.Args{"m": m, "prompt": []int{3, 1, 2, 4}, "layer": 1, "head": 0})
	holds(t, g)
	for i, v := range g.Arrays["L1H0"].Data {
		want := 0.0
		if i%4 == 0 {
			want = 1
		}
		if !(math.Abs(float64(v)-want) <= 1e-5) {
			t.Errorf("number %d is %v, want %v", i, v, want)
		}
	}
}

// Thumbnails, one head and the mean over a set show the same patterns.
func TestAttentionViews(t *testing.T) {
	m := mental(t)
	f, _ := run(t, "attention", analysis.Args{"m": m, "prompt": "34+57="})
	holds(t, f)
	if f.Kind != viz.KindMultiples || len(f.Multiples.Items) != 16 {
		t.Fatalf("kind %s", f.Kind)
	}
	// A page browses them a layer a row, the head of the strongest edge large.
	if f.Multiples.Browse != 4 || !strings.Contains(f.Caption, " "+f.Multiples.Items[f.Multiples.Large].Title+",") {
		t.Errorf("%d heads a row, %s large: %s", f.Multiples.Browse, f.Multiples.Items[f.Multiples.Large].Title, f.Caption)
	}
	// Rows are queries from the last token, at the bottom, to the first, on top.
	a := f.Arrays["L1H2"]
	if v, s := a.At(4 * 5); v != 1 || s != viz.Done {
		t.Errorf("the first token attends to itself with %v (%v)", v, s)
	}
	if _, s := a.At(4*5 + 1); s != viz.Blank {
		t.Errorf("the first token's view of the second is %v, want blank", s)
	}
	one, _ := run(t, "attention", analysis.Args{"m": m, "prompt": "34+57=", "layer": 1, "head": -2})
	holds(t, one)
	if one.Kind != viz.KindHeatmap || one.Heatmap.Panels[0].Values != "L1H2" {
		t.Fatalf("kind %s", one.Kind)
	}
	for i, v := range one.Arrays["L1H2"].Data {
		if v != a.Data[i] {
			t.Fatalf("number %d of the large head is %v, of the small one %v", i, v, a.Data[i])
		}
	}
	mean, _ := run(t, "attention", analysis.Args{"m": m, "n": 5, "hi": 20, "layer": 0})
	holds(t, mean)
	item := mean.Multiples.Items[0].Heatmap.Panels[0]
	if item.Errors == "" || item.Columns.Labels[1] != "a" || item.Columns.Roles[1] != viz.RoleOperandA || item.Rows.Labels[0] != "=" || !strings.Contains(mean.Subtitle, "n = 5") {
		t.Errorf("panel %+v of %q", item, mean.Subtitle)
	}
}

// On uniform attention each detector scores what its pattern covers: the share
// can be counted by hand.
func TestHeadDetectorsOnUniformAttention(t *testing.T) {
	m := modeltest.Random("flat", models.Config{Layers: 1, Width: 8, Heads: 2, KVHeads: 2, HeadWidth: 4, MLPWidth: 8, Vocab: 9, Context: 16,
		Norm: models.RMSNorm, NormEps: 1e-5, Positions: models.Learned, Activation: "relu"}, 1)
	params := m.Params()
	for i := range params.Blocks[0].Q.Weight.Data {
		params.Blocks[0].Q.Weight.Data[i] = 0
	}
	flat, err := m.With(params)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := run(t, "head_detectors", analysis.Args{"m": flat, "prompt": []int{1, 2, 3, 1, 2, 3}})
	holds(t, f)
	// Query i attends to each of its i+1 keys with 1/(i+1); six rows in all.
	row := func(i int) float64 { return 1 / float64(i+1) }
	want := map[string]float64{
		"previous_token":  (row(1) + row(2) + row(3) + row(4) + row(5)) / 6,
		"duplicate_token": (row(3) + row(4) + row(5)) / 6,
		"induction":       (row(3) + row(4) + row(5)) / 6,
		"first_token":     (row(0) + row(1) + row(2) + row(3) + row(4) + row(5)) / 6,
	}
	for name, w := range want {
		for h, v := range f.Arrays[name].Data {
			if !(math.Abs(float64(v)-w) <= 1e-6) {
				t.Errorf("%s of head %d: %v, want %v", name, h, v, w)
			}
		}
	}
	g, _ := run(t, "head_detectors", analysis.Args{"m": mental(t), "prompt": "34+57="})
	if len(g.Heatmap.Panels) != 2 || !strings.Contains(g.Caption, "No token of the prompt comes twice") {
		t.Errorf("%d panels, caption %q", len(g.Heatmap.Panels), g.Caption)
	}
	again, _ := run(t, "head_detectors", analysis.Args{"m": mental(t)})
	holds(t, again)
	if len(again.Heatmap.Panels) != 4 || again.Provenance.Seed == nil {
		t.Errorf("%d panels", len(again.Heatmap.Panels))
	}
}

// Components and heads decode under both conventions, and edits reach the lens.
func TestLensOfComponents(t *testing.T) {
	m := mental(t)
	for _, args := range []analysis.Args{
		{"of": "components", "scale": "frozen", "metric": "logit"},
		{"of": "resid", "scale": "frozen"},
		{"of": "resid"},
	} {
		args["m"], args["prompt"] = m, "34+57="
		f, _ := run(t, "logit_lens", args)
		holds(t, f)
	}
	heads, _ := run(t, "logit_lens", analysis.Args{"m": m, "prompt": "34+57=", "of": "heads", "scale": "frozen"})
	if got := heads.Tokens.Rows.Labels; len(got) != 16 || got[5] != "L1H1" {
		t.Errorf("rows %v", got)
	}
	zero := []models.Edit{{Site: "blocks.1.attn.hook_z", Op: models.Set, Value: models.Number(0)}}
	plain, _ := run(t, "logit_lens", analysis.Args{"m": m, "prompt": "34+57="})
	edited, _ := run(t, "logit_lens", analysis.Args{"m": m, "prompt": "34+57=", "edits": zero})
	holds(t, edited)
	cols := 5
	for i, v := range plain.Arrays["entropy"].Data {
		if same, after := edited.Arrays["entropy"].Data[i] == v, i/cols >= 2; same == after {
			t.Errorf("row %d position %d: entropy %v, edited %v", i/cols, i%cols, v, edited.Arrays["entropy"].Data[i])
		}
	}
	if !strings.Contains(edited.Subtitle, "under an edit of blocks.1.attn.hook_z") {
		t.Errorf("subtitle %q", edited.Subtitle)
	}
	line, _ := run(t, "lens_trajectory", analysis.Args{"m": m, "prompt": "34+57=", "edits": zero, "scale": "frozen"})
	if !strings.Contains(line.Subtitle, "frozen") || !strings.Contains(line.Subtitle, "edit") {
		t.Errorf("subtitle %q", line.Subtitle)
	}
}
