package viz_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"orrery/viz"
)

// FuzzFigureJSON reads any bytes as a figure; one that is valid can be written
// in every format, and nothing panics.
func FuzzFigureJSON(f *testing.F) {
	for _, s := range samples() {
		raw, err := json.Marshal(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	small := sampleSliderBars()
	raw, err := json.Marshal(small)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	small.Kind = viz.KindMultiples
	small.Multiples = &viz.Multiples{Columns: 2, Items: []viz.Item{{Title: "bars", Kind: viz.KindBars, Bars: small.Bars},
		{Title: "rule", Kind: viz.KindLines, Lines: &viz.Lines{X: "step", XScale: "norm", YScale: "norm", Rule: true, Series: []viz.Series{{Y: "step"}}}}}}
	small.Bars = nil
	if raw, err = json.Marshal(small); err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"kind":"table","title":"","subtitle":"","table":{"columns":[{"name":"a","values":"a"}],"rows":0},"arrays":{"a":{"shape":[0],"axes":[],"f32":""}},"provenance":{}}`))
	f.Add([]byte(`{"kind":"scatter","title":"","subtitle":"","scatter":{"views":[{"name":"v","label":"v","x":{"values":"a","scale":"s"},"y":{"values":"a","scale":"s"}}],"backdrop":"none"},"arrays":{"a":{"shape":[1],"axes":[],"f32":"AACAPw=="}},"scales":{"s":{"kind":"linear","lo":0,"hi":1,"label":"","format":""}},"provenance":{}}`))
	f.Add([]byte(`{"kind":"lines","title":"","lines":{"x":"x","x_scale":"s","y_scale":"s","series":[{"name":"","y":"x"}]},"arrays":{"x":{"shape":[1],"axes":[],"f32":"AADAfw=="}},"scales":{"s":{"kind":"log","lo":1e-45,"hi":3e38,"label":"","format":""}},"provenance":{}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var fig viz.Figure
		if len(raw) > 1<<14 || json.Unmarshal(raw, &fig) != nil || fig.Validate() != nil {
			return
		}
		for _, format := range viz.Formats {
			err := viz.Export(io.Discard, &fig, format.Name, viz.Options{Scale: 0.5})
			if err != nil && !strings.Contains(err.Error(), "too many dots") && !strings.HasPrefix(err.Error(), "npz: ") {
				t.Errorf("%s: %v", format.Name, err)
			}
		}
		if viz.Alt(&fig) == "" {
			t.Error("no alternative text")
		}
	})
}
