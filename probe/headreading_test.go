package probe_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"orrery/models/modeltest"
	"orrery/probe"
)

// TestReadHead: every head of the toy writes what PyTorch says to the two
// answers, and attends as the recorded patterns do.
func TestReadHead(t *testing.T) {
	m, _, _ := toy(t)
	g := toyAttribution
	patterns, err := probe.MeanPatterns(context.Background(), m, [][]int{g.ids}, nil, func(int) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for l := range 3 {
		for h, want := range g.heads[l] {
			r, err := probe.ReadHead(context.Background(), m, g.ids, l, h, g.position-len(g.ids))
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Writes[g.correct] - r.Writes[g.wrong]; !(math.Abs(got-want) <= 1e-5) {
				t.Errorf("head %d.%d writes %.7f, want %.7f", l, h, got, want)
			}
			if d := r.Pattern.MaxDifference(patterns.Mean[l].Sub(h)); !(d <= 1e-7) {
				t.Errorf("head %d.%d: pattern differs by %g", l, h, d)
			}
			z := r.Logits.Sub(g.position).Data
			if d := float64(z[g.correct] - z[g.wrong]); !(math.Abs(d-g.whole) <= 1e-5) {
				t.Errorf("the logits differ by %g, want %g", d, g.whole)
			}
		}
	}
	for _, at := range [][3]int{{3, 0, 0}, {-1, 0, 0}, {0, 4, 0}, {0, 0, 14}, {0, 0, -15}} {
		if _, err := probe.ReadHead(context.Background(), m, g.ids, at[0], at[1], at[2]); err == nil {
			t.Errorf("%v is read", at)
		}
	}
}

// TestReadHeadOfEveryFamily: what a head writes is its bar of the direct logit
// attribution, whatever stands between head and stream.
func TestReadHeadOfEveryFamily(t *testing.T) {
	for _, m := range modeltest.Kinds(1) {
		ids := []int{1, 5, 3, 2, 4}
		d, err := probe.DirectAttribution(context.Background(), m, ids, probe.DirectOptions{By: probe.ByHead, Position: 3, Answer: 2, Incorrect: 3})
		if err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		bars := map[string]float64{}
		for _, p := range d.Parts {
			bars[p.Label] = p.Value
		}
		for l := range m.Config.Layers {
			for h := range m.Config.Heads {
				r, err := probe.ReadHead(context.Background(), m, ids, l, h, 3)
				if err != nil {
					t.Fatalf("%s: %v", m.Name, err)
				}
				want, ok := bars[fmt.Sprintf("L%dH%d", l, h)]
				if got := r.Writes[2] - r.Writes[3]; !ok || !(math.Abs(got-want) <= 1e-5*(1+math.Abs(want))) {
					t.Errorf("%s: head %d.%d writes %g, want %g", m.Name, l, h, got, want)
				}
			}
		}
	}
}
