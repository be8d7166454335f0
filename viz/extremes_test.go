package viz_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"orrery/viz"
)

// extremes are valid figures at the ends of what is allowed.
func extremes() map[string]*viz.Figure {
	out := map[string]*viz.Figure{}
	add := func(name string, f *viz.Figure, change func(f *viz.Figure)) {
		change(f)
		out[name] = f
	}
	limits := func(name string, kind viz.ScaleKind, lo, hi float64) func(f *viz.Figure) {
		return func(f *viz.Figure) {
			s := f.Scales[name]
			s.Kind, s.Lo, s.Hi = kind, lo, hi
			f.Scales[name] = s
		}
	}
	add("nothing computed", sampleTokens(), func(f *viz.Figure) {
		for name, a := range f.Arrays {
			f.Arrays[name] = viz.NewArray(a.Axes, a.Shape...)
		}
		f.Texts["cell"] = viz.NewText(7, 5)
		f.Caption, f.Badges = "", nil
	})
	add("one cell", sampleHeatmap(), func(f *viz.Figure) {
		f.Heatmap.Panels = f.Heatmap.Panels[:1]
		p := &f.Heatmap.Panels[0]
		p.Rows.Labels, p.Columns = []string{"0"}, viz.Axis{Labels: []string{"x"}}
		f.Arrays["mlp"] = viz.Values([]float32{1.5}, nil, 1, 1)
	})
	add("equal limits", sampleTokens(), limits("prob", viz.ScaleSequential, 0, 0))
	add("diverging of nothing", sampleHeatmap(), limits("effect", viz.ScaleDiverging, 0, 0))
	add("greatest limits", sampleHeatmap(), limits("effect", viz.ScaleDiverging, -math.MaxFloat32, math.MaxFloat32))
	add("least limits", sampleTokens(), limits("rank", viz.ScaleLog, math.SmallestNonzeroFloat32, 2*math.SmallestNonzeroFloat32))
	add("greatest axis", sampleLines(), limits("kept", viz.ScaleLinear, -math.MaxFloat32, math.MaxFloat32))
	add("least axis", sampleLines(), limits("kept", viz.ScaleLinear, 0, math.SmallestNonzeroFloat32))
	add("axis of equal limits", sampleLines(), limits("kept", viz.ScaleLinear, 100, 100))
	add("longest log axis", sampleLines(), limits("kept", viz.ScaleLog, math.SmallestNonzeroFloat32, math.MaxFloat32))
	add("log axis of equal limits", sampleLines(), limits("wait", viz.ScaleLog, 3, 3))
	add("reversed axis", sampleLines(), func(f *viz.Figure) {
		s := f.Scales["kept"]
		s.Reverse = true
		f.Scales["kept"] = s
	})
	add("one point", sampleLines(), func(f *viz.Figure) {
		for name := range f.Arrays {
			f.Arrays[name] = viz.Values([]float32{2}, nil, 1)
		}
		f.Lines.XLabels = nil
	})
	add("no finite point", sampleLines(), func(f *viz.Figure) {
		for _, a := range f.Arrays {
			for i := range a.Data {
				a.Data[i] = nan
			}
		}
	})
	add("no rows", sampleTable(), func(f *viz.Figure) {
		f.Table.Rows = 0
		for name := range f.Arrays {
			f.Arrays[name] = viz.NewArray(nil, 0)
		}
		f.Texts["cell"] = viz.NewText(0)
	})
	add("many rows", sampleTable(), func(f *viz.Figure) {
		f.Table.Rows = 5000
		for name := range f.Arrays {
			f.Arrays[name] = viz.Values(make([]float32, 5000), nil, 5000)
		}
		f.Texts["cell"] = viz.NewText(5000)
	})
	long := strings.Repeat("x", 4000)
	add("long words", sampleTokens(), func(f *viz.Figure) {
		f.Title, f.Subtitle, f.Caption = long, long, long+" "+long
		f.Tokens.Columns.Labels[1], f.Tokens.Rows.Labels[2], f.Tokens.Rows.Name = long, long, "layer"
		f.Texts["cell"].Values[3] = long
		f.Badges[0].Text, f.Provenance.Model = long, long
		f.Provenance.PromptIDs = [][]int{make([]int, 3000), {1}}
	})
	add("signs that XML has no room for", sampleLines(), func(f *viz.Figure) {
		bad := "a\x00\x1b\ufffe<&>\"'\u202e\xff]]>"
		f.Title, f.Subtitle, f.Caption = bad, bad, bad
		f.Lines.Series[0].Name, f.Lines.XLabels[2] = bad, bad
		f.Scales["kept"] = viz.Scale{Kind: viz.ScaleLinear, Lo: 0, Hi: 100, Label: bad, Unit: bad}
		f.Provenance.Model = bad
	})
	for name, f := range newExtremes(limits) {
		out[name] = f
	}
	return out
}

func TestExtremes(t *testing.T) {
	for name, f := range extremes() {
		t.Run(name, func(t *testing.T) {
			for _, format := range viz.Formats {
				raw := export(t, f, format.Name, viz.Options{Scale: 0.25})
				if format.Name != "svg" {
					continue
				}
				if bytes.Contains(raw, []byte("NaN,")) || bytes.Contains(raw, []byte("Inf,")) {
					t.Error("a path goes through NaN or infinity")
				}
				d := xml.NewDecoder(bytes.NewReader(raw))
				for {
					_, err := d.Token()
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}
