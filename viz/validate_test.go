package viz_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"orrery/viz"
)

func TestValidate(t *testing.T) {
	for name, f := range samples() {
		if err := f.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	set := func(f *viz.Figure, name string, fn func(s *viz.Scale)) {
		s := f.Scales[name]
		fn(&s)
		f.Scales[name] = s
	}
	for _, c := range []struct {
		name   string
		figure *viz.Figure
		spoil  func(f *viz.Figure)
		want   string
	}{
		{"unknown kind", sampleTable(), func(f *viz.Figure) { f.Kind = "pie" }, `unknown kind "pie" (kinds are [tokens heatmap lines table scatter bars dials multiples])`},
		{"kind without its struct", sampleTable(), func(f *viz.Figure) { f.Kind = viz.KindLines }, `kind is "lines", but field "lines" is set: false`},
		{"two structs", sampleTable(), func(f *viz.Figure) { f.Lines = &viz.Lines{} }, `field "lines" is set: true`},
		{"unknown kin", sampleLines(), func(f *viz.Figure) { f.Lines.Series[1].Kin = "far" }, `series 1 "positional": kin is "far", want "near", "crude" or none`},
		{"null array", sampleTable(), func(f *viz.Figure) { f.Arrays["p"] = nil }, `array "p": null`},
		{"array that does not fill its shape", sampleTable(), func(f *viz.Figure) { f.Arrays["p"].Data = nil }, `array "p": shape [4] does not hold 0 numbers`},
		{"states too few", sampleTable(), func(f *viz.Figure) { f.Arrays["p"].State = make([]viz.State, 3) }, `3 states for 4 numbers`},
		{"unknown state", sampleTable(), func(f *viz.Figure) { f.Arrays["p"].State = []viz.State{1, 1, 1, 7} }, `unknown state 7 at 3`},
		{"axes do not name shape", sampleTable(), func(f *viz.Figure) { f.Arrays["p"].Axes = []string{"a", "b"} }, `axes [a b] do not name shape [4]`},
		{"null text", sampleTable(), func(f *viz.Figure) { f.Texts["cell"] = nil }, `text "cell": null`},
		{"text that does not fill its shape", sampleTable(), func(f *viz.Figure) { f.Texts["cell"].Shape = []int{-4} }, `shape [-4] does not hold 4 strings`},
		{"badge that is no number", sampleTokens(), func(f *viz.Figure) { f.Badges[0].Value = math.NaN() }, `badge "last layer = logits": value NaN`},
		{"tolerance below 0", sampleTable(), func(f *viz.Figure) { f.Provenance.Tolerance = -1 }, `tolerance -1`},
		{"tolerance that is no number", sampleTable(), func(f *viz.Figure) { f.Provenance.Tolerance = math.NaN() }, `tolerance NaN`},
		{"unknown scale kind", sampleHeatmap(), func(f *viz.Figure) { set(f, "effect", func(s *viz.Scale) { s.Kind = "cubic" }) }, `unknown kind "cubic"`},
		{"limits turned round", sampleTokens(), func(f *viz.Figure) { set(f, "kl", func(s *viz.Scale) { s.Lo = 9 }) }, `scale "kl": limits 9 to 3 are in the wrong order`},
		{"limit that is no number", sampleTokens(), func(f *viz.Figure) { set(f, "kl", func(s *viz.Scale) { s.Hi = math.Inf(1) }) }, `must be finite`},
		{"diverging not centred", sampleHeatmap(), func(f *viz.Figure) { set(f, "effect", func(s *viz.Scale) { s.Lo = -2 }) }, `diverging limits -2 to 2.4 are not centred at 0`},
		{"log from 0", sampleTokens(), func(f *viz.Figure) { set(f, "rank", func(s *viz.Scale) { s.Lo = 0 }) }, `log scale needs a lower limit above 0, not 0`},
		{"number format", sampleHeatmap(), func(f *viz.Figure) { set(f, "effect", func(s *viz.Scale) { s.Format = "%x" }) }, `number format "%x"`},
		{"axis scale for cells", sampleHeatmap(), func(f *viz.Figure) { set(f, "effect", func(s *viz.Scale) { s.Kind = viz.ScaleLinear }) }, `linear, which has no colours`},
		{"colour scale for an axis", sampleLines(), func(f *viz.Figure) { set(f, "wait", func(s *viz.Scale) { s.Kind = viz.ScaleSequential }) }, `an axis needs linear or log`},
		{"cells of another shape", sampleTokens(), func(f *viz.Figure) { f.Texts["cell"].Shape = []int{5, 7} }, `text "cell" has shape [5 7], its axes need [7 5]`},
		{"roles for some tokens", sampleTokens(), func(f *viz.Figure) { f.Tokens.Columns.Roles = f.Tokens.Columns.Roles[:2] }, `2 roles for 5 labels`},
		{"ids for some tokens", sampleTokens(), func(f *viz.Figure) { f.Tokens.Columns.IDs = []int{1} }, `1 ids for 5 labels`},
		{"no layers", sampleTokens(), func(f *viz.Figure) { f.Tokens.Rows.Labels = nil }, `rows "layer" has no labels`},
		{"no metric", sampleTokens(), func(f *viz.Figure) { f.Tokens.Metrics = nil }, `needs a metric`},
		{"metric twice", sampleTokens(), func(f *viz.Figure) { f.Tokens.Metrics[1].Name = "prob" }, `"prob" is empty or used twice`},
		{"metric without numbers", sampleTokens(), func(f *viz.Figure) { f.Tokens.Metrics[1].Values = "logits" }, `metric "logit": no array "logits" (arrays are ["diff"`},
		{"metric without scale", sampleTokens(), func(f *viz.Figure) { f.Tokens.Metrics[1].Scale = "x" }, `no scale "x" (scales are ["diff"`},
		{"show what is not there", sampleTokens(), func(f *viz.Figure) { f.Tokens.Show = "loss" }, `show "loss" is not a metric`},
		{"focus outside", sampleTokens(), func(f *viz.Figure) { f.Tokens.Focus = 5 }, `focus 5 is not a column of 5`},
		{"targets for some", sampleTokens(), func(f *viz.Figure) { f.Tokens.Target = []string{"a"} }, `1 targets for 5 columns`},
		{"best tokens of rank 2", sampleTokens(), func(f *viz.Figure) { f.Tokens.TopTokens = "cell" }, `top_tokens "cell" must name a text of rank 3`},
		{"best values missing", sampleTokens(), func(f *viz.Figure) { f.Tokens.TopValues = "" }, `no array ""`},
		{"no panel", sampleHeatmap(), func(f *viz.Figure) { f.Heatmap.Panels = nil }, `needs a panel`},
		{"panel of another shape", sampleHeatmap(), func(f *viz.Figure) {
			f.Heatmap.Panels[1].Columns.Labels = []string{"a"}
			f.Heatmap.Panels[1].Columns.Roles = nil
		}, `panel 1 "Attention output": array "attn" has shape [6 4], its axes need [6 1]`},
		{"interval of no kind", sampleLines(), func(f *viz.Figure) { f.Interval.Kind = "sem" }, `interval is "sem"`},
		{"interval of one number", sampleLines(), func(f *viz.Figure) { f.Interval.N = 1 }, "n = 1"},
		{"interval without a quantile", sampleLines(), func(f *viz.Figure) { f.Interval.Times = math.NaN() }, "no positive number"},
		{"errors missing", sampleHeatmap(), func(f *viz.Figure) { f.Heatmap.Panels[0].Errors = "se" }, `no array "se"`},
		{"no x", sampleLines(), func(f *viz.Figure) { f.Lines.X = "y" }, `x "y" must name an array of rank 1`},
		{"no series", sampleLines(), func(f *viz.Figure) { f.Lines.Series = nil }, `lines need a series`},
		{"x labels for some", sampleLines(), func(f *viz.Figure) { f.Lines.XLabels = []string{"a"} }, `1 x labels for 13 x values`},
		{"series of another length", sampleLines(), func(f *viz.Figure) { f.Arrays["mean"] = viz.Values([]float32{1}, []string{"wait"}, 1) }, `series 3 "mean": array "mean" has shape [1]`},
		{"no column", sampleTable(), func(f *viz.Figure) { f.Table.Columns = nil }, `needs a column`},
		{"column of both", sampleTable(), func(f *viz.Figure) { f.Table.Columns[1].Text = "cell" }, `exactly one of values "p" and text "cell"`},
		{"column format", sampleTable(), func(f *viz.Figure) { f.Table.Columns[1].Format = "3" }, `column 1 "P(91)": number format "3"`},
		{"browsing lines", sampleMultiples(), func(f *viz.Figure) { f.Multiples.Browse = 2 }, `with browse an item is a heatmap of one panel`},
		{"large out of reach", sampleMultiples(), func(f *viz.Figure) { f.Multiples.Large = len(f.Multiples.Items) }, `0 items in a row to browse`},
		{"rows", sampleTable(), func(f *viz.Figure) { f.Table.Rows = 3 }, `its axes need [3]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.spoil(c.figure)
			err := c.figure.Validate()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestArrayJSONRefused(t *testing.T) {
	for name, raw := range map[string]string{
		"too few":           `{"shape":[2],"axes":["a"],"f32":"AAAAAA=="}`,
		"half a number":     `{"shape":[1],"axes":["a"],"f32":"AAAA"}`,
		"no base64":         `{"shape":[1],"axes":["a"],"f32":"?"}`,
		"negative":          `{"shape":[-1],"axes":["a"],"f32":""}`,
		"overflow":          `{"shape":[65536,65536,65536,65536],"axes":[],"f32":""}`,
		"state too short":   `{"shape":[1],"axes":["a"],"f32":"AAAAAA==","state":"AAA="}`,
		"unknown state":     `{"shape":[1],"axes":["a"],"f32":"AAAAAA==","state":"CQ=="}`,
		"not even an array": `[]`,
	} {
		var a viz.Array
		if err := json.Unmarshal([]byte(raw), &a); err == nil {
			t.Errorf("%s: taken as %v", name, a)
		}
	}
}
