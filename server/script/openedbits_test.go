package script_test

import (
	"math"
	"strings"
	"testing"

	"orrery/viz"
)

// TestOpenedRunsAreTheCellsToTheBit opens edges that carry a mean, of every way to say
// what it is over, and paths: the change of the answer's logit in the opened run has
// the bits of the pair's number in the cell.
func TestOpenedRunsAreTheCellsToTheBit(t *testing.T) {
	const model = `load("mental-2op")`
	for _, c := range []struct{ call, prompts string }{
		{`edge_patching(m, n=3, kind="mean", reference=12, receivers=["mlp 2", "q 1.0", "logits"])`, ""},
		{`edge_patching(m, n=3, kind="mean_by_pos", operators=["+"], seed=4, receivers=["v 2.1"])`, ""},
		{`edge_patching(m, n=2, kind="mean", reference=9, direction="denoise", receivers=["k 2.1", "mlp 3"])`, ""},
		{`edge_patching(m, prompts=P, kind="mean", reference=20, receivers=["mlp 3", "k 3.0"])`, `prompts("{a}+{b}=", a=range(20), b=range(30), n=3, seed=7)`},
		{`edge_patching(m, prompts=P, kind="mean_by_pos", reference=20, receivers=["mlp 3"])`, `prompts("{a}+{b}=", a=range(20), b=range(30), n=3, seed=7).pairs(change="b", seed=9)`},
		{`edge_patching(m, prompts=P, kind="mean_by_pos", receivers=["v 1.3", "logits"])`, `prompts_from([("12+34=", "40+34="), ("40+21=", "40+5="), ("17+8=", "17+2=")])`},
		{`path_patching(m, n=3)`, ""},
		{`path_patching(m, n=3, freeze="heads_and_mlps", positions="all")`, ""},
		{`path_patching(m, n=3, freeze="outputs")`, ""},
		{`path_patching(m, n=3, receivers=["q 2.1", "v 3.0", "mlp 3", "logits"])`, ""},
		{`path_patching(m, n=2, receivers=["k 1.2", "v 1.2", "head 2.0"], freeze="heads_and_mlps", positions="all")`, ""},
		{`path_patching(m, prompts=P, receivers=["head 3.0", "mlp 2"], freeze="outputs")`, `prompts_from([("12+34=", "40+34="), ("40+21=", "40+5=")])`},
	} {
		t.Run(c.call, func(t *testing.T) {
			call := strings.Replace(strings.Replace(c.call, "(m", `(`+model+`, metric="logit"`, 1), "prompts=P", "prompts="+c.prompts, 1)
			grid := lastFigure(t, call)
			opened := 0
			for _, panel := range grid.Heatmap.Panels {
				if panel.Open == nil || panel.Each == "" {
					t.Fatalf("panel %q opens %+v, pairs in %q", panel.Title, panel.Open, panel.Each)
				}
				pairs, columns := len(panel.Open.Pairs), len(panel.Columns.Labels)
				of := grid.Arrays[panel.Values]
				for i := range of.Data {
					if _, state := of.At(i); state != viz.Done || i%3 == 1 {
						continue
					}
					pair := i % pairs
					source := panel.Open.Source(model, c.prompts, pair, i/columns, i%columns)
					want := grid.Arrays[panel.Each].Data[i*pairs+pair]
					if got := logitChange(t, lastFigure(t, source), source); math.Float32bits(got) != math.Float32bits(want) {
						t.Errorf("cell %d, pair %d: the grid has %g, the run that opens by\n%s\nsays %g", i, pair, want, source, got)
					}
					opened++
				}
			}
			if opened < 4 {
				t.Errorf("%d cells were opened", opened)
			}
		})
	}
}

// logitChange is by how much the logit of an answer changes: of the one that the
// source names, else of the edited run's own.
func logitChange(t *testing.T, f *viz.Figure, source string) float32 {
	t.Helper()
	rows, cols := len(f.Tokens.Rows.Labels), len(f.Tokens.Columns.Labels)
	answer := viz.TokenText(f.Texts["top1"].Values[(f.Tokens.Patch.Into*rows+rows)*cols-1])
	if _, named, ok := strings.Cut(source, `answer="`); ok {
		answer, _, _ = strings.Cut(named, `"`)
	}
	columns := f.Tokens.Patch.Logits.Columns
	before, after := f.Arrays[columns[len(columns)-2].Values], f.Arrays[columns[len(columns)-1].Values]
	for i, token := range f.Texts["logit_token"].Values {
		if token == answer {
			return float32(float64(after.Data[i]) - float64(before.Data[i]))
		}
	}
	t.Fatalf("the table of logits lacks the answer %q", answer)
	return 0
}
