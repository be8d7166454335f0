package script_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"orrery/viz"
)

// lastFigure is the figure that a cell leaves.
func lastFigure(t *testing.T, source string) *viz.Figure {
	t.Helper()
	h, _, err := run(t, source)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	for i := len(h.outputs) - 1; i >= 0; i-- {
		if f := h.outputs[i].Figure; f != nil {
			return f
		}
	}
	t.Fatalf("%s leaves no figure", source)
	return nil
}

// TestOpenedRunsAreTheCells opens cells of every kind of grid by the calls that
// the grids carry, and compares what the opened run says with the pair's value
// in the grid.
func TestOpenedRunsAreTheCells(t *testing.T) {
	const model = `load("mental-2op")`
	answer := func(name string) func(*viz.Figure) float64 {
		return func(f *viz.Figure) float64 { return probability(t, f, name, 2) - probability(t, f, name, 1) }
	}
	alone := func(f *viz.Figure) float64 { return probability(t, f, "answer", 1) - probability(t, f, "answer", 0) }
	for _, c := range []struct {
		call string
		of   func(*viz.Figure) float64
	}{
		{`activation_patching(m, n=3, sweep="resid_pre", metric="prob", normalise=False)`, answer("answer")},
		{`activation_patching(m, n=3, sweep="attn_head_out_by_pos", metric="prob", normalise=False)`, answer("answer")},
		{`activation_patching(m, n=3, sweep="attn_head_pattern_all_pos", metric="prob", normalise=False, window=2)`, answer("answer")},
		{`activation_patching(m, n=2, sweep="attn_head_pattern_dest_src_pos", metric="prob", normalise=False)`, answer("answer")},
		{`activation_patching(m, n=3, sweep="mlp_out", metric="prob", normalise=False, direction="noise")`, answer("other")},
		{`causal_mediation(m, n=3, components=["mlp", "attn", "coordinate"], metric="changed")`, func(f *viz.Figure) float64 { return math.Abs(answer("other")(f)) }},
		{`causal_mediation(m, base="34+57=", source="12+57=", metric="changed")`, func(f *viz.Figure) float64 { return math.Abs(answer("other")(f)) }},
		{`effects(m, n=3, show="heads", metric="prob")`, answer("answer")},
		{`effects(m, n=2, show="neurons", metric="prob")`, answer("answer")},
		{`knockout(m, n=3, metric="prob", kind="zero")`, alone},
		{`knockout(m, n=3, metric="prob", kind="mean", show="mlps", reference=10)`, alone},
		{`knockout(m, n=3, metric="prob", kind="mean_by_pos", operators=["+"], seed=4)`, alone},
		{`knockout(m, n=3, metric="prob", kind="resample", show="attn")`, answer("other")},
		{`knockout(m, prompts=P, metric="prob", kind="mean", show="mlps", reference=20)`, alone},
		{`knockout(m, prompts=P, metric="prob", kind="mean_by_pos")`, alone},
		{`knockout(m, prompts=L, metric="prob", kind="mean_by_pos", show="stream")`, alone},
		{`knockout(m, prompts=L, metric="prob", kind="resample")`, answer("other")},
	} {
		t.Run(c.call, func(t *testing.T) {
			sets := map[string]string{"P": `prompts("{a}+{b}=", a=range(20), b=range(30), n=3, seed=7)`, "L": `prompts_from(["12+34=", "40+21=", "7+8="])`}
			call, set := strings.Replace(c.call, "(m", "("+model, 1), ""
			for name, source := range sets {
				if before, after, found := strings.Cut(call, "prompts="+name); found {
					call, set = before+"prompts="+source+after, source
				}
			}
			grid := lastFigure(t, call)
			panel := grid.Heatmap.Panels[len(grid.Heatmap.Panels)-1]
			if strings.HasPrefix(c.call, "effects") { // the direct ones are no edits
				panel = grid.Heatmap.Panels[0]
			}
			if panel.Open == nil {
				t.Fatal("the panel says nothing about how its cells open")
			}
			pairs := len(panel.Open.Pairs)
			for i := range 3 {
				row, column, pair := len(panel.Rows.Labels)*i/3, len(panel.Columns.Labels)-1-i%len(panel.Columns.Labels), (i+1)%pairs
				source := panel.Open.Source(model, set, pair, row, column)
				want := grid.Arrays[panel.Values].Data[row*len(panel.Columns.Labels)+column]
				if panel.Each != "" {
					want = grid.Arrays[panel.Each].Data[(row*len(panel.Columns.Labels)+column)*pairs+pair]
				} else if pairs > 1 {
					t.Fatal("single pairs are not kept")
				}
				if got := c.of(lastFigure(t, source)); !(math.Abs(got-float64(want)) <= 1e-6) {
					t.Errorf("row %d, column %d, pair %d: the grid has %g, the run that opens by\n%s\nsays %g", row, column, pair, want, source, got)
				}
			}
		})
	}
}

// probability is what a panel of a patch lens says of an answer at the last
// position, by the softmax of its last row's logits for the other answer.
func probability(t *testing.T, f *viz.Figure, name string, panel int) float64 {
	t.Helper()
	rows, cols := len(f.Tokens.Rows.Labels), len(f.Tokens.Columns.Labels)
	at := (panel*rows + rows - 1) * cols
	if name == "answer" {
		return float64(f.Arrays["answer"].Data[at+cols-1])
	}
	// The other answer is the corrupted run's own top token.
	token := f.Texts["top1"].Values[(f.Tokens.Patch.Into*rows+rows)*cols-1]
	k := f.Arrays["top_prob"].Shape[3]
	for i := range k {
		if f.Texts["top"].Values[(at+cols-1)*k+i] == token {
			return float64(f.Arrays["top_prob"].Data[(at+cols-1)*k+i])
		}
	}
	return float64(f.Arrays["try_other"].Data[0])
}

func TestPatch(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{`patch("blocks.3.hook_resid_post", at=1)`, `patch("blocks.3.hook_resid_post", at=1)`},
		{`patch("z2", heads=[0, 1], at=-1, run="zero")`, `patch("z2", at=-1, heads=[0, 1], run="zero")`},
		{`patch("pattern1", queries=4, keys=[1, 3], heads=0)`, `patch("pattern1", heads=0, queries=4, keys=[1, 3])`},
		{`patch("resid_pre0", at=1, into="resid_pre2", to=2, run=None)`, `patch("resid_pre0", at=1, into="resid_pre2", to=2)`},
		{`type(patch("z2"))`, `"patch"`},
		{`patch("z2", run="dirty")`, `error: patch: run is "dirty" | one of ["clean" "corrupted" "zero" "mean" "mean_by_pos"]`},
		{`patch("z2", at="1")`, `error: patch: at: string is no index | give an int, or a list of ints`},
		{`patch("z2", at=[1, "a"])`, `error: patch: at: "a" is no index | give an int, or a list of ints`},
		{`patch_lens(load("mental-2op"), "34+57=", "12+57=", patches=["z2"])`, `error: patch_lens: patches: want a list of patches, got []string [z2] | write patches=[patch("blocks.1.hook_resid_post", at=1)]`},
		{`patch_lens(load("mental-2op"), "34+57=", "12+57=", patches=[[patch("z2"), "z2"]])`, `error: patch_lens: patches: want patches, got list`},
		{`patch_lens(load("mental-2op"), "34+57=", "12+57=", patches=[patch("z2", at=7)])`, `error: patches: try 0: blocks.2.attn.hook_z: at: index 7 is outside 0..4 (or -5..-1 from the end)`},
	} {
		t.Run(c.source, func(t *testing.T) {
			got := eval(t, c.source)
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	f := lastFigure(t, fmt.Sprintf(`patch_lens(load("mental-2op"), "34+57=", "12+57=", patches=[patch("z2"), [%s, %[1]s]], show=0)`, `patch("resid_post1", at=1)`))
	if n := len(f.Texts["try"].Values); n != 2 || f.Tokens.Patch.Results[0].Try != 0 {
		t.Errorf("%d tries, %+v", n, f.Tokens.Patch.Results)
	}
}
