package analysis_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/server/analysis"
	"orrery/viz"
)

// measured are the analyses that measure edited runs by a metric: which parameter
// takes it, a small call, and the metrics that are refused with what the refusal
// says. The parameter's help says the same to the reader.
var measured = []struct {
	analysis, param string
	args            analysis.Args
	refused         map[string]string
	help            string
}{
	{"activation_patching", "metric", analysis.Args{"sweep": "resid_post", "normalise": false}, nil, ""},
	{"causal_mediation", "metric", analysis.Args{"components": []string{"embed", "mlp"}}, nil, ""},
	{"effects", "metric", nil, nil, ""},
	{"knockout", "metric", analysis.Args{"reference": 20, "show": "stream"}, map[string]string{"logit_diff": "there is no other"}, "logit_diff needs prompts that come with another answer"},
	{"cama", "metric", analysis.Args{"show": "edges"}, map[string]string{"logit_diff": "there is no other"}, "logit_diff needs prompts that come with another answer"},
	{"causal_trace", "metric", analysis.Args{"draws": 2}, map[string]string{"logit_diff": "there is no other"}, "logit_diff needs prompts that come with another answer"},
	{"edge_patching", "metric", analysis.Args{"receivers": []string{"mlp 3", "logits"}}, nil, ""},
	{"path_patching", "metric", analysis.Args{"receivers": []string{"mlp 3", "logits"}}, nil, ""},
	{"integrated_gradients", "metric", analysis.Args{"steps": 4, "normalise": false}, noSlope, "it needs a derivative: logit, logit_diff, logit_change, prob, logprob, loss, kl or centred_logit, and no function"},
	{"edge_attribution", "metric", nil, noSlope, "it needs a derivative: logit, logit_diff, logit_change, prob, logprob, loss, kl or centred_logit, and no function"},
	{"patch_lens", "measure", analysis.Args{"clean": "4+7=", "corrupted": "2+7=", "patches": [][]ablate.Move{{{Site: "blocks.1.hook_resid_post", At: []int{1}}}}}, nil, ""},
}

// noSlope are the metrics without a derivative.
var noSlope = func() map[string]string {
	known := []string{"logit", "logit_diff", "logit_change", "prob", "logprob", "loss", "kl", "centred_logit"}
	refused := map[string]string{"mine": "want one whose derivative by the logits is known: " + strings.Join(known, ", ")}
	for _, m := range ablate.Metrics() {
		if !slices.Contains(known, m.Name) {
			refused[m.Name] = refused["mine"]
		}
	}
	return refused
}()

// try runs an analysis; said is the error with its hint.
func try(t *testing.T, name string, args analysis.Args) (fig *viz.Figure, said string) {
	t.Helper()
	a, err := analysis.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := a.Bind(args)
	if err == nil {
		fig, err = a.Run(context.Background(), bound, (&stream{t: t}).emit())
	}
	if err == nil {
		return fig, ""
	}
	said = err.Error()
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		said += " / " + hinted.Hint()
	}
	return fig, said
}

// with are a call's arguments: of the small set, of the analysis and more.
func with(t *testing.T, name string, lists ...analysis.Args) analysis.Args {
	out := analysis.Args{"m": mental(t)}
	if name != "patch_lens" {
		out["n"], out["hi"] = 3, 12
	}
	for _, list := range lists {
		for k, v := range list {
			out[k] = v
		}
	}
	return out
}

// numbers checks that every number of a figure is one.
func numbers(t *testing.T, fig *viz.Figure) {
	t.Helper()
	if err := fig.Validate(); err != nil {
		t.Error(err)
	}
	for array, a := range fig.Arrays {
		for i := range a.Data {
			if v, state := a.At(i); state == viz.Pending || state == viz.Done && (v != v || math.IsInf(float64(v), 0)) {
				t.Fatalf("%s[%d] is %g (%v)", array, i, v, state)
			}
		}
	}
}

// TestEveryAnalysisTakesEveryMetric is the table of analyses and metrics: each
// pair works, with its name in the figure, or is refused with a reason that the
// parameter's help states.
func TestEveryAnalysisTakesEveryMetric(t *testing.T) {
	for _, c := range measured {
		a, err := analysis.Find(c.analysis)
		if err != nil {
			t.Fatal(err)
		}
		var param analysis.Param
		for _, p := range a.Params {
			if p.Name == c.param {
				param = p
			}
		}
		if param.Type != analysis.TypeMetric || !strings.Contains(param.Help, c.help) || len(c.refused) > 0 && c.help == "" {
			t.Errorf("%s: %s is a %s, and its help %q", c.analysis, c.param, param.Type, param.Help)
		}
		mine := analysis.MetricFunc{Name: "mine", Of: func(r ablate.Readout, _ ablate.Contrast) float64 { return float64(r.Run[r.Answer]) }}
		labels := map[string]string{"mine": "mine(logits, pair)"}
		for _, m := range ablate.Metrics() {
			labels[m.Name] = m.Label
		}
		for name, label := range labels {
			t.Run(c.analysis+" "+name, func(t *testing.T) {
				var v any = name
				if name == "mine" {
					v = mine
				}
				fig, said := try(t, c.analysis, with(t, c.analysis, c.args, analysis.Args{c.param: v}))
				if want := c.refused[name]; want != "" {
					if !strings.Contains(said, want) {
						t.Fatalf("said %q, want %q", said, want)
					}
					return
				}
				if said != "" {
					t.Fatal(said)
				}
				numbers(t, fig)
				text := fig.Subtitle
				if fig.Tokens != nil {
					for _, column := range fig.Tokens.Patch.Tries.Columns {
						text += " " + column.Name
					}
					if name == "logit_diff" || name == "prob" {
						text = fig.Caption + label // the sentence and the column of the answer say it
					}
				}
				about := strings.TrimSuffix(label, " against the base run")
				for _, scale := range fig.Scales {
					text += " " + scale.Label
				}
				if !strings.Contains(text, about) {
					t.Errorf("the figure says %q, and not %q", text, about)
				}
			})
		}
	}
}

// TestNormaliseIsARatioOfMeans: with every metric, a normalised number is the raw
// one over one and the same number, or the call is refused since that is too small.
// The number is known: the whole stream behind the last block at the last token
// does what the other run does, and is 1, without an error.
func TestNormaliseIsARatioOfMeans(t *testing.T) {
	last := func(f *viz.Figure, name string) float64 {
		v, sem := f.Arrays[name].Data, f.Arrays[name+"_sem"].Data
		if !(math.Abs(float64(sem[len(sem)-1])) <= 1e-5) {
			return math.NaN()
		}
		return float64(v[len(v)-1])
	}
	for _, c := range []struct {
		analysis, array string
		args            analysis.Args
		one             func(*viz.Figure) float64 // NaN where it has a standard error
	}{
		{"activation_patching", "resid_post", analysis.Args{"sweep": "resid_post"}, func(f *viz.Figure) float64 { return last(f, "resid_post") }},
		{"effects", "mlp_total", nil, func(f *viz.Figure) float64 { return last(f, "resid_post_total") }},
		{"knockout", "stream", analysis.Args{"show": "stream", "reference": 20}, func(f *viz.Figure) float64 { return last(f, "stream") }},
		{"causal_mediation", "mlp", nil, nil},
		{"causal_trace", "resid_post", analysis.Args{"draws": 2}, func(f *viz.Figure) float64 { return last(f, "resid_post") }},
		{"edge_patching", "edge", analysis.Args{"receivers": []string{"mlp 3", "logits"}}, nil},
		{"path_patching", "path", analysis.Args{"receivers": []string{"mlp 3", "logits"}}, nil},
	} {
		ran := 0
		for _, m := range ablate.Metrics() {
			if m.Pair && (c.analysis == "knockout" || c.analysis == "causal_trace") {
				continue
			}
			call := func(normalise bool) (*viz.Figure, string) {
				return try(t, c.analysis, with(t, c.analysis, c.args, analysis.Args{"metric": m.Name, "normalise": normalise, "n": 8, "hi": 30}))
			}
			norm, said := call(true)
			if said != "" {
				if !strings.Contains(said, "nothing to divide by") || !strings.Contains(said, "normalise=False") || norm != nil {
					t.Errorf("%s %s: refused by %q with figure %v", c.analysis, m.Name, said, norm != nil)
				}
				continue
			}
			ran++
			raw, said := call(false)
			if said != "" {
				t.Fatal(said)
			}
			numbers(t, norm)
			if !strings.Contains(norm.Subtitle, "normalised") || norm.Scales["effect"].Unit != "" {
				t.Errorf("%s %s: subtitle %q, scales %+v", c.analysis, m.Name, norm.Subtitle, norm.Scales)
			}
			if c.one != nil && !(math.Abs(c.one(norm)-1) <= 1e-5) {
				t.Errorf("%s %s: the whole stream does %g", c.analysis, m.Name, c.one(norm))
			}
			x, y, whole := norm.Arrays[c.array].Data, raw.Arrays[c.array].Data, math.NaN()
			for i := range x {
				if math.Abs(float64(x[i])) > 1e-2 && whole != whole {
					whole = float64(y[i]) / float64(x[i])
				}
			}
			for i := range x {
				if whole == whole && !(math.Abs(float64(y[i])-whole*float64(x[i])) <= 1e-4*(math.Abs(whole)+math.Abs(float64(y[i])))) {
					t.Errorf("%s %s: cell %d is %g raw and %g normalised, and their ratio is to be %g", c.analysis, m.Name, i, y[i], x[i], whole)
				}
			}
		}
		if ran < 9 {
			t.Errorf("%s: only %d metrics could be normalised", c.analysis, ran)
		}
	}
}

// TestNormaliseRefusals: where nothing can be divided by, or a measure is a share
// already, the call says so before it shows a figure.
func TestNormaliseRefusals(t *testing.T) {
	for _, c := range []struct {
		analysis string
		args     analysis.Args
		want     []string
	}{
		{"causal_mediation", analysis.Args{"normalise": true}, []string{`"log_ie" is a measure of its own`, "logit_diff"}},
		{"causal_mediation", analysis.Args{"normalise": true, "metric": "prob", "control": true}, []string{"keeps the result", "normalise=False"}},
		{"causal_mediation", analysis.Args{"metric": "logit_diff", "control": true}, []string{"r = r′", `"prob"`}},
		{"causal_mediation", analysis.Args{"metric": "logit_diff", "base": "1+2=", "source": "2+1="}, []string{"both are token", `"kl"`}},
		{"effects", analysis.Args{"normalise": true, "metric": "accuracy", "change": "result"}, []string{"nothing to divide by", "normalise=False"}},
		{"activation_patching", analysis.Args{"metric": "accuracy", "change": "result"}, []string{"nothing to divide by", "normalise=False"}},
		{"cama", analysis.Args{"normalise": true}, []string{"normalise"}},
	} {
		_, said := try(t, c.analysis, with(t, c.analysis, c.args))
		for _, w := range c.want {
			if !strings.Contains(said, w) {
				t.Errorf("%s %v: %q does not say %q", c.analysis, c.args, said, w)
			}
		}
	}
}

// TestControlOfAMetric: the control takes metrics that do not compare two answers,
// and its pairs, which keep the answer, lose little of it before the last layers.
func TestControlOfAMetric(t *testing.T) {
	fig, said := try(t, "causal_mediation", with(t, "causal_mediation", analysis.Args{"metric": "prob", "control": true, "n": 8, "hi": 40}))
	if said != "" {
		t.Fatal(said)
	}
	numbers(t, fig)
	if len(fig.Heatmap.Panels) != 4 || !strings.Contains(fig.Caption, "With the result kept") {
		t.Errorf("%d panels, caption %q", len(fig.Heatmap.Panels), fig.Caption)
	}
}

// TestTermsOfTheIndirectEffect: IE is the mean of its two terms, pair by pair.
func TestTermsOfTheIndirectEffect(t *testing.T) {
	of := map[string][]float32{}
	for _, metric := range []string{"ie", "ie_r", "ie_r_prime"} {
		fig, said := try(t, "causal_mediation", with(t, "causal_mediation", analysis.Args{"metric": metric, "components": []string{"mlp", "attn", "embed"}}))
		if said != "" {
			t.Fatal(said)
		}
		for _, c := range []string{"mlp", "attn", "embed"} {
			of[metric] = append(of[metric], fig.Arrays[c+"_each"].Data...)
		}
	}
	for i, ie := range of["ie"] {
		a, b := float64(of["ie_r"][i]), float64(of["ie_r_prime"][i])
		if !(math.Abs((a+b)/2-float64(ie)) <= 1e-6*(1+math.Abs(a)+math.Abs(b))) {
			t.Errorf("number %d: terms %g and %g, IE %g", i, a, b, ie)
		}
	}
}
