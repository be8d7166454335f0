package viz_test

import (
	"fmt"
	"math"
	"strings"

	"orrery/viz"
)

// newExtremes are those of points, bars, dials, panels and sliders.
func newExtremes(limits func(name string, kind viz.ScaleKind, lo, hi float64) func(f *viz.Figure)) map[string]*viz.Figure {
	out := map[string]*viz.Figure{}
	add := func(name string, f *viz.Figure, changes ...func(f *viz.Figure)) {
		for _, change := range changes {
			change(f)
		}
		out[name] = f
	}
	nothing := func(f *viz.Figure) {
		for name, a := range f.Arrays {
			if name != "order" && name != "step" {
				f.Arrays[name] = viz.NewArray(a.Axes, a.Shape...)
			}
		}
	}
	add("no point computed", sampleHelix(), nothing)
	add("no point of a plane computed", samplePlane(), nothing)
	add("no bar computed", sampleBars(), nothing)
	add("no dial computed", sampleDials(), nothing)
	add("no panel computed", sampleMultiples(), nothing)
	for i, turn := range [][2]float64{{0, 0}, {0, 90}, {0, -90}, {90, 0}, {360, 45}, {-360, -45}} {
		add(fmt.Sprint("seen along an axis ", i), sampleHelix(), func(f *viz.Figure) { f.Scatter.Turn = turn })
	}
	add("space of equal limits", sampleHelix(), limits("number", viz.ScaleLinear, 2, 2))
	add("greatest space", sampleHelix(), limits("number", viz.ScaleLinear, -math.MaxFloat32, math.MaxFloat32))
	add("logarithmic space", sampleHelix(), limits("number", viz.ScaleLog, 1e-3, 10))
	add("logarithmic plane", samplePlane(), limits("symmetricity", viz.ScaleLog, math.SmallestNonzeroFloat32, math.MaxFloat32))
	add("reversed space", sampleHelix(), func(f *viz.Figure) {
		s := f.Scales["number"]
		s.Reverse = true
		f.Scales["number"] = s
	})
	add("points without place", sampleHelix(), func(f *viz.Figure) {
		for _, name := range []string{"cos", "sin", "number"} {
			for i := range f.Arrays[name].Data {
				f.Arrays[name].Data[i] = nan
			}
		}
	})
	add("many points", sampleHelix(), func(f *viz.Figure) {
		const n = 4000
		for _, name := range []string{"cos", "sin", "number", "digit", "a"} {
			f.Arrays[name] = column("number", n, func(i int) float64 { return math.Trunc(3 * wobble(i)) })
		}
		f.Texts["name"] = numbers(n)
	})
	add("one point in space", sampleHelix(), func(f *viz.Figure) {
		for _, name := range []string{"cos", "sin", "number", "digit", "a", "order"} {
			f.Arrays[name] = viz.Values([]float32{0}, nil, 1)
		}
		f.Texts["name"] = numbers(1)
	})
	add("empty path", sampleHelix(), func(f *viz.Figure) { f.Arrays["order"] = viz.NewArray(nil, 0) })
	add("one category", sampleHelix(), limits("digit", viz.ScaleCategory, 3, 3))
	add("most categories", sampleHelix(), limits("digit", viz.ScaleCategory, -60, 67))
	add("many bars", sampleBars(), func(f *viz.Figure) {
		const n = 3000
		f.Bars.Categories.Labels = numbers(n).Values
		for _, name := range []string{"direct", "control", "se"} {
			f.Arrays[name] = column("component", n, wobble)
		}
		f.Bars.Marks = []int{0, 1, 2, 3, n - 1}
	})
	add("one stem", sampleSpectrum(), func(f *viz.Figure) {
		f.Bars.Categories.Labels, f.Bars.Marks = []string{"all"}, []int{0}
		f.Arrays["norm"] = viz.Values([]float32{3}, nil, 1)
	})
	add("logarithmic bars", sampleSpectrum(), limits("norm", viz.ScaleLog, 1e-6, 10))
	add("bars of equal limits", sampleSpectrum(), limits("norm", viz.ScaleLinear, 0, 0))
	add("bars below 0", sampleSpectrum(), limits("norm", viz.ScaleLinear, -9, -2))
	add("greatest bars", sampleBars(), limits("logit", viz.ScaleLinear, -math.MaxFloat32, math.MaxFloat32))
	add("odd periods", sampleDials(), func(f *viz.Figure) {
		for i, period := range []float64{math.SmallestNonzeroFloat32, math.MaxFloat32, 1, 1000} {
			f.Dials.Items[i].Period = period
		}
		for i := range f.Arrays["T5_cos"].Data {
			f.Arrays["T5_cos"].Data[i], f.Arrays["T5_sin"].Data[i] = 0, 0
			f.Arrays["T2_cos"].Data[i] = math.MaxFloat32
			f.Arrays["T2_sin"].Data[i] = -math.MaxFloat32
		}
		f.Arrays["T5_34_cos"].Data[0], f.Arrays["T5_34_sin"].Data[0] = 0, 0
	})
	add("many dials", sampleDials(), func(f *viz.Figure) {
		for range 4 {
			f.Dials.Items = append(f.Dials.Items, f.Dials.Items[:1]...)
		}
	})
	add("twelve abreast", sampleMultiples(), func(f *viz.Figure) {
		for len(f.Multiples.Items) < 13 {
			f.Multiples.Items = append(f.Multiples.Items, f.Multiples.Items[1])
		}
		f.Multiples.Columns = 12
	})
	add("one frame", sampleSliderBars(), func(f *viz.Figure) {
		f.Slider.Labels = f.Slider.Labels[:1]
		f.Arrays["step"] = viz.Values([]float32{5}, nil, 1)
		f.Arrays["norm"] = viz.NewArray(nil, 1, 3)
		f.Slider.Bands = []viz.Band{{Label: "all of it", From: -9, To: 9}, {Label: "none", From: 90, To: 90}}
	})
	add("many frames", sampleSliderBars(), func(f *viz.Figure) {
		const n = 2000
		f.Slider.Labels, f.Slider.Show = numbers(n).Values, n/3
		f.Arrays["step"] = column("step", n, func(i int) float64 { return float64(i * i) })
		f.Arrays["norm"] = viz.NewArray(nil, n, 3)
	})
	add("empty frames", sampleSliderBars(), func(f *viz.Figure) {
		f.Arrays["none"] = viz.NewArray(nil, 4, 0)
		f.Slider.Arrays = append(f.Slider.Arrays, "none")
	})
	long := strings.Repeat("x", 3000)
	add("long words in panels", sampleMultiples(), func(f *viz.Figure) {
		f.Slider.Name, f.Slider.Labels[7], f.Slider.Bands[0].Label = long, long, long
		f.Multiples.Items[0].Title, f.Multiples.Items[0].Subtitle = long, long
		f.Multiples.Items[1].Bars.Categories.Labels[2] = long
		f.Multiples.Items[2].Dials.Items[0].Note = long
		f.Texts["number"].Values[3] = long
	})
	add("signs that XML has no room for in points", sampleHelix(), func(f *viz.Figure) {
		bad := "a\x00\x1b\ufffe<&>\"'\u202e\xff]]>"
		f.Texts["name"].Values[10], f.Scatter.Paths[0].Name = bad, bad
		f.Scales["cos"] = viz.Scale{Kind: viz.ScaleLinear, Lo: -2, Hi: 2, Label: bad, Unit: bad}
		f.Scatter.Colours[0].Label = bad
	})
	return out
}
