package viz_test

import (
	"fmt"
	"strings"

	"orrery/viz"
)

// A token grid as a logit lens makes it.
func ExampleTokens() {
	f := &viz.Figure{
		Kind: viz.KindTokens, Title: "Logit lens", Subtitle: "top token after each block · colour = probability",
		Tokens: &viz.Tokens{
			Rows:    viz.Axis{Name: "layer", Labels: []string{"embed", "0"}},
			Columns: viz.Axis{Name: "position", Labels: []string{"2", "+"}, Roles: []viz.TokenRole{viz.RoleOperandA, viz.RoleOperator}},
			Cell:    "cell", Metrics: []viz.TokenMetric{{Name: "prob", Label: "probability", Values: "prob", Scale: "prob"}}, Focus: 1,
		},
		Arrays: map[string]*viz.Array{"prob": viz.Values([]float32{0.5, 0.25, 0.75, 1}, []string{"layer", "pos"}, 2, 2)},
		Texts:  map[string]*viz.Text{"cell": {Shape: []int{2, 2}, Values: []string{"2", "+", "+", "3"}}},
		Scales: map[string]viz.Scale{"prob": {Kind: viz.ScaleSequential, Lo: 0, Hi: 1, Format: "%.2f"}},
	}
	fmt.Println(viz.Alt(f))
	// Output: Token grid: Logit lens, top token after each block · colour = probability. 2 rows (layer), embed to 0 over the 2 tokens 2 +. Colour is probability from 0 to 1. At +, from the bottom up: embed: + (0.25), 0: 3 (1.00).
}

// A heatmap that is still being computed: one number is not there yet.
func ExampleHeatmap() {
	effect := viz.NewArray([]string{"layer", "pos"}, 2, 1)
	effect.Set(0, []float32{-1.5})
	f := &viz.Figure{
		Kind: viz.KindHeatmap, Title: "Effect",
		Heatmap: &viz.Heatmap{Scale: "effect", Panels: []viz.Panel{{Title: "MLP",
			Rows: viz.Axis{Name: "layer", Labels: []string{"0", "1"}}, Columns: viz.Axis{Name: "position", Labels: []string{"="}}, Values: "effect"}}},
		Arrays: map[string]*viz.Array{"effect": effect},
		Scales: map[string]viz.Scale{"effect": {Kind: viz.ScaleDiverging, Lo: -2, Hi: 2, Label: "logit change", Format: "%.1f"}},
	}
	var b strings.Builder
	if err := viz.WriteCSV(&b, f); err != nil {
		fmt.Println(err)
	}
	fmt.Print(strings.ReplaceAll(b.String(), "\r\n", "\n"))
	// Output:
	// panel,layer_index,layer,position_index,position,value,state
	// MLP,0,0,0,=,-1.5,done
	// MLP,1,1,0,=,,pending
}

// Two lines over checkpoints, one of them a control.
func ExampleLines() {
	axis := []string{"step"}
	f := &viz.Figure{
		Kind: viz.KindLines, Title: "Accuracy",
		Lines: &viz.Lines{X: "step", XScale: "step", YScale: "acc", Series: []viz.Series{{Name: "trained", Y: "acc"}, {Name: "shuffled", Y: "null", Control: true}}},
		Arrays: map[string]*viz.Array{
			"step": viz.Values([]float32{1, 10, 100}, axis, 3),
			"acc":  viz.Values([]float32{0.1, 0.6, 0.99}, axis, 3),
			"null": viz.Values([]float32{0.1, 0.09, 0.11}, axis, 3),
		},
		Scales: map[string]viz.Scale{
			"step": {Kind: viz.ScaleLog, Lo: 1, Hi: 100, Label: "step", Format: "%d"},
			"acc":  {Kind: viz.ScaleLinear, Lo: 0, Hi: 1, Label: "accuracy", Format: "%.2f"},
		},
	}
	fmt.Println(viz.Alt(f))
	// Output: Lines: Accuracy. accuracy from 0 to 1 over step from 1 to 100. trained: greatest 0.99 at 100, least 0.10 at 1. shuffled (control): greatest 0.11 at 100, least 0.09 at 10.
}

// A table of text and numbers.
func ExampleTable() {
	f := &viz.Figure{
		Kind: viz.KindTable, Title: "Tried so far",
		Table:  &viz.Table{Rows: 2, Columns: []viz.Column{{Name: "cell", Text: "cell"}, {Name: "restored", Unit: "%", Values: "restored", Format: "%.0f"}}},
		Arrays: map[string]*viz.Array{"restored": viz.Values([]float32{97, 0.5}, []string{"row"}, 2)},
		Texts:  map[string]*viz.Text{"cell": {Shape: []int{2}, Values: []string{"block 3", "block 8"}}},
	}
	var b strings.Builder
	if err := viz.WriteCSV(&b, f); err != nil {
		fmt.Println(err)
	}
	fmt.Print(strings.ReplaceAll(b.String(), "\r\n", "\n"))
	// Output:
	// cell,restored [%],state
	// block 3,97,done
	// block 8,0.5,done
}

// Four numbers on a circle, joined in order, coloured by parity.
func ExampleScatter() {
	f := &viz.Figure{
		Kind: viz.KindScatter, Title: "A circle",
		Scatter: &viz.Scatter{
			Views:   []viz.ScatterView{{Name: "plane", Label: "plane", X: viz.Coordinate{Values: "cos", Scale: "unit"}, Y: viz.Coordinate{Values: "sin", Scale: "unit"}}},
			Colours: []viz.ScatterColour{{Name: "parity", Label: "parity", Values: "parity", Scale: "parity"}},
			Paths:   []viz.Path{{Name: "in order", Order: "order"}},
		},
		Arrays: map[string]*viz.Array{
			"cos":    viz.Values([]float32{1, 0, -1, 0}, []string{"number"}, 4),
			"sin":    viz.Values([]float32{0, 1, 0, -1}, []string{"number"}, 4),
			"parity": viz.Values([]float32{0, 1, 0, 1}, []string{"number"}, 4),
			"order":  viz.Values([]float32{0, 1, 2, 3}, []string{"place"}, 4),
		},
		Scales: map[string]viz.Scale{
			"unit":   {Kind: viz.ScaleLinear, Lo: -1.2, Hi: 1.2, Label: "component", Format: "%.1f"},
			"parity": {Kind: viz.ScaleCategory, Lo: 0, Hi: 1, Label: "parity", Format: "%d"},
		},
	}
	fmt.Println(viz.Alt(f))
	// Output: Scatter: A circle. 4 points in a plane. component: greatest 1.0 at point 0, least −1.0 at point 2. component: greatest 1.0 at point 1, least −1.0 at point 3. Colour is parity from 0 to 1. A line, in order, joins 4 points.
}

// Bars under a slider: every frame is in the tables, the one that Show names
// in the picture.
func ExampleSlider() {
	f := &viz.Figure{
		Kind: viz.KindBars, Title: "Spectrum",
		Bars:   &viz.Bars{Categories: viz.Axis{Name: "k", Labels: []string{"1", "2"}}, Series: []viz.Series{{Name: "norm", Y: "norm"}}, YScale: "norm", Stems: true, Marks: []int{1}},
		Slider: &viz.Slider{Name: "step", Labels: []string{"0", "500"}, Values: "step", Show: 1, Arrays: []string{"norm"}},
		Arrays: map[string]*viz.Array{
			"step": viz.Values([]float32{0, 500}, []string{"step"}, 2),
			"norm": viz.Values([]float32{1, 1, 0.5, 3}, []string{"step", "k"}, 2, 2),
		},
		Scales: map[string]viz.Scale{"norm": {Kind: viz.ScaleLinear, Lo: 0, Hi: 4, Label: "norm", Format: "%.1f"}},
	}
	fmt.Println(viz.Alt(f))
	var b strings.Builder
	if err := viz.WriteCSV(&b, f); err != nil {
		fmt.Println(err)
	}
	fmt.Print(strings.ReplaceAll(b.String(), "\r\n", "\n"))
	// Output:
	// Stems: Spectrum. norm from 0 to 4 over 2 stems (k), 1 to 2. norm: greatest 3.0 at 2, least 0.5 at 1. Marked: 2 (3.0). Shown at step 500, 2 of 2.
	// step_index,step,step_value,series,control,k_index,k,marked,y,state
	// 0,0,0,norm,false,0,1,false,1,done
	// 0,0,0,norm,false,1,2,true,1,done
	// 1,500,500,norm,false,0,1,false,0.5,done
	// 1,500,500,norm,false,1,2,true,3,done
}
