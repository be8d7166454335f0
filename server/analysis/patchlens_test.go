package analysis_test

import (
	"context"
	"math"
	"reflect"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/tensor"
	"orrery/server/analysis"
	"orrery/viz"
)

func moved(moves ...ablate.Move) [][]ablate.Move {
	out := make([][]ablate.Move, len(moves))
	for i, v := range moves {
		out[i] = []ablate.Move{v}
	}
	return out
}

// TestPatchLensIsTheFullRun compares the patched panel with a full run under a
// hook written by hand, to the bit, and all outside of the cone with the
// corrupted panel.
func TestPatchLensIsTheFullRun(t *testing.T) {
	m := mental(t)
	fig, s := run(t, "patch_lens", analysis.Args{"m": m, "clean": "34+57=", "corrupted": "12+57=", "patches": moved(ablate.Move{Site: "blocks.1.hook_resid_post", At: []int{1}})})
	if err := fig.Validate(); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(throughJSON(t, fig), s.figures[len(s.figures)-1]) {
		t.Error("the last figure shown is not the one returned")
	}
	for _, b := range fig.Badges {
		if !b.OK || strings.Contains(b.Text, "bit") && b.Value != 0 {
			t.Errorf("badge %+v", b)
		}
	}
	encode := func(text string) models.Batch {
		ids, err := m.Encode(text)
		if err != nil {
			t.Fatal(err)
		}
		return models.Prompt(ids...)
	}
	clean := models.NewCache()
	site := models.Site{Layer: 1, Kind: models.ResidPost}
	if _, err := m.Run(context.Background(), encode("34+57="), models.Record(clean, models.Sites(site))); err != nil {
		t.Fatal(err)
	}
	x, _ := clean.Get(site)
	hook := models.Hook{Sites: models.Sites(site), Fn: func(_ models.Site, y *tensor.Dense) error {
		copy(y.Sub(0, 1).Data, x.Sub(0, 1).Data)
		return nil
	}}
	cache := models.NewCache()
	out, err := m.Run(context.Background(), encode("12+57="), hook, models.Record(cache, models.All))
	if err != nil {
		t.Fatal(err)
	}
	rows, cols := m.Config.Layers+1, 5
	for n := range 3 * rows {
		r, suffix := n%rows, []string{"", "_attn", "_mlp"}[n/rows]
		prob := fig.Arrays["prob"+suffix]
		row := models.Site{Layer: max(r-1, 0), Kind: []models.Kind{models.ResidPost, models.AttnOut, models.MLPOut}[n/rows]}
		if r == 0 && suffix != "" {
			if _, state := prob.At(2 * rows * cols); state != viz.Blank {
				t.Errorf("the embedding's row of %s is %v", suffix, state)
			}
			continue
		}
		if r == 0 {
			row.Kind = models.ResidPre
		}
		stream, _ := cache.Get(row)
		logits, err := m.Unembed(stream.Sub(0))
		if err != nil {
			t.Fatal(err)
		}
		for c := range cols {
			z := logits.Sub(c).Data
			best := 0
			for id := range z {
				if z[id] > z[best] {
					best = id
				}
			}
			at := (2*rows+r)*cols + c
			if got, want := prob.Data[at], float32(math.Exp(models.LogProbs(z)[best])); got != want {
				t.Errorf("row %d, position %d: probability %g, a full run has %g", r, c, got, want)
			}
			if got, want := fig.Texts["top1"+suffix].Values[at], m.Tokenizer.Label(best); got != want {
				t.Errorf("row %d, position %d: top token %q, a full run has %q", r, c, got, want)
			}
		}
	}
	table := fig.Tokens.Patch.Logits
	for i, label := range fig.Texts["logit_token"].Values {
		id, err := analysis.TokenID(m, label)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := fig.Arrays[table.Columns[3].Values].Data[i], out.Logits.Sub(0, 4).Data[id]; got != want {
			t.Errorf("logit of %s is %g, a full run has %g", label, got, want)
		}
	}
	checkOutside(t, fig, rows, cols)
	if res := fig.Tokens.Patch.Results[0]; len(res.Moves) != 1 || res.Moves[0] != (viz.TokenMove{Panel: 0, FromRow: 2, FromColumn: 1, ToRow: 2, ToColumn: 1}) {
		t.Errorf("moves %+v", fig.Tokens.Patch.Results[0].Moves)
	}
	if !strings.HasPrefix(fig.Caption, "The clean value of 34 after block 1 ") || !strings.Contains(fig.Caption, "of the logit difference between the two runs is restored") {
		t.Errorf("caption %q", fig.Caption)
	}
}

// checkOutside compares the last panel outside of its cone with the corrupted one.
func checkOutside(t *testing.T, fig *viz.Figure, rows, cols int) {
	t.Helper()
	for _, l := range fig.Tokens.Lenses {
		checkOutsideOf(t, fig, l, rows, cols)
	}
}

// checkOutsideOf does so under one lens.
func checkOutsideOf(t *testing.T, fig *viz.Figure, l viz.TokenLens, rows, cols int) {
	t.Helper()
	res := fig.Tokens.Patch.Results[0]
	outside := 0
	first := 0
	if l.Suffix != "" {
		first = cols
	}
	for i := first; i < rows*cols; i++ {
		a, b := i+rows*cols*fig.Tokens.Patch.Into, i+rows*cols*res.Panel
		if fig.Arrays[res.Cone+l.Suffix].Data[i] != 0 {
			continue
		}
		outside++
		for _, metric := range fig.Tokens.Metrics {
			v := fig.Arrays[metric.Values+l.Suffix].Data
			if math.Float32bits(v[a]) != math.Float32bits(v[b]) {
				t.Errorf("%s at cell %d outside of the cone is %g, in the corrupted run %g", metric.Name, i, v[b], v[a])
			}
		}
		if x, y := fig.Texts["top1"+l.Suffix].Values[a], fig.Texts["top1"+l.Suffix].Values[b]; x != y {
			t.Errorf("cell %d outside of the cone says %q, in the corrupted run %q", i, y, x)
		}
		if fig.Arrays[res.Changed+l.Suffix].Data[i] != 0 {
			t.Errorf("cell %d outside of the cone is marked as changed", i)
		}
	}
	if outside == 0 || outside == rows*cols {
		t.Errorf("%d of %d cells are outside of the cone", outside, rows*cols)
	}
}

// TestPatchLensRestores moves all that differs: everything is restored. Moved in
// a last row that nothing reads, nothing is.
func TestPatchLensRestores(t *testing.T) {
	tries := moved(ablate.Move{Site: "blocks.0.hook_resid_pre"}, ablate.Move{Site: "blocks.3.hook_resid_post", At: []int{1}}, ablate.Move{Site: "blocks.-1.hook_resid_post", At: []int{-1}},
		ablate.Move{Site: "blocks.0.hook_resid_post", Run: ablate.FromCorrupted})
	fig, _ := run(t, "patch_lens", analysis.Args{"m": mental(t), "clean": "34+57=", "corrupted": "12+57=", "patches": tries, "show": []int{0, -3}})
	restored := fig.Arrays["try_restored"].Data
	for i, want := range []float32{100, 0, 100, 0} {
		if restored[i] != want {
			t.Errorf("try %d restores %g %%, want %g", i, restored[i], want)
		}
	}
	if r := fig.Tokens.Patch.Results; len(r) != 2 || r[0].Try != 0 || r[1].Try != 1 || r[1].Panel != 3 || len(r[0].Moves) != 5 {
		t.Errorf("results %+v", r)
	}
	if fig.Texts["try"].Values[1] != "block 3 · 34" || len(fig.Tokens.Panels) != 4 {
		t.Errorf("tries %q, %d panels", fig.Texts["try"].Values, len(fig.Tokens.Panels))
	}
	if got := fig.Tokens.Patch.Call; got != `patch_lens({model}, clean="34+57=", corrupted="12+57=", patches=[{patches}])` {
		t.Errorf("call %q", got)
	}
}

// TestPatchLensOfOneRun knocks out, with no second prompt.
func TestPatchLensOfOneRun(t *testing.T) {
	m := mental(t)
	tries := moved(ablate.Move{Site: "blocks.3.hook_mlp_out", Run: ablate.FromZero}, ablate.Move{Site: "blocks.0.attn.hook_z", Heads: []int{1}, Run: ablate.FromMeanByPos})
	fig, _ := run(t, "patch_lens", analysis.Args{"m": m, "clean": "34+57=", "patches": tries, "show": []int{0}, "reference": 20})
	rows, cols := m.Config.Layers+1, 5
	if len(fig.Tokens.Panels) != 2 || fig.Tokens.Patch.Into != 0 || fig.Arrays["try_restored"] != nil {
		t.Errorf("%d panels, into %d", len(fig.Tokens.Panels), fig.Tokens.Patch.Into)
	}
	checkOutside(t, fig, rows, cols)
	if !strings.HasPrefix(fig.Caption, "Putting zeros in place of the MLP output of block 3 at all positions ") {
		t.Errorf("caption %q", fig.Caption)
	}
	none, _ := run(t, "patch_lens", analysis.Args{"m": m, "clean": "34+57=", "corrupted": "12+57="})
	if len(none.Tokens.Panels) != 2 || len(none.Tokens.Patch.Results) != 0 || !strings.Contains(none.Caption, "nothing is moved yet") {
		t.Errorf("without patches: %d panels, caption %q", len(none.Tokens.Panels), none.Caption)
	}
}

func TestPatchLensRefuses(t *testing.T) {
	m := mental(t)
	at := func(v ablate.Move) [][]ablate.Move { return moved(v) }
	for _, c := range []struct {
		name string
		args analysis.Args
		want string
	}{
		{"unequal lengths", analysis.Args{"clean": "34+57=", "corrupted": "12+57"}, "clean has 5 tokens, corrupted has 4"},
		{"the same prompt", analysis.Args{"clean": "34+57=", "corrupted": "34+57="}, `clean and corrupted are the same prompt, "34+57="`},
		{"no such head", analysis.Args{"clean": "34+57=", "corrupted": "12+57=", "patches": at(ablate.Move{Site: "z2", Heads: []int{4}})}, "heads: index 4 is outside 0..3"},
		{"no such position", analysis.Args{"clean": "34+57=", "corrupted": "12+57=", "patches": at(ablate.Move{Site: "resid_post1", At: []int{5}})}, "at: index 5 is outside 0..4 (or -5..-1 from the end)"},
		{"no such layer", analysis.Args{"clean": "34+57=", "corrupted": "12+57=", "patches": at(ablate.Move{Site: "blocks.4.hook_resid_post"})}, "4"},
		{"no such site", analysis.Args{"clean": "34+57=", "corrupted": "12+57=", "patches": at(ablate.Move{Site: "blocks.1.hook_resid_pst"})}, "hook_resid_pst"},
		{"no such try", analysis.Args{"clean": "34+57=", "corrupted": "12+57=", "patches": at(ablate.Move{Site: "z2"}), "show": []int{1}}, "show: 1 is outside 0..0"},
		{"three tries at once", analysis.Args{"clean": "34+57=", "corrupted": "12+57=", "patches": at(ablate.Move{Site: "z2"}), "show": []int{0, 0, 0}}, "show: 3 are given"},
		{"a clean value for one run", analysis.Args{"clean": "34+57=", "patches": at(ablate.Move{Site: "z2"})}, "try 0 takes a clean value, and there is no corrupted run"},
		{"an unknown answer", analysis.Args{"clean": "34+57=", "corrupted": "12+57=", "answer": "34 57"}, "answer: "},
		{"no patches", analysis.Args{"clean": "34+57=", "corrupted": "12+57=", "patches": "z2"}, "patches: want a list of patches"},
		{"an empty clean prompt", analysis.Args{"clean": "", "corrupted": "12+57="}, "clean: the prompt is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.args["m"] = m
			a, err := analysis.Find("patch_lens")
			if err != nil {
				t.Fatal(err)
			}
			bound, err := a.Bind(c.args)
			if err == nil {
				_, err = a.Run(context.Background(), bound, analysis.Emit{Progress: func(int, int, string) {}, Figure: func(*viz.Figure) {}, Part: func(viz.Part) {}})
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
