package viz_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"orrery/viz"
)

// TestParts streams a figure row by row, through JSON, and gets the whole.
func TestParts(t *testing.T) {
	want := sampleTokens()
	f := sampleTokens()
	for name, a := range f.Arrays {
		f.Arrays[name] = viz.NewArray(a.Axes, a.Shape...)
	}
	for name, text := range f.Texts {
		f.Texts[name] = viz.NewText(text.Shape...)
	}
	s := f.Scales["kl"]
	s.Hi = 0.5
	f.Scales["kl"] = s
	if err := f.Validate(); err != nil {
		t.Fatal(err)
	}
	for row := range 7 {
		var p viz.Part
		for name, a := range want.Arrays {
			n := len(a.Data) / 7
			p.Arrays = append(p.Arrays, viz.ArrayRun{Name: name, Offset: row * n, F32: viz.EncodeFloats(a.Data[row*n : (row+1)*n])})
		}
		for name, text := range want.Texts {
			n := len(text.Values) / 7
			p.Texts = append(p.Texts, viz.TextRun{Name: name, Offset: row * n, Values: text.Values[row*n : (row+1)*n]})
		}
		if row == 6 {
			p.Scales = map[string]viz.Scale{"kl": want.Scales["kl"]}
		}
		raw, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var back viz.Part
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		if row == 3 && bytes.Equal(export(t, f, "json", viz.Options{}), export(t, want, "json", viz.Options{})) {
			t.Error("half of the parts give the whole figure")
		}
		if err := f.Apply(back); err != nil {
			t.Fatal(err)
		}
	}
	for _, format := range []string{"json", "csv", "svg"} {
		if !bytes.Equal(export(t, f, format, viz.Options{}), export(t, want, format, viz.Options{})) {
			t.Errorf("all parts and the whole differ as %s", format)
		}
	}
}

func TestApplyRefuses(t *testing.T) {
	good := viz.ArrayRun{Name: "p", Offset: 0, F32: viz.EncodeFloats([]float32{9})}
	for _, c := range []struct {
		name string
		part viz.Part
		want string
	}{
		{"unknown array", viz.Part{Arrays: []viz.ArrayRun{good, {Name: "q"}}}, `no array "q"`},
		{"beyond the end", viz.Part{Arrays: []viz.ArrayRun{good, {Name: "p", Offset: 4, F32: good.F32}}}, `1 numbers at 4 do not fit [4]`},
		{"before the start", viz.Part{Arrays: []viz.ArrayRun{good, {Name: "p", Offset: -1, F32: good.F32}}}, `do not fit`},
		{"broken numbers", viz.Part{Arrays: []viz.ArrayRun{good, {Name: "p", F32: "AAA="}}}, `no float32 list`},
		{"unknown text", viz.Part{Arrays: []viz.ArrayRun{good}, Texts: []viz.TextRun{{Name: "q"}}}, `no text "q"`},
		{"text beyond the end", viz.Part{Arrays: []viz.ArrayRun{good}, Texts: []viz.TextRun{{Name: "cell", Offset: 3, Values: []string{"a", "b"}}}}, `2 strings at 3 do not fit [4]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := sampleTable()
			err := f.Apply(c.part)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if !bytes.Equal(export(t, f, "json", viz.Options{}), export(t, sampleTable(), "json", viz.Options{})) {
				t.Error("a part that was refused changed the figure")
			}
		})
	}
}
