package analysis_test

import (
	"context"
	"sync/atomic"
	"testing"

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
// and how much in all. A number that a figure shows beside pending ones counts.
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
	work, seen := &workCounter{Context: context.Background()}, false
	number := func() {
		if !seen {
			seen, first = true, work.looks.Load()
		}
	}
	emit := nobody
	emit.Part = func(viz.Part) { number() }
	if _, err := a.Run(work, bound, emit); err != nil {
		t.Fatal(err)
	}
	number()
	return first, work.looks.Load()
}

// TestFirstNumberComesEarly holds that figures do not make a reader wait for what
// their first number does not need. Runs is how many runs of single prompts may come
// before it, which is what the analysis says it needs.
func TestFirstNumberComesEarly(t *testing.T) {
	m := mental(t)
	perRun := int64(m.Config.Layers * (m.Config.Heads + 8)) // a run's looks, with room for those that are not in heads
	for _, c := range []struct {
		what string
		name string
		args analysis.Args
		runs int64
	}{
		{"the model's own answers, not the means over 2,420 contexts", "cama", analysis.Args{"m": m, "n": 10, "hi": 40}, 2 * 10},
		{"the same without a window", "cama", analysis.Args{"m": m, "n": 10, "hi": 40, "show": "heads", "wait": 2, "transfer": 2}, 2 * 10},
	} {
		first, all := workOf(t, c.name, c.args)
		if first > c.runs*perRun || first == 0 {
			t.Errorf("%s(%v): %d looks before the first number, and %s take %d at most", c.name, c.args["show"], first, c.what, c.runs*perRun)
		}
		if all < 5*first {
			t.Errorf("%s(%v): %d of %d looks come before the first number: nothing is early there", c.name, c.args["show"], first, all)
		}
		t.Logf("%s(%v): %d of %d looks, %d at most", c.name, c.args["show"], first, all, c.runs*perRun)
	}
}
