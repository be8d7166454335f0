package analysis_test

import (
	"math"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/server/analysis"
	"orrery/viz"
)

// TestCAMAViews runs every view and metric on a small set and checks that
// nothing is left open, that every number is one, and what provenance says.
func TestCAMAViews(t *testing.T) {
	m := mental(t)
	for name, args := range map[string]analysis.Args{
		"wait":      {"show": "wait", "metric": "margin"},
		"sampled":   {"show": "wait", "metric": "prob", "contexts": 300},
		"grid":      {"show": "grid"},
		"operands":  {"show": "grid", "peek": "operands", "metric": "margin"},
		"edges":     {"show": "edges"},
		"heads":     {"show": "heads", "wait": 0, "transfer": 2},
		"attention": {"show": "attention", "wait": 0, "transfer": 2},
		"one":       {"show": "grid", "wait": 0, "transfer": 1, "n": 2},
	} {
		t.Run(name, func(t *testing.T) {
			args["m"], args["hi"] = m, 12
			if args["n"] == nil {
				args["n"] = 12
			}
			fig, s := run(t, "cama", args)
			if err := fig.Validate(); err != nil {
				t.Fatal(err)
			}
			if measured, title := args["metric"] != nil, fig.Title; args["show"] == "grid" && strings.Contains(title, "faithfulness") == measured {
				t.Errorf("the title %q names another metric", title)
			}
			for array, a := range fig.Arrays {
				for i := range a.Data {
					if v, state := a.At(i); state == viz.Pending || v != v {
						t.Fatalf("%s[%d] is %g (%v)", array, i, v, state)
					}
				}
			}
			last := s.progress[len(s.progress)-1]
			if last[0] != last[1] {
				t.Errorf("progress ends at %v", last)
			}
			if fig.Provenance.Seed == nil || !strings.Contains(fig.Subtitle, "n = ") || !strings.Contains(fig.Caption, map[bool]string{true: "No means are put in", false: "contexts of \"+\""}[name == "edges"]) || !strings.Contains(fig.Caption, "equal to the bit") {
				t.Errorf("subtitle %q, caption %q", fig.Subtitle, fig.Caption)
			}
		})
	}
}

// TestCAMABaselines: behind the last block, where the last token's stream is all
// that counts, every mean says the same of every prompt, and a zero stream
// nothing at all. Isolated in all blocks, the last token knows no operand.
func TestCAMABaselines(t *testing.T) {
	fig, _ := run(t, "cama", analysis.Args{"m": mental(t), "n": 60, "hi": 40})
	n := len(fig.Lines.XLabels)
	if len(fig.Lines.Series) != 7 || fig.Lines.Series[0].Name != "CAMA" {
		t.Fatalf("%d lines, the first is %s", len(fig.Lines.Series), fig.Lines.Series[0].Name)
	}
	for _, s := range fig.Lines.Series {
		v, _ := fig.Arrays[s.Y].At(n - 1)
		switch s.Name {
		case "resample":
			continue // a partner may have the same answer
		case "no intervention":
			if v != 1 || !s.Control { // of prompts that the model gets right
				t.Errorf("without intervention %g of the answers are right", v)
			}
			continue
		}
		if !(v <= 0.2) {
			t.Errorf("%s behind the last block keeps %g of the answers", s.Name, v)
		}
	}
}

// TestCAMAGridNoTransfer: without a transfer block, the last token has read
// operands in no block but those that CAMA erases.
func TestCAMAGridNoTransfer(t *testing.T) {
	fig, _ := run(t, "cama", analysis.Args{"m": mental(t), "show": "grid", "n": 60, "hi": 40})
	grid := fig.Arrays["grid"]
	L := grid.Shape[0]
	for w := range L {
		if v, state := grid.At(w); state != viz.Done || !(v <= 0.2) {
			t.Errorf("wait %d without a transfer keeps %g (%v)", w, v, state)
		}
		for P := range L {
			if _, state := grid.At(P*L + w); (state == viz.Blank) != (w+1+P > L) {
				t.Errorf("wait %d, transfer %d is %v", w, P, state)
			}
		}
	}
	if s := fig.Scales["effect"]; s.Kind != viz.ScaleSequential || s.Lo != 0 || math.Abs(s.Hi-1) > 0 {
		t.Errorf("scale %+v", s)
	}
}

// TestCAMANothingRight: faithfulness is refused before the table of means is
// made where no answer is right.
func TestCAMANothingRight(t *testing.T) {
	m := mental(t)
	p := analysis.Prompts{Template: ablate.Template{Text: "{a}+{b}=", Expression: "{a}-{b}", Operands: []ablate.Range{{Name: "a", Lo: 50, Hi: 60}, {Name: "b", Lo: 10, Hi: 20}}},
		Options: ablate.SetOptions{Keep: ablate.KeepAll}}
	a, err := analysis.Find("cama")
	if err != nil {
		t.Fatal(err)
	}
	bound, err := a.Bind(analysis.Args{"m": m, "prompts": p, "show": "grid"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Run(t.Context(), bound, analysis.Emit{Progress: func(int, int, string) {}, Figure: func(*viz.Figure) {}, Part: func(viz.Part) { t.Error("a number all the same") }})
	if err == nil || !strings.Contains(err.Error(), "none of the 100 prompts right") {
		t.Errorf("%v", err)
	}
}

// TestCAMAOfFew: one prompt has no other to borrow from, and contexts that lack a
// token of the prompts are refused with how many they fail.
func TestCAMAOfFew(t *testing.T) {
	fig, _ := run(t, "cama", analysis.Args{"m": mental(t), "n": 1, "hi": 12})
	for _, s := range fig.Lines.Series {
		if s.Name == "resample" || s.Errors != "" {
			t.Errorf("one prompt has the line %+v", s)
		}
	}
	if fig.Interval != nil {
		t.Errorf("one prompt has the interval %v", fig.Interval)
	}
	if _, said := try(t, "cama", analysis.Args{"m": mental(t), "n": 12, "contexts": 20}); !strings.Contains(said, "contexts: a sample of 20 has no prompt with a token of") || !strings.Contains(said, "contexts=0") {
		t.Errorf("too few contexts: %q", said)
	}
}

// TestCAMAIntervals: shares have Wilson's interval, of those prompts that the model
// gets right, and other metrics Student's.
func TestCAMAIntervals(t *testing.T) {
	for _, c := range []struct {
		args analysis.Args
		want viz.IntervalKind
	}{{analysis.Args{"show": "edges"}, viz.IntervalWilson}, {analysis.Args{"show": "edges", "metric": "accuracy"}, viz.IntervalWilson}, {analysis.Args{"show": "edges", "metric": "prob"}, viz.IntervalStudent}} {
		c.args["m"], c.args["n"], c.args["hi"] = mental(t), 12, 12
		fig, _ := run(t, "cama", c.args)
		if i := fig.Interval; i == nil || i.Kind != c.want || i.N != 12 {
			t.Errorf("%v has the interval %+v, want %s of 12", c.args, i, c.want)
		}
	}
}
