package ablate_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
)

// unfinished keeps runs in memory, and cuts the call short after some.
type unfinished struct {
	runs   map[string][]ablate.FinishedRun
	after  int // cut is called when so many more are kept
	cut    func()
	forgot int
}

func (u *unfinished) Kept(sweep string) []ablate.FinishedRun { return slices.Clone(u.runs[sweep]) }

func (u *unfinished) Keep(sweep string, r ablate.FinishedRun) {
	u.runs[sweep] = append(u.runs[sweep], r)
	if u.after--; u.after == 0 {
		u.cut()
	}
}

func (u *unfinished) Forget(sweep string) {
	delete(u.runs, sweep)
	u.forgot++
}

// kept is how many runs there are.
func (u *unfinished) kept() (n int) {
	for _, runs := range u.runs {
		n += len(runs)
	}
	return n
}

// study is a call with sweeps: what it gives and emits, every number to the bit, and
// what its sweeps cost.
type study func(ctx context.Context, note func(format string, args ...any)) (models.Report, error)

// studies are calls of every kind of sweep, on a random model of 2 layers.
func studies(t *testing.T, budget ablate.Budget) map[string]study {
	t.Helper()
	m := modeltest.GPT2(5)
	id := func(i int) int { return i % m.Config.Vocab }
	var contrasts []ablate.Contrast
	var pairs []ablate.Pair
	var prompts []ablate.Prompt
	for i := range 3 {
		c := ablate.Contrast{
			Clean:     ablate.Prompt{IDs: []int{id(3), id(8 + i), id(23), id(7)}, Answer: 1, Other: 2},
			Corrupted: ablate.Prompt{IDs: []int{id(3), id(12 + i), id(20), id(7)}, Answer: 2, Other: 1},
		}
		contrasts, prompts = append(contrasts, c), append(prompts, c.Clean)
		p, err := c.Pair(ablate.Noise)
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, p)
	}
	metric := func(name string) ablate.Metric {
		x, err := ablate.MetricByName(name)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	sweeps, err := ablate.PatchSweepsByName("block_every")
	if err != nil {
		t.Fatal(err)
	}
	heads, err := ablate.Nodes(m, ablate.HeadPart)
	if err != nil {
		t.Fatal(err)
	}
	mlps, err := ablate.Nodes(m, ablate.MLPPart)
	if err != nil {
		t.Fatal(err)
	}
	diff, prob := metric("logit_diff"), metric("prob")
	return map[string]study{
		"patch": func(ctx context.Context, note func(string, ...any)) (models.Report, error) {
			p, err := ablate.Patch(ctx, m, contrasts, ablate.PatchOptions{Sweeps: sweeps, Metric: diff, Budget: budget}, func(c ablate.PatchCell) error {
				note("%v\n", c)
				return nil
			})
			if err != nil {
				return models.Report{}, err
			}
			note("%v %v %v", p.Grids, p.Base, p.OwnError)
			return p.Report, nil
		},
		"mediate": func(ctx context.Context, note func(string, ...any)) (models.Report, error) {
			e, err := ablate.Mediate(ctx, m, pairs, ablate.MediateOptions{Metric: prob, Budget: budget}, func(c ablate.Cell) error {
				note("%v\n", c)
				return nil
			})
			if err != nil {
				return models.Report{}, err
			}
			note("%v %v", e.Cells, e.Total)
			return e.Report, nil
		},
		"knockout": func(ctx context.Context, note func(string, ...any)) (models.Report, error) {
			opt := ablate.KnockoutOptions{Sweeps: sweeps, Kind: ablate.MeanByPos, Metrics: []ablate.Metric{prob, diff}, Sequence: true, Budget: budget}
			k, err := ablate.Knockout(ctx, m, prompts, opt, func(c ablate.KnockoutCell) error {
				note("%v\n", c)
				return nil
			})
			if err != nil {
				return models.Report{}, err
			}
			note("%v %v", k.Grids, k.Sequence)
			return k.Report, nil
		},
		"trace": func(ctx context.Context, note func(string, ...any)) (models.Report, error) {
			opt := ablate.TraceOptions{Sweeps: sweeps, Metrics: []ablate.Metric{prob}, Positions: []int{1}, Budget: budget}
			x, err := ablate.CausalTrace(ctx, m, prompts, opt, func(c ablate.KnockoutCell) error {
				note("%v\n", c)
				return nil
			})
			if err != nil {
				return models.Report{}, err
			}
			note("%v", x.Grids)
			return x.Report, nil
		},
		"edges": func(ctx context.Context, note func(string, ...any)) (models.Report, error) {
			opt := ablate.EdgeOptions{Metric: diff, Budget: budget, Done: func(i int) error { note("%d\n", i); return nil }}
			e, err := ablate.PatchEdges(ctx, m, contrasts, nil, opt)
			if err != nil {
				return models.Report{}, err
			}
			note("%v", e.Values)
			return e.Report, nil
		},
		"paths": func(ctx context.Context, note func(string, ...any)) (models.Report, error) {
			opt := ablate.PathOptions{Senders: append(slices.Clone(heads), mlps...), Freeze: ablate.FreezeHeads, Metric: diff, Budget: budget,
				Receivers: []ablate.Receiver{{Input: ablate.QueryInput, Layer: 1}, {Input: ablate.MLPInput, Layer: 1}},
				Done:      func(s, r int) error { note("%d %d\n", s, r); return nil }}
			e, err := ablate.PathPatch(ctx, m, pairs, opt)
			if err != nil {
				return models.Report{}, err
			}
			note("%v", e.Values)
			return e.Report, nil
		},
		"effects": func(ctx context.Context, note func(string, ...any)) (models.Report, error) {
			e, err := ablate.TotalAndDirect(ctx, m, pairs, ablate.EffectOptions{Nodes: heads, Metric: diff, Budget: budget})
			if err != nil {
				return models.Report{}, err
			}
			note("%v", e.Nodes)
			c, r, err := ablate.Joint(ctx, m, pairs, e.ByEffect(), diff, budget)
			if err != nil {
				return models.Report{}, err
			}
			note("%v", c.Values)
			return e.Report.Plus(r), nil
		},
		"curve": func(ctx context.Context, note func(string, ...any)) (models.Report, error) {
			c, err := ablate.KnockoutCurve(ctx, m, prompts, ablate.KnockoutCurveOptions{Order: heads, Kind: ablate.Zero, Metric: prob, Budget: budget})
			if err != nil {
				return models.Report{}, err
			}
			note("%v %v", c.Ranked.Values, c.Random)
			return c.Report, nil
		},
		"all for one": func(ctx context.Context, note func(string, ...any)) (models.Report, error) {
			table, err := ablate.CAMATable(ctx, m, prompts)
			if err != nil {
				return models.Report{}, err
			}
			a, err := ablate.StartAllForOne(ctx, m, prompts, table, ablate.AllForOneOptions{Metric: prob, Budget: budget})
			if err != nil {
				return models.Report{}, err
			}
			p, err := a.Prune(ctx, ablate.Recipe{Wait: 0, Transfer: 1, Peek: ablate.PeekEveryone}, ablate.ScoreLogProb, func(removed []ablate.Head, o ablate.Outcome) error {
				note("%v %v\n", removed, o)
				return nil
			})
			if err != nil {
				return models.Report{}, err
			}
			free := ablate.Recipe{Wait: -1, Mode: ablate.WaitFree, Transfer: m.Config.Layers, Peek: ablate.PeekEveryone}
			o, r, err := a.Apply(ctx, []ablate.Recipe{free}, true, func(int, ablate.Outcome) error { return nil })
			if err != nil {
				return models.Report{}, err
			}
			note("%v", o[0].Logits)
			return p.Report.Plus(r), nil
		},
	}
}

// text runs a study.
func (s study) text(ctx context.Context) (string, models.Report, error) {
	var out []byte
	r, err := s(ctx, func(format string, args ...any) { out = fmt.Appendf(out, format, args...) })
	return string(out), r, err
}

// TestResume cuts calls short after any number of runs, once or several times, and
// goes on: every number, and the order in which cells come, is that of a call that
// was never interrupted, and what was kept is not computed again.
func TestResume(t *testing.T) {
	for _, budget := range []ablate.Budget{{}, {Variants: 7, Rows: 5}} {
		for name, s := range studies(t, budget) {
			t.Run(fmt.Sprint(name, budget.Variants), func(t *testing.T) {
				want, whole, err := s.text(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				all := &unfinished{runs: map[string][]ablate.FinishedRun{}}
				ctx, r := ablate.Resume(t.Context(), all)
				if got, report, err := s.text(ctx); err != nil || got != want || report != whole {
					t.Errorf("a call that keeps its runs (%v) differs from one that does not; %+v, %+v", err, report, whole)
				}
				if kept, of, again := r.Kept(); kept+of+again != 0 {
					t.Errorf("%d of %d runs were kept where there were none", kept, of)
				}
				total := all.kept()
				rng := rand.New(rand.NewPCG(3, uint64(len(name))))
				for round := range 6 {
					u := &unfinished{runs: map[string][]ablate.FinishedRun{}}
					for cuts := 1 + round%3; cuts > 0; cuts-- {
						ctx, cancel := context.WithCancel(t.Context())
						u.after, u.cut = 1+rng.IntN(max(1, total-u.kept())), cancel
						ctx, _ = ablate.Resume(ctx, u)
						if _, _, err := s.text(ctx); u.after == 0 && err != nil && !errors.Is(err, context.Canceled) {
							t.Fatal(err)
						}
						cancel()
					}
					before := u.kept()
					u.cut = func() {}
					ctx, r := ablate.Resume(t.Context(), u)
					got, report, err := s.text(ctx)
					if err != nil || got != want {
						t.Fatalf("with %d of %d runs kept (%v):\n%.2000s\nwant\n%.2000s", before, total, err, got, want)
					}
					kept, of, again := r.Kept()
					if kept != before || of > total || again == 0 || again > before || u.kept() != total || u.forgot != 0 {
						t.Errorf("%d of %d runs were taken, %d computed again; %d of %d were there, %d are in the end", kept, of, again, before, total, u.kept())
					}
					if report.Variants != whole.Variants-kept+again || report.Different != 0 || report.Checked < again {
						t.Errorf("the report is %+v, that of a whole call %+v, %d kept and %d repeated", report, whole, kept, again)
					}
				}
			})
		}
	}
}

// TestResumeTakesNothingWrong changes what is kept: the result is right all the same.
func TestResumeTakesNothingWrong(t *testing.T) {
	s := studies(t, ablate.Budget{})["patch"]
	want, whole, err := s.text(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(runs []ablate.FinishedRun) []ablate.FinishedRun{
		"every number by a bit": func(runs []ablate.FinishedRun) []ablate.FinishedRun {
			for _, r := range runs {
				r.Numbers[0] = math.Nextafter(r.Numbers[0], 9)
			}
			return runs
		},
		"one cell outside":   func(runs []ablate.FinishedRun) []ablate.FinishedRun { runs[5].Cell = 1 << 20; return runs },
		"one cell below 0":   func(runs []ablate.FinishedRun) []ablate.FinishedRun { runs[5].Cell = -1; return runs },
		"one row outside":    func(runs []ablate.FinishedRun) []ablate.FinishedRun { runs[5].Row = 3; return runs },
		"one number too few": func(runs []ablate.FinishedRun) []ablate.FinishedRun { runs[5].Numbers = nil; return runs },
		"one run twice":      func(runs []ablate.FinishedRun) []ablate.FinishedRun { runs[5] = runs[6]; return runs },
	} {
		t.Run(name, func(t *testing.T) {
			u := &unfinished{runs: map[string][]ablate.FinishedRun{}}
			ctx, cancel := context.WithCancel(t.Context())
			u.after, u.cut = 40, cancel
			ctx, _ = ablate.Resume(ctx, u)
			if _, _, err := s.text(ctx); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			for sweep, runs := range u.runs {
				u.runs[sweep] = change(runs)
			}
			ctx, r := ablate.Resume(t.Context(), u)
			got, report, err := s.text(ctx)
			if err != nil || got != want {
				t.Errorf("the result is another (%v)", err)
			}
			if kept, _, again := r.Kept(); kept+again != 0 || u.forgot != 1 || report.Variants < whole.Variants || u.kept() != whole.Variants {
				t.Errorf("%d runs were taken, %d sweeps forgotten, %d runs are kept now: %+v", kept, u.forgot, u.kept(), report)
			}
		})
	}
}

// TestResumeKnowsItsSweep holds that a sweep takes nothing of another of the same
// sizes, whoever mixes up the calls that they belong to.
func TestResumeKnowsItsSweep(t *testing.T) {
	m := modeltest.GPT2(5)
	diff, err := ablate.MetricByName("logit_diff")
	if err != nil {
		t.Fatal(err)
	}
	patch := func(u *unfinished, sweep string, clean, corrupted []int) (kept int) {
		t.Helper()
		sweeps, err := ablate.PatchSweepsByName(sweep)
		if err != nil {
			t.Fatal(err)
		}
		ctx, r := ablate.Resume(t.Context(), u)
		c := []ablate.Contrast{{Clean: ablate.Prompt{IDs: clean, Answer: 1, Other: 2}, Corrupted: ablate.Prompt{IDs: corrupted, Answer: 2, Other: 1}}}
		if _, err := ablate.Patch(ctx, m, c, ablate.PatchOptions{Sweeps: sweeps, Metric: diff}, func(ablate.PatchCell) error { return nil }); err != nil {
			t.Fatal(err)
		}
		kept, _, _ = r.Kept()
		return kept
	}
	u := &unfinished{runs: map[string][]ablate.FinishedRun{}}
	patch(u, "resid_pre", []int{3, 8, 2, 7}, []int{3, 9, 2, 7})
	for name, kept := range map[string]int{
		"the same":       patch(u, "resid_pre", []int{3, 8, 2, 7}, []int{3, 9, 2, 7}) - 2*4,
		"another site":   patch(u, "mlp_out", []int{3, 8, 2, 7}, []int{3, 9, 2, 7}),
		"another base":   patch(u, "resid_pre", []int{3, 8, 2, 7}, []int{3, 1, 2, 7}),
		"another source": patch(u, "resid_pre", []int{3, 5, 2, 7}, []int{3, 9, 2, 7}),
	} {
		if kept != 0 {
			t.Errorf("%s: %d runs too many were taken", name, kept)
		}
	}
}
