package analysis_test

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
	"orrery/server/analysis"
	"orrery/viz"
)

// sums is the recipe of the prompts that n, lo and hi make by default.
func sums(n, hi int, keep ablate.Keep) analysis.Prompts {
	return analysis.Prompts{
		Template: ablate.Template{Text: "{a}{op}{b}=", Operators: []string{"+", "-"}, Hi: 1 << 30, Operands: []ablate.Range{{Name: "a", Hi: hi}, {Name: "b", Hi: hi}}},
		Options:  ablate.SetOptions{N: n, Seed: 1, Keep: keep},
	}
}

func bind(t *testing.T, p analysis.Prompts, m *models.Model) *analysis.BoundPrompts {
	t.Helper()
	b, err := p.Bind(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPromptsGiven checks that prompts= gives the numbers of the parameters that
// say the same, whether the set was bound before, or paired.
func TestPromptsGiven(t *testing.T) {
	m := mental(t)
	recipe := sums(6, 30, ablate.KeepCorrect)
	paired := recipe
	paired.Pairs = &analysis.Pairing{Change: ablate.ChangeOperand, Operand: -1, Seed: 1}
	for name, args := range map[string]analysis.Args{
		"causal_mediation":    {},
		"activation_patching": {"sweep": "attn_head_out_all_pos"},
		"effects":             {"show": "heads"},
		"knockout":            {"reference": 20},
		"cama":                {"show": "edges"},
	} {
		t.Run(name, func(t *testing.T) {
			args["m"] = m
			with := func(extra analysis.Args) *viz.Figure {
				all := analysis.Args{}
				for _, list := range []analysis.Args{args, extra} {
					for k, v := range list {
						all[k] = v
					}
				}
				fig, _ := run(t, name, all)
				return fig
			}
			want := with(analysis.Args{"n": 6, "hi": 30})
			forms := []any{recipe, bind(t, recipe, m), paired, bind(t, paired, m)}
			if name == "knockout" || name == "cama" {
				forms = forms[:2]
			}
			for i, form := range forms {
				got := with(analysis.Args{"prompts": form})
				if !reflect.DeepEqual(throughJSON(t, got).Arrays, throughJSON(t, want).Arrays) {
					t.Errorf("form %d: the numbers are not those of n=6, hi=30", i)
				}
				p := got.Provenance
				if p.Prompts != want.Provenance.Prompts || !strings.Contains(p.Prompts, "accuracy is 100.0 % before the filter") || p.Seed == nil || *p.Seed != 1 {
					t.Errorf("form %d: provenance %q, want %q", i, p.Prompts, want.Provenance.Prompts)
				}
				about, _ := p.Params["prompts"].(map[string]any)
				if about["template"] != "{a}{op}{b}=" || about["n"] != 6 || about["keep"] != "correct" {
					t.Errorf("form %d: provenance says of the prompts %v", i, about)
				}
				if _, there := p.Params["n"]; there {
					t.Errorf("form %d: provenance names an n that was not used", i)
				}
				if !strings.Contains(got.Subtitle, "seed 1") || !strings.Contains(got.Caption, "before the filter") {
					t.Errorf("form %d: subtitle %q, caption %q", i, got.Subtitle, got.Caption)
				}
			}
		})
	}
}

// TestEach checks that the numbers that are kept of each pair have the mean and
// the standard error that are drawn.
func TestEach(t *testing.T) {
	m := mental(t)
	for name, args := range map[string]analysis.Args{
		"causal_mediation":    {"metric": "changed", "control": true},
		"activation_patching": {"normalise": false, "metric": "logprob"},
		"effects":             {},
		"knockout":            {"show": "mlps"},
		"cama":                {"show": "grid", "metric": "logprob"},
	} {
		t.Run(name, func(t *testing.T) {
			args["m"], args["n"], args["hi"] = m, 5, 30
			fig, _ := run(t, name, args)
			checked := 0
			check := func(values, errors, each string) {
				if each == "" {
					t.Errorf("%s keeps no numbers of single pairs", values)
					return
				}
				mean, sem, all := fig.Arrays[values], fig.Arrays[errors], fig.Arrays[each]
				n := all.Shape[len(all.Shape)-1]
				for i := range mean.Data {
					v, state := mean.At(i)
					if state != viz.Done {
						continue
					}
					var list []float64
					for k := range n {
						x, s := all.At(i*n + k)
						if s != viz.Done {
							t.Fatalf("%s: number %d of cell %d is not there", each, k, i)
						}
						list = append(list, float64(x))
					}
					s := ablate.Summarise(list)
					e, _ := sem.At(i)
					if !(math.Abs(s.Mean-float64(v)) <= 1e-5*(1+math.Abs(s.Mean))) || !(math.Abs(s.SEM-float64(e)) <= 1e-5*(1+math.Abs(s.SEM))) {
						t.Fatalf("%s, cell %d: %g ± %g, and its pairs give %g ± %g", values, i, v, e, s.Mean, s.SEM)
					}
					checked++
				}
			}
			if fig.Heatmap != nil {
				for _, p := range fig.Heatmap.Panels {
					check(p.Values, p.Errors, p.Each)
				}
			} else {
				for _, s := range fig.Lines.Series {
					check(s.Y, s.Errors, s.Each)
				}
			}
			if checked == 0 {
				t.Error("no cell was checked")
			}
		})
	}
}

// TestListGiven runs sweeps on prompts that no template knows.
func TestListGiven(t *testing.T) {
	m := mental(t)
	var list []ablate.Prompt
	for _, p := range bind(t, sums(12, 12, ablate.KeepAll), m).Set.Prompts {
		list = append(list, ablate.Prompt{Text: p.Text, AnswerText: m.Tokenizer.Label(p.Answer), Answer: -1, Other: -1})
	}
	recipe := analysis.Prompts{List: list, Options: ablate.SetOptions{Keep: ablate.KeepCorrect, Seed: 3}}
	for name, args := range map[string]analysis.Args{
		"causal_mediation": {"change": "any"}, "knockout": {}, "cama": {}, "effects": {"change": "any"},
	} {
		args["m"], args["prompts"] = m, recipe
		fig, _ := run(t, name, args)
		if !strings.Contains(fig.Caption, "a list of 12") || *fig.Provenance.Seed != 3 {
			t.Errorf("%s: caption %q, seed %d", name, fig.Caption, *fig.Provenance.Seed)
		}
		if h := fig.Heatmap; name == "causal_mediation" && !reflect.DeepEqual(h.Panels[0].Columns.Labels, []string{"<bos>", "a", "op", "b", "="}) {
			t.Errorf("%s: the positions are %v", name, h.Panels[0].Columns.Labels)
		}
	}
}

// TestPromptsRefused checks what a reader is told.
func TestPromptsRefused(t *testing.T) {
	m := mental(t)
	recipe := sums(4, 20, ablate.KeepCorrect)
	paired := recipe
	paired.Pairs = &analysis.Pairing{Change: ablate.ChangeOperand, Operand: -1, Seed: 1}
	toy := modeltest.Llama(1)
	for _, test := range []struct {
		name, analysis string
		args           analysis.Args
		want           []string
	}{
		{"both", "knockout", analysis.Args{"m": m, "prompts": recipe, "n": 4}, []string{"prompts and n both", "leave n out"}},
		{"both seeds", "cama", analysis.Args{"m": m, "prompts": recipe, "seed": 4}, []string{"prompts and seed both"}},
		{"change of pairs", "effects", analysis.Args{"m": m, "prompts": paired, "change": "any"}, []string{"prompts and change both"}},
		{"base beside", "causal_mediation", analysis.Args{"m": m, "prompts": paired, "base": "1+2="}, []string{"prompts and base both"}},
		{"pairs for single prompts", "knockout", analysis.Args{"m": m, "prompts": paired}, []string{"single prompts are wanted", "p.clean"}},
		{"no control", "causal_mediation", analysis.Args{"m": m, "prompts": paired, "control": true, "metric": "changed"}, []string{"have no control", "result-fixed"}},
		{"another model", "effects", analysis.Args{"m": toy, "prompts": bind(t, recipe, m)}, []string{"were read by model mental-2op", "p.on(m)"}},
		{"text", "effects", analysis.Args{"m": m, "prompts": "34+57="}, []string{"want prompts or pairs", "prompts("}},
		{"empty", "effects", analysis.Args{"m": m, "prompts": sums(4, 0, ablate.KeepAll)}, []string{"empty"}},
		{"nothing left", "knockout", analysis.Args{"m": m, "template": "{a}-{b}-99=", "n": 3}, []string{"no prompt of template", "take other ranges"}},
		{"metric of no kind", "effects", analysis.Args{"m": m, "metric": 3}, []string{"metric"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, err := analysis.Find(test.analysis)
			if err != nil {
				t.Fatal(err)
			}
			bound, err := a.Bind(test.args)
			if err == nil {
				s := &stream{t: t}
				_, err = a.Run(context.Background(), bound, s.emit())
			}
			text := words(err)
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q does not say %q", text, want)
				}
			}
		})
	}
}

// words are an error and its hint.
func words(err error) string {
	if err == nil {
		return "no error"
	}
	text := err.Error()
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		text += "; " + h.Hint()
	}
	return text
}

// TestMetricFunction takes a function in place of a name, and gets the numbers
// of the metric that it computes.
func TestMetricFunction(t *testing.T) {
	m := mental(t)
	recipe := sums(4, 30, ablate.KeepCorrect)
	for name, standard := range map[string]string{"activation_patching": "logit_diff", "effects": "logit_diff", "knockout": "logit", "cama": "logit"} {
		f := analysis.MetricFunc{Name: "mine", Of: func(r ablate.Readout, pair ablate.Contrast) float64 {
			if pair.Clean.Text == "" {
				t.Error("the pair is not there")
			}
			v := float64(r.Run[r.Answer])
			if standard == "logit_diff" {
				v -= float64(r.Run[r.Other])
				if r.Answer != pair.Clean.Answer && r.Answer != pair.Corrupted.Answer {
					t.Error("the pair is another one")
				}
			}
			return v
		}}
		want, _ := run(t, name, analysis.Args{"m": m, "prompts": recipe, "metric": standard})
		got, _ := run(t, name, analysis.Args{"m": m, "prompts": recipe, "metric": f})
		if !reflect.DeepEqual(throughJSON(t, got).Arrays, throughJSON(t, want).Arrays) {
			t.Errorf("%s: the function's numbers are not those of %s", name, standard)
		}
		if got.Provenance.Params["metric"] != "mine" || !strings.Contains(got.Subtitle, "mine(logits, pair)") {
			t.Errorf("%s: subtitle %q, provenance %v", name, got.Subtitle, got.Provenance.Params["metric"])
		}
	}
}

// TestRolesOfThree follows three operands into chips.
func TestRolesOfThree(t *testing.T) {
	m := mental(t)
	ids, err := m.Encode("34+57-12=")
	if err != nil {
		t.Fatal(err)
	}
	want := []viz.TokenRole{viz.RoleBOS, viz.RoleOperandA, viz.RoleOperator, viz.RoleOperandB, viz.RoleOperator, viz.RoleOperandC, viz.RoleEquals}
	if got := analysis.TokenRoles(m.Tokenizer, ids); !reflect.DeepEqual(got, want) {
		t.Errorf("roles %q, want %q", got, want)
	}
	fig, _ := run(t, "activation_patching", analysis.Args{"m": m, "template": "{a}+{b}-{c}=", "hi": 20, "n": 4, "keep": "all"})
	if got := fig.Heatmap.Panels[0].Columns; !reflect.DeepEqual(got.Roles, want) || !reflect.DeepEqual(got.Labels, []string{"<bos>", "a", "+", "b", "-", "c", "="}) {
		t.Errorf("the positions are %q with roles %q", got.Labels, got.Roles)
	}
}
