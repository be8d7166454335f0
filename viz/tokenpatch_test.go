package viz_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"orrery/viz"
)

// samplePatch is three runs abreast, of which the last has a value moved.
func samplePatch() *viz.Figure {
	const rows, cols = 3, 2
	axis := func(labels ...string) viz.Axis { return viz.Axis{Name: "position", Labels: labels, IDs: []int{1, 2}} }
	values, words := make([]float32, 3*rows*cols), make([]string, 3*rows*cols)
	for i := range values {
		values[i], words[i] = float32(i)/float32(len(values)), string(rune('a'+i%7))
	}
	f := &viz.Figure{
		Kind: viz.KindTokens, Title: "Patch lens",
		Tokens: &viz.Tokens{
			Rows: viz.Axis{Name: "layer", Labels: []string{"emb", "0", "1"}}, Columns: axis("34", "="), Cell: "cell", Focus: -1,
			Panels:  []viz.TokenPanel{{Title: "Clean run", Note: "34", Columns: axis("34", "=")}, {Title: "Corrupted run", Columns: axis("12", "=")}, {Title: "Patched run", Columns: axis("12", "=")}},
			Sites:   []string{"blocks.0.hook_resid_pre", "blocks.0.hook_resid_post", "blocks.1.hook_resid_post"},
			Metrics: []viz.TokenMetric{{Name: "prob", Label: "probability", Values: "prob", Scale: "prob"}},
			Patch: &viz.TokenPatch{From: 0, Into: 1, Call: "patch_lens({model}, patches=[{patches}])", Results: []viz.TokenResult{
				{Panel: 2, Moves: []viz.TokenMove{{Panel: 0, FromRow: 1, ToRow: 1}}, Cone: "cone", Changed: "changed"}}},
		},
		Arrays: map[string]*viz.Array{
			"prob":    viz.Values(values, []string{"run", "layer", "pos"}, 3, rows, cols),
			"cone":    viz.Values([]float32{0, 0, 1, 0, 1, 1}, []string{"layer", "pos"}, rows, cols),
			"changed": viz.Values([]float32{0, 0, 1, 0, 0, 1}, []string{"layer", "pos"}, rows, cols),
		},
		Texts:  map[string]*viz.Text{"cell": {Shape: []int{3, rows, cols}, Values: words}},
		Scales: map[string]viz.Scale{"prob": {Kind: viz.ScaleSequential, Hi: 1, Label: "probability", Format: "%.2f"}},
	}
	return f
}

func TestPatchedRunsAreDrawnAndWritten(t *testing.T) {
	f := samplePatch()
	for _, width := range []int{0, 390} {
		svg := string(export(t, f, "svg", viz.Options{Width: width}))
		for _, want := range []string{"Clean run", "Corrupted run", "Patched run"} {
			if !strings.Contains(svg, want) {
				t.Errorf("width %d: the picture has no %q", width, want)
			}
		}
		if n := strings.Count(svg, "stroke-dasharray"); n == 0 {
			t.Errorf("width %d: no cell is dashed", width)
		}
	}
	rows := strings.Split(strings.TrimSpace(string(export(t, f, "csv", viz.Options{}))), "\r\n")
	if len(rows) != 1+3*3*2 || !strings.HasPrefix(rows[0], "panel,layer_index,layer,position_index,position,position_id,cell,prob") || !strings.HasPrefix(rows[7], "Corrupted run,0,emb,0,12,1,") {
		t.Errorf("%d lines: %q, %q", len(rows), rows[0], rows[7])
	}
	if alt := viz.Alt(f); !strings.Contains(alt, "Patched run, 12 =: at =, from the bottom up") {
		t.Errorf("alt text %q", alt)
	}
	if bytes.Equal(export(t, f, "svg", viz.Options{Theme: "dark"}), export(t, f, "svg", viz.Options{})) {
		t.Error("both themes look the same")
	}
}

func TestPatchedRunsAreChecked(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*viz.Figure)
		want  string
	}{
		{"a panel of another length", func(f *viz.Figure) { f.Tokens.Panels[1].Columns = viz.Axis{Labels: []string{"1"}} }, "has 1 columns, the figure 2"},
		{"an array of one panel", func(f *viz.Figure) { f.Arrays["prob"] = viz.NewArray([]string{"layer", "pos"}, 3, 2) }, "its axes need [3 3 2]"},
		{"too few sites", func(f *viz.Figure) { f.Tokens.Sites = f.Tokens.Sites[:1] }, "1 sites for 3 rows"},
		{"a panel that is none", func(f *viz.Figure) { f.Tokens.Patch.Into = 3 }, "into is panel 3 of 3"},
		{"a move outside", func(f *viz.Figure) { f.Tokens.Patch.Results[0].Moves[0].ToRow = 3 }, "outside 3 rows and 2 columns"},
		{"no cone", func(f *viz.Figure) { f.Tokens.Patch.Results[0].Cone = "con" }, `no array "con"`},
		{"tries without numbers", func(f *viz.Figure) {
			f.Tokens.Patch.Tries = &viz.Table{Rows: 1, Columns: []viz.Column{{Name: "P", Values: "p"}}}
		}, `no array "p"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := samplePatch()
			c.spoil(f)
			if err := f.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	f := samplePatch()
	if err := f.Validate(); err != nil {
		t.Error(err)
	}
}

func TestOpeningIsWritten(t *testing.T) {
	o := viz.Opening{Call: "patch_lens({model}, {pair}, prompts={prompts}, patches=[{row}])", Pairs: []string{`clean="{row}"`}, Rows: []string{`patch("z0"{column})`}, Columns: []string{"", ", heads=1"}}
	if got, want := o.Source("m", "ps", 0, 0, 1), `patch_lens(m, clean="{row}", prompts=ps, patches=[patch("z0", heads=1)])`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	f := &viz.Figure{
		Kind: viz.KindHeatmap, Title: "Heads", Arrays: map[string]*viz.Array{"v": viz.NewArray([]string{"layer", "head"}, 1, 2)},
		Scales:  map[string]viz.Scale{"s": {Kind: viz.ScaleDiverging, Lo: -1, Hi: 1, Format: "%.2f"}},
		Heatmap: &viz.Heatmap{Scale: "s", Panels: []viz.Panel{{Rows: viz.Axis{Labels: []string{"0"}}, Columns: viz.Axis{Labels: []string{"0", "1"}}, Values: "v", Open: &o}}},
	}
	if err := f.Validate(); err != nil {
		t.Error(err)
	}
	o.Columns = o.Columns[:1]
	if err := f.Validate(); err == nil || !strings.Contains(err.Error(), "the panel has 1 rows and 2 columns") {
		t.Errorf("got %v", err)
	}
}

func TestHeadsOfCells(t *testing.T) {
	h := viz.HeadCells{Names: []string{"clean run", "corrupted run"}, Rows: []viz.HeadPlace{{Layer: 3, Query: -1}}, Columns: []viz.HeadPlace{{}, {Head: 1}}}
	f := &viz.Figure{
		Kind: viz.KindHeatmap, Title: "Heads", Arrays: map[string]*viz.Array{"v": viz.NewArray([]string{"layer", "head"}, 1, 2)},
		Scales:     map[string]viz.Scale{"s": {Kind: viz.ScaleDiverging, Lo: -1, Hi: 1, Format: "%.2f"}},
		Heatmap:    &viz.Heatmap{Scale: "s", Panels: []viz.Panel{{Rows: viz.Axis{Labels: []string{"3"}}, Columns: viz.Axis{Labels: []string{"0", "1"}}, Values: "v", Heads: &h}}},
		Provenance: viz.Provenance{PromptIDs: [][]int{{1}, {2}, {3}, {4}}},
	}
	if err := f.Validate(); err != nil {
		t.Error(err)
	}
	if got, want := h.At(0, 1), (viz.HeadPlace{Layer: 3, Head: 1, Query: -1}); got != want || h.Prompts(f) != 2 {
		t.Errorf("the cell is of %+v, with %d pairs", got, h.Prompts(f))
	}
	for want, change := range map[string]func(){
		"for 1 rows and 1 columns": func() { h.Columns = h.Columns[:1] },
		"one or two":               func() { h.Names = nil },
		"there are 3":              func() { f.Provenance.PromptIDs = f.Provenance.PromptIDs[:3] },
		"head 3.-1":                func() { h.Columns = []viz.HeadPlace{{}, {Head: -1}} },
	} {
		oldHeads, oldIDs := h, f.Provenance.PromptIDs
		change()
		if err := f.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
		h, f.Provenance.PromptIDs = oldHeads, oldIDs
	}
}

// sampleLenses is samplePatch with a second reading of its cells.
func sampleLenses() *viz.Figure {
	f := samplePatch()
	t := f.Tokens
	t.Lenses = []viz.TokenLens{{Name: "resid", Label: "resid", Help: "the stream", Sites: t.Sites},
		{Name: "attn", Label: "attn", Help: "what attention adds", Suffix: "_attn", Sites: []string{"", "blocks.0.hook_attn_out", "blocks.1.hook_attn_out"}}}
	for _, name := range []string{"prob", "cone", "changed"} {
		a := f.Arrays[name]
		other := viz.Values(append([]float32(nil), a.Data...), a.Axes, a.Shape...)
		for i := range other.Data {
			if i%6 < 2 {
				other.State = append(other.State, viz.Blank)
			} else {
				other.State = append(other.State, viz.Done)
			}
			other.Data[i] = 1 - other.Data[i]
		}
		f.Arrays[name+"_attn"] = other
	}
	words := append([]string(nil), f.Texts["cell"].Values...)
	for i := range words {
		words[i] = "@" + words[i]
	}
	f.Texts["cell_attn"] = &viz.Text{Shape: f.Texts["cell"].Shape, Values: words}
	return f
}

func TestLenses(t *testing.T) {
	f := sampleLenses()
	if err := f.Validate(); err != nil {
		t.Fatal(err)
	}
	own, other := string(export(t, f, "svg", viz.Options{})), string(export(t, f, "svg", viz.Options{Colour: "attn"}))
	if strings.Contains(own, ">@a<") || !strings.Contains(other, "@") || !strings.Contains(other, "what attention adds") {
		t.Error("the lens is not drawn")
	}
	if n, none := strings.Count(own, "stroke-width:2.4"), strings.Count(other, "stroke-width:2.4"); n != 3 || none != 0 {
		t.Error("a move of the stream is drawn in the lens of attention")
	}
	rows := strings.Split(strings.TrimSpace(string(export(t, f, "csv", viz.Options{}))), "\r\n")
	if len(rows) != 1+2*3*3*2 || !strings.HasPrefix(rows[0], "lens,panel,") || !strings.HasPrefix(rows[1], "resid,Clean run,") || !strings.HasPrefix(rows[19], "attn,Clean run,0,emb,") {
		t.Errorf("%d lines: %q, %q, %q", len(rows), rows[0], rows[1], rows[min(19, len(rows)-1)])
	}
	for want, change := range map[string]func(*viz.Figure){
		"is empty or used twice":  func(f *viz.Figure) { f.Tokens.Lenses[1].Name = "resid" },
		"the first has none":      func(f *viz.Figure) { f.Tokens.Lenses[1].Suffix = "" },
		`lens "attn": no text`:    func(f *viz.Figure) { delete(f.Texts, "cell_attn") },
		"2 sites for 3 rows":      func(f *viz.Figure) { f.Tokens.Lenses[1].Sites = f.Tokens.Lenses[1].Sites[1:] },
		`is of no lens`:           func(f *viz.Figure) { f.Tokens.Patch.Results[0].Moves[0].Lens = "mlp" },
		`no array "changed_attn"`: func(f *viz.Figure) { delete(f.Arrays, "changed_attn") },
	} {
		f := sampleLenses()
		change(f)
		if err := f.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	if err := viz.Export(io.Discard, f, "svg", viz.Options{Colour: "mlp"}); err == nil || !strings.Contains(err.Error(), `unknown lens "mlp" (lenses are ["resid" "attn"])`) {
		t.Errorf("got %v", err)
	}
}
