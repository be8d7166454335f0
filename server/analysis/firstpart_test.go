package analysis_test

import (
	"context"
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"orrery/ablate"
	"orrery/models/zoo"
	"orrery/probe"
	"orrery/server/analysis"
	"orrery/viz"
)

// workCounter counts how often runs look whether they are to stop: once for each
// head of each sequence in each layer, and a few times more. So it grows with what
// is computed, whatever the machine.
type workCounter struct {
	context.Context
	looks atomic.Int64
}

func (c *workCounter) Err() error {
	c.looks.Add(1)
	return c.Context.Err()
}

// workOf runs an analysis and returns how much work came before its first number,
// and how much in all. A part is one, and so is a figure that has all of its own.
func workOf(t *testing.T, name string, args analysis.Args) (first, all int64) {
	t.Helper()
	a, err := analysis.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := a.Bind(args)
	if err != nil {
		t.Fatal(err)
	}
	work := &workCounter{Context: context.Background()}
	number := func() {
		if first == 0 {
			first = work.looks.Load()
		}
	}
	emit := nobody
	emit.Part = func(viz.Part) { number() }
	emit.Figure = func(f *viz.Figure) {
		for _, a := range f.Arrays {
			for _, s := range a.State {
				if s == viz.Pending {
					return
				}
			}
		}
		number()
	}
	if _, err := a.Run(work, bound, emit); err != nil {
		t.Fatal(err)
	}
	return first, work.looks.Load()
}

// TestFirstNumberComesEarly holds that figures do not make a reader wait for what
// their first number does not need: share is how much of the work may come before it,
// and what the rest of the call does is said beside it.
func TestFirstNumberComesEarly(t *testing.T) {
	m := mental(t)
	for _, c := range []struct {
		name, behind string
		args         analysis.Args
		share        float64
	}{
		{"cama", "means over 2,420 contexts, recipes", analysis.Args{"m": m, "n": 10, "hi": 40}, 0.02},
		{"cama", "means over 2,420 contexts, pruning", analysis.Args{"m": m, "n": 10, "hi": 40, "show": "heads", "wait": 1, "transfer": 2}, 0.02},
		{"cama", "means over 6,700 contexts, the grid of all prompts", analysis.Args{"m": m, "n": 40, "hi": 66, "show": "grid"}, 0.15},
		{"helix", "the run of all 700 prompts, the hands", analysis.Args{"m": m, "n": 700, "of": "a+b", "show": "clock"}, 0.5},
		{"neuron_fits", "exact effects, the grid", analysis.Args{"m": m, "n": 40, "pairs": 10, "hi": 30, "top": 8}, 0.1},
		{"neuron_fits", "the grid, fits and random draws", analysis.Args{"m": m, "n": 40, "pairs": 10, "hi": 30, "top": 8, "show": "keep"}, 0.2},
	} {
		first, all := workOf(t, c.name, c.args)
		t.Logf("%s(%v): %d of %d looks", c.name, c.args["show"], first, all)
		if first == 0 || float64(first) > c.share*float64(all) {
			t.Errorf("%s(%v): %d of %d looks come before the first number: it is to wait for a share of %.2g only, not for %s", c.name, c.args["show"], first, all, c.share, c.behind)
		}
	}
}

// TestCeilingComesFirst holds that the full patch of every layer, which needs no fit,
// is drawn before all else, and is the one that the finished figure has.
func TestCeilingComesFirst(t *testing.T) {
	m := mental(t)
	a, err := analysis.Find("helix_patch")
	if err != nil {
		t.Fatal(err)
	}
	bound, err := a.Bind(analysis.Args{"m": m, "n": 200, "pairs": 20})
	if err != nil {
		t.Fatal(err)
	}
	var first []viz.ArrayRun
	emit := nobody
	emit.Part = func(p viz.Part) {
		if len(first) < m.Config.Layers {
			first = append(first, p.Arrays[0])
		}
	}
	fig, err := a.Run(context.Background(), bound, emit)
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range first {
		v, err := viz.DecodeFloats(run.F32)
		if err != nil {
			t.Fatal(err)
		}
		if run.Name != "full" || v[0] != fig.Arrays["full"].Data[run.Offset] {
			t.Errorf("among the first is %v of %s in layer %d, the finished figure has %v of the full patch", v[0], run.Name, run.Offset, fig.Arrays["full"].Data[run.Offset])
		}
	}
}

// TestCircuitBeginsWithThePairsLearnedFrom holds that the first number of the circuit
// takes a run of a third of all pairs, not of all.
func TestCircuitBeginsWithThePairsLearnedFrom(t *testing.T) {
	m, err := zoo.Open("modadd-113")
	if err != nil {
		t.Fatal(err)
	}
	adder, err := probe.FindModularAdder(m)
	if err != nil {
		t.Fatal(err)
	}
	all := &workCounter{Context: context.Background()}
	if _, err := probe.RunModular(all, m, adder); err != nil {
		t.Fatal(err)
	}
	a, err := analysis.Find("grokking")
	if err != nil {
		t.Fatal(err)
	}
	bound, err := a.Bind(analysis.Args{"m": m, "show": "circuit", "frames": 2})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	work, first := &workCounter{Context: ctx}, int64(0)
	emit := nobody
	emit.Part = func(p viz.Part) {
		if first == 0 {
			first = work.looks.Load()
			if len(p.Arrays) != 1 || p.Arrays[0].Name != "loss_train" {
				t.Errorf("the first part is of %+v", p.Arrays)
			}
		}
		stop()
	}
	if _, err := a.Run(work, bound, emit); err == nil {
		t.Error("the run did not stop")
	}
	if whole := all.looks.Load(); first == 0 || float64(first) > 0.35*float64(whole) {
		t.Errorf("%d looks before the first number, %d in a run of all pairs", first, whole)
	}
}

// TestGridsFirstLook holds that the grid shows, before its own numbers, those of the
// same windows over the few prompts and contexts that it names, and that nothing of
// them is left.
func TestGridsFirstLook(t *testing.T) {
	m := mental(t)
	args := analysis.Args{"m": m, "n": 40, "hi": 66, "show": "grid", "metric": "margin"}
	a, err := analysis.Find("cama")
	if err != nil {
		t.Fatal(err)
	}
	bound, err := a.Bind(args)
	if err != nil {
		t.Fatal(err)
	}
	said, own := "", 0
	looked := map[int]float32{}
	emit := nobody
	emit.Figure = func(f *viz.Figure) { said = f.Subtitle }
	emit.Part = func(p viz.Part) {
		switch {
		case len(p.Arrays) == 1: // a mean without its error
			if own > 0 || !strings.Contains(said, "first look, over 20 prompts and a sample of 1,000 contexts") {
				t.Errorf("a first look comes behind %d own numbers, under %q", own, said)
			}
			v, err := viz.DecodeFloats(p.Arrays[0].F32)
			if err != nil {
				t.Fatal(err)
			}
			looked[p.Arrays[0].Offset] = v[0]
		case len(p.Arrays) > 1:
			own++
		}
	}
	fig, err := a.Run(context.Background(), bound, emit)
	if err != nil {
		t.Fatal(err)
	}
	largest := 0.0
	for i, state := range fig.Arrays["grid"].State {
		if state != fig.Arrays["grid_sem"].State[i] {
			t.Errorf("cell %d is a first look still", i)
		}
		largest = max(largest, math.Abs(float64(fig.Arrays["grid"].Data[i])))
	}
	if hi := fig.Scales["effect"].Hi; strings.Contains(said, "first look") || !(hi >= largest && hi <= 1.1*largest) {
		t.Errorf("the finished figure, whose largest number is %g, has colours up to %g and says %q", largest, hi, said)
	}
	ctx := context.Background()
	tmpl := ablate.Template{Text: "{a}{op}{b}=", Operators: []string{"+", "-"}, Hi: analysis.MaxAnswer, Operands: []ablate.Range{{Name: "a", Hi: 66}, {Name: "b", Hi: 66}}}
	set := func(n int, seed uint64, keep ablate.Keep) []ablate.Prompt {
		s, err := ablate.Prompts(ctx, m, tmpl, ablate.SetOptions{N: n, Seed: seed, Keep: keep})
		if err != nil {
			t.Fatal(err)
		}
		return s.Prompts
	}
	table, err := ablate.CAMATable(ctx, m, set(1000, 2, ablate.KeepAll))
	if err != nil {
		t.Fatal(err)
	}
	var few []ablate.Prompt
	for _, p := range set(40, 1, ablate.KeepCorrect) {
		covered := true
		for pos := table.First + 1; pos < table.T; pos++ {
			_, err := table.Own(p.Group, pos, p.IDs[pos])
			covered = covered && err == nil
		}
		if covered && len(few) < 20 {
			few = append(few, p)
		}
	}
	margin, err := ablate.MetricByName("margin")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := ablate.StartAllForOne(ctx, m, few, table, ablate.AllForOneOptions{Metric: margin})
	if err != nil {
		t.Fatal(err)
	}
	recipes := ablate.WindowGrid(m, ablate.WaitCAMA)
	outcomes, _, err := plain.Apply(ctx, recipes, false, func(int, ablate.Outcome) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	L := m.Config.Layers
	for i, r := range recipes {
		got, seen := looked[r.Transfer*L+r.Wait]
		if want := float32(ablate.Summarise(outcomes[i].Values).Mean); !seen || got != want {
			t.Errorf("wait %d, transfer %d: the first look shows %v (%t), want %v", r.Wait, r.Transfer, got, seen, want)
		}
	}
}
