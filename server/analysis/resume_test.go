package analysis_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/server/analysis"
	"orrery/viz"
)

// unfinished keeps runs in memory, and cuts the call short after some.
type unfinished struct {
	runs  map[string][]ablate.FinishedRun
	kept  int
	after int
	cut   func()
}

func (u *unfinished) Kept(sweep string) []ablate.FinishedRun { return slices.Clone(u.runs[sweep]) }
func (u *unfinished) Forget(sweep string)                    { delete(u.runs, sweep) }
func (u *unfinished) Keep(sweep string, r ablate.FinishedRun) {
	u.runs[sweep], u.kept = append(u.runs[sweep], r), u.kept+1
	if u.after--; u.after == 0 {
		u.cut()
	}
}

// cost begins the sentence of a caption that tells what was computed.
var cost = regexp.MustCompile(`The [0-9,]+ edited runs computed`)

// TestResume interrupts analyses at random runs and goes on: numbers and words are
// those of an uninterrupted call but for what tells the cost, the first figure is
// filled by the same parts, and progress counts what was left.
func TestResume(t *testing.T) {
	m := mental(t)
	for name, args := range map[string]analysis.Args{
		"activation_patching":  {"n": 5, "hi": 30, "sweep": "block_every"},
		"causal_mediation":     {"n": 5, "hi": 30, "control": true, "components": []string{"mlp", "attn", "embed"}},
		"knockout":             {"n": 6, "hi": 30, "normalise": true},
		"effects":              {"n": 5, "hi": 30},
		"causal_trace":         {"n": 4, "hi": 30},
		"integrated_gradients": {"n": 4, "hi": 30},
		"edge_patching":        {"n": 3, "hi": 30, "receivers": []string{"logits", "mlp 3"}},
		"edge_attribution":     {"n": 3, "hi": 30, "show": "top"},
		"path_patching":        {"n": 3, "hi": 30},
		"cama":                 {"n": 10, "hi": 20, "show": "grid"},
		"helix_patch":          {"n": 60, "pairs": 6},
		"neuron_fits":          {"hi": 12, "n": 40, "pairs": 3, "top": 6},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := analysis.Find(name)
			if err != nil {
				t.Fatal(err)
			}
			args["m"] = m
			bound, err := a.Bind(args)
			if err != nil {
				t.Fatal(err)
			}
			call := func(ctx context.Context, u *unfinished) (*viz.Figure, *stream, error) {
				s := &stream{t: t}
				f, err := a.Resume(ctx, bound, s.emit(), u)
				return f, s, err
			}
			want, plain := run(t, name, args)
			all := &unfinished{runs: map[string][]ablate.FinishedRun{}}
			if f, s, err := call(t.Context(), all); err != nil || !reflect.DeepEqual(throughJSON(t, f), throughJSON(t, want)) || len(s.figures) != len(plain.figures) {
				t.Fatalf("a call that keeps its runs is another (%v)", err)
			}
			rng := rand.New(rand.NewPCG(9, uint64(len(name))))
			for range 2 {
				u := &unfinished{runs: map[string][]ablate.FinishedRun{}, after: 1 + rng.IntN(all.kept)}
				ctx, cancel := context.WithCancel(t.Context())
				u.cut = cancel
				if _, _, err := call(ctx, u); err != nil && !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				cancel()
				had := u.kept
				f, s, err := call(t.Context(), u)
				if err != nil {
					t.Fatalf("behind %d of %d runs: %v", had, all.kept, err)
				}
				if c, err := viz.Compare(want, f); err != nil || !c.Exact() {
					t.Errorf("behind %d of %d runs: %+v, %v", had, all.kept, c, err)
				}
				if words, same := cost.Split(f.Caption, 2)[0], cost.Split(want.Caption, 2)[0]; words != same {
					t.Errorf("behind %d of %d runs the caption is %q, want %q", had, all.kept, words, same)
				}
				for array, a := range plain.shown.Arrays {
					if !reflect.DeepEqual(throughJSON(t, &viz.Figure{Arrays: map[string]*viz.Array{"": s.shown.Arrays[array]}}), throughJSON(t, &viz.Figure{Arrays: map[string]*viz.Array{"": a}})) {
						t.Errorf("behind %d of %d runs: parts give another %s", had, all.kept, array)
					}
				}
				if s.parts != plain.parts || !strings.Contains(f.Caption, "Kept from an interrupted run: "+f.Provenance.Resumed) || !strings.HasSuffix(f.Provenance.Resumed, " edited runs") {
					t.Errorf("%d parts, without an interrupt %d; resumed %q: %s", s.parts, plain.parts, f.Provenance.Resumed, f.Caption)
				}
				for i, p := range s.progress {
					if p[0] < 0 || p[0] > p[1] || p[1] > plain.progress[min(i, len(plain.progress)-1)][1] {
						t.Errorf("progress %v at %d: uninterrupted %v", p, i, plain.progress)
					}
				}
				if last := s.progress[len(s.progress)-1]; last[0] != last[1] {
					t.Errorf("progress ends at %v", last)
				}
			}
		})
	}
}

// TestProgressOfWhatIsLeft holds that cells that are kept are no progress.
func TestProgressOfWhatIsLeft(t *testing.T) {
	a, err := analysis.Find("activation_patching")
	if err != nil {
		t.Fatal(err)
	}
	bound, err := a.Bind(analysis.Args{"m": mental(t), "clean": "34+57=", "corrupted": "12+57="})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	u := &unfinished{runs: map[string][]ablate.FinishedRun{}, after: 12, cut: cancel}
	s := &stream{t: t}
	if _, err := a.Resume(ctx, bound, s.emit(), u); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	s = &stream{t: t}
	if _, err := a.Resume(t.Context(), bound, s.emit(), u); err != nil {
		t.Fatal(err)
	}
	var want [][2]int
	for total := 20; total > 8; total-- { // 4 layers of 5 tokens, of which 12 are taken
		want = append(want, [2]int{0, total})
	}
	for done := range 9 {
		want = append(want, [2]int{done, 8})
	}
	if !slices.Equal(s.progress, want) {
		t.Errorf("progress %v, want %v", s.progress, want)
	}
}
