package analysis_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/server/analysis"
	"orrery/viz"
)

// boundPairs are a few pairs of one operand changed.
func boundPairs(t *testing.T, m *models.Model, n int) *analysis.BoundPrompts {
	t.Helper()
	p := analysis.Prompts{
		Template: ablate.Template{Text: "{a}+{b}=", Operands: []ablate.Range{{Name: "a", Lo: 0, Hi: 40}, {Name: "b", Lo: 0, Hi: 40}}, Hi: analysis.MaxAnswer},
		Options:  ablate.SetOptions{N: n, Seed: 3, Keep: ablate.KeepCorrect},
		Pairs:    &analysis.Pairing{Change: ablate.ChangeOperand, Operand: 0, Seed: 3},
	}
	b, err := p.Bind(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// streamed runs an analysis and checks what a page relies on: parts fill the first
// figure, every number is one, progress ends, and the figure says what it is of.
func streamed(t *testing.T, name string, args analysis.Args) *viz.Figure {
	t.Helper()
	fig, s := run(t, name, args)
	if err := fig.Validate(); err != nil {
		t.Fatal(err)
	}
	for array, a := range fig.Arrays {
		for i := range a.Data {
			v, state := a.At(i)
			got, gotState := s.shown.Arrays[array].At(i)
			if state == viz.Pending || gotState != state || state == viz.Done && (v != v || math.Float32bits(v) != math.Float32bits(got)) {
				t.Fatalf("%s[%d] is %g (%v), parts give %g (%v)", array, i, v, state, got, gotState)
			}
		}
	}
	if last := s.progress[len(s.progress)-1]; last[0] != last[1] {
		t.Errorf("progress ends at %v", last)
	}
	if fig.Provenance.Analysis != name || fig.Provenance.Seed == nil || len(fig.Provenance.PromptIDs) == 0 || !strings.Contains(fig.Subtitle, "n = ") || !strings.Contains(fig.Subtitle, "seed") || !strings.Contains(fig.Caption, "Prompts: ") {
		t.Errorf("subtitle %q, caption %q, provenance %+v", fig.Subtitle, fig.Caption, fig.Provenance)
	}
	for _, b := range fig.Badges {
		if !b.OK {
			t.Errorf("badge %q: %g", b.Text, b.Value)
		}
	}
	return fig
}

// edgeCells are the means of changes by an edge's name, as a figure's cells have
// them.
func edgeCells(f *viz.Figure) map[string]float64 {
	out := map[string]float64{}
	p := f.Heatmap.Panels[0]
	for i, from := range p.Rows.Labels {
		for k, to := range p.Columns.Labels {
			if v, state := f.Arrays[p.Values].At(i*len(p.Columns.Labels) + k); state == viz.Done {
				out[from+" → "+to] = float64(v)
			}
		}
	}
	return out
}

// TestEdgeCellsAreTheLibrarys: the numbers of the cells are those of package ablate,
// which the reference checks, edge by edge and by name.
func TestEdgeCellsAreTheLibrarys(t *testing.T) {
	m := mental(t)
	b := boundPairs(t, m, 5)
	contrasts := b.Contrasts.Contrasts
	metric, err := ablate.MetricByName("logit_diff")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method ablate.EdgeMethod
		opt    ablate.EdgeOptions
		args   analysis.Args
	}{
		{ablate.EdgeGradient, ablate.EdgeOptions{Metric: metric}, analysis.Args{}},
		{ablate.EdgeIntegrated, ablate.EdgeOptions{Metric: metric, Direction: ablate.Denoise}, analysis.Args{"method": "eap_ig_inputs", "direction": "denoise"}},
		{ablate.EdgeEnds, ablate.EdgeOptions{Metric: metric, Kind: ablate.Zero}, analysis.Args{"method": "clean_corrupted", "kind": "zero"}},
	} {
		s, err := ablate.AttributeEdges(context.Background(), m, contrasts, c.method, 5, c.opt)
		if err != nil {
			t.Fatal(err)
		}
		c.args["m"], c.args["prompts"] = m, b
		got := edgeCells(streamed(t, "edge_attribution", c.args))
		if len(got) != len(s.Graph.Edges) {
			t.Errorf("%s: %d edges in the figure, %d in the graph", c.method, len(got), len(s.Graph.Edges))
		}
		for i, e := range s.Graph.Edges {
			want := ablate.Summarise(s.Values[i]).Mean
			if v, ok := got[s.Graph.Name(e)]; !ok || !(math.Abs(v-want) <= 1e-6*(1+math.Abs(want))) {
				t.Errorf("%s: %s is %g, the library's score %g", c.method, s.Graph.Name(e), v, want)
			}
		}
	}
	opt := ablate.EdgeOptions{Metric: metric, FrozenNorm: true}
	e, err := ablate.PatchEdges(context.Background(), m, contrasts, nil, opt)
	if err != nil {
		t.Fatal(err)
	}
	fig := streamed(t, "edge_patching", analysis.Args{"m": m, "prompts": b, "frozen_norm": true})
	got := edgeCells(fig)
	for i, edge := range e.Edges {
		if want := e.Change(i).Mean; !(math.Abs(got[e.Graph.Name(edge)]-want) <= 1e-6*(1+math.Abs(want))) {
			t.Errorf("%s is %g, the library's effect %g", e.Graph.Name(edge), got[e.Graph.Name(edge)], want)
		}
	}
	if len(got) != len(e.Edges) || len(fig.Arrays["edge_each"].Data)%len(contrasts) != 0 {
		t.Errorf("%d of %d edges, %d numbers of pairs", len(got), len(e.Edges), len(fig.Arrays["edge_each"].Data))
	}
}

// TestChosenEdges: senders and receivers choose edges by name.
func TestChosenEdges(t *testing.T) {
	m := mental(t)
	fig := streamed(t, "edge_patching", analysis.Args{"m": m, "n": 2, "hi": 20, "senders": []string{"embed", "head 0.1"}, "receivers": []string{"q 1.0", "mlp 0", "logits"}, "direction": "denoise", "normalise": true, "kind": "mean_by_pos", "reference": 20})
	p := fig.Heatmap.Panels[0]
	if strings.Join(p.Rows.Labels, ", ") != "embed, head 0.1" || strings.Join(p.Columns.Labels, ", ") != "mlp 0, q 1.0, logits" {
		t.Errorf("rows %v, columns %v", p.Rows.Labels, p.Columns.Labels)
	}
	if !strings.Contains(fig.Subtitle, "the mean over 20 prompts at the same position read along the edge in the corrupted run") {
		t.Errorf("subtitle %q", fig.Subtitle)
	}
}

// TestEdgeViews runs the other views: with all edges the circuit is the model, to
// 1e-3 of a logit, and faithfulness ends at 1 where no edge is left out.
func TestEdgeViews(t *testing.T) {
	m := mental(t)
	b := boundPairs(t, m, 6)
	top := streamed(t, "edge_attribution", analysis.Args{"m": m, "prompts": b, "show": "top", "top": 5, "rank": "positive", "metric": "loss"})
	if len(top.Bars.Categories.Labels) != 5 || !strings.Contains(top.Caption, "correlate by r = ") {
		t.Errorf("bars %v, caption %q", top.Bars.Categories.Labels, top.Caption)
	}
	circuits := streamed(t, "edge_attribution", analysis.Args{"m": m, "prompts": b, "show": "circuits", "method": "eap_ig_inputs"})
	for _, name := range []string{"ranked", "random", "least", "most"} {
		a := circuits.Arrays[name]
		if v, _ := a.At(len(a.Data) - 1); !(math.Abs(float64(v)-1) <= 1e-4) {
			t.Errorf("%s ends at %g", name, v)
		}
		if v, _ := a.At(0); !(math.Abs(float64(v)) <= 1e-4) { // 0.1 % of 479 edges are none
			t.Errorf("%s begins at %g", name, v)
		}
	}
	if !strings.Contains(circuits.Caption, "CPR") || !strings.Contains(circuits.Subtitle, "ranked on 3 pairs") || !strings.Contains(circuits.Subtitle, "measured on 3 others") {
		t.Errorf("subtitle %q, caption %q", circuits.Subtitle, circuits.Caption)
	}
	one := streamed(t, "edge_attribution", analysis.Args{"m": m, "n": 1, "show": "top", "top": 3})
	if one.Bars.Series[0].Errors != "" {
		t.Error("one pair has a standard error")
	}
}

func TestEdgeRefusals(t *testing.T) {
	for _, c := range []struct {
		analysis string
		args     analysis.Args
		want     []string
	}{
		{"edge_attribution", analysis.Args{"steps": 0}, []string{"steps: 0 is"}},
		{"edge_attribution", analysis.Args{"show": "top", "top": 0}, []string{"top: 0", "1 or more"}},
		{"edge_attribution", analysis.Args{"show": "top", "top": 1000}, []string{"1000 edges are more than the 479"}},
		{"edge_attribution", analysis.Args{"show": "circuits", "direction": "denoise"}, []string{"single edges", `direction="noise"`}},
		{"edge_attribution", analysis.Args{"show": "circuits", "draws": 2}, []string{"draws: 2", "5 or more"}},
		{"edge_attribution", analysis.Args{"show": "circuits", "n": 1}, []string{"one pair", "n=2"}},
		{"edge_attribution", analysis.Args{"kind": "mean", "reference": 0}, []string{"reference: 0", "1 or more"}},
		{"edge_attribution", analysis.Args{"kind": "noise"}, []string{"noise", "resample"}},
		{"edge_attribution", analysis.Args{"change": "result"}, []string{"both are token", `"prob"`}},
		{"edge_patching", analysis.Args{"senders": []string{"head 0.9"}}, []string{`no "head 0.9"`, "4 layers with 4 heads", "one of head 0.0"}},
		{"edge_patching", analysis.Args{"receivers": []string{"logit"}}, []string{`no "logit"`, "logits"}},
		{"edge_patching", analysis.Args{"receivers": []string{"logits", "logits"}}, []string{"listed twice"}},
		{"edge_patching", analysis.Args{"senders": []string{"mlp 3"}, "receivers": []string{"q 0.0"}}, []string{"no edge leads", "behind its sender"}},
		{"edge_patching", analysis.Args{"metric": "accuracy", "change": "result", "normalise": true}, []string{"nothing to divide by", "normalise=False"}},
	} {
		_, said := try(t, c.analysis, with(t, c.analysis, c.args))
		for _, w := range c.want {
			if !strings.Contains(said, w) {
				t.Errorf("%s %v: %q does not say %q", c.analysis, c.args, said, w)
			}
		}
	}
}

// TestEdgeCellsOpen: what the call of a cell runs has the value that stands in the
// cell, the giver's way round, and a frozen norm opens nothing.
func TestEdgeCellsOpen(t *testing.T) {
	m := mental(t)
	pairs := boundPairs(t, m, 2)
	for _, test := range []struct {
		args analysis.Args
		run  string
	}{
		{analysis.Args{"direction": "noise"}, ""},
		{analysis.Args{"direction": "denoise"}, ""},
		{analysis.Args{"direction": "noise", "kind": "zero"}, `, run="zero"`},
	} {
		test.args["m"], test.args["prompts"], test.args["receivers"], test.args["metric"] = m, pairs, []string{"mlp 3"}, "prob"
		fig := streamed(t, "edge_patching", test.args)
		panel := fig.Heatmap.Panels[0]
		row := 0
		for i, label := range panel.Rows.Labels {
			if label == "head 2.0" {
				row = i
			}
		}
		source := panel.Open.Source("m", "p", 0, row, 0)
		if want := `patches=[patch("head 2.0 → mlp 3"` + test.run + `)])`; !strings.HasSuffix(source, want) {
			t.Fatalf("%v opens %s, want ... %s", test.args, source, want)
		}
		c := pairs.Contrasts.Contrasts[0]
		clean, corrupted := c.Corrupted, c.Clean // values of the first are put into the second
		if test.args["direction"] == "denoise" {
			clean, corrupted = corrupted, clean
		}
		lens := analysis.Args{"m": m, "clean": clean.Text, "corrupted": corrupted.Text, "patches": moved(ablate.Move{Site: "head 2.0 → mlp 3"}), "measure": "prob", "answer": answerText(m, c.Clean.Answer)}
		if test.run != "" {
			lens = analysis.Args{"m": m, "clean": corrupted.Text, "patches": moved(ablate.Move{Site: "head 2.0 → mlp 3", Run: ablate.FromZero}), "measure": "prob", "answer": answerText(m, c.Clean.Answer)}
		}
		if !strings.Contains(source, `clean="`+lens["clean"].(string)+`"`) {
			t.Errorf("%v opens %s, want the value of %q", test.args, source, lens["clean"])
		}
		opened, _ := run(t, "patch_lens", lens)
		after := float64(opened.Arrays["try_answer"].Data[0])
		each := fig.Arrays[panel.Each].Data[row*2]
		before := probability(t, m, corrupted.IDs, c.Clean.Answer)
		if !(math.Abs(after-before-float64(each)) <= 1e-5) {
			t.Errorf("%v: the cell's pair changes P(r) by %g, and the opened run has %g", test.args, each, after)
		}
	}
	fig := streamed(t, "edge_patching", analysis.Args{"m": m, "prompts": pairs, "receivers": []string{"mlp 3"}, "frozen_norm": true})
	if fig.Heatmap.Panels[0].Open != nil || !strings.Contains(fig.Subtitle, "cannot open") {
		t.Errorf("an edge through a frozen norm opens %+v; %q", fig.Heatmap.Panels[0].Open, fig.Subtitle)
	}
}

// answerText is a token's text as an argument.
func answerText(m *models.Model, id int) string {
	text, err := m.Tokenizer.Decode([]int{id}, false)
	if err != nil {
		return ""
	}
	return text
}

// probability is a token's behind a prompt.
func probability(t *testing.T, m *models.Model, ids []int, id int) float64 {
	t.Helper()
	out, err := m.Run(context.Background(), models.Prompt(ids...))
	if err != nil {
		t.Fatal(err)
	}
	return math.Exp(models.LogProbs(out.Logits.Sub(0, len(ids)-1).Data)[id])
}

// nodesOf are all components of a kind.
func nodesOf(t *testing.T, part ablate.Part) []ablate.Node {
	t.Helper()
	nodes, err := ablate.Nodes(mental(t), part)
	if err != nil {
		t.Fatal(err)
	}
	return nodes
}
