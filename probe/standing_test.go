package probe_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"orrery/probe"
)

// TestTopTokens compares the best tokens behind the prompt with the
// reference's last state, which is the model's own output.
func TestTopTokens(t *testing.T) {
	m, g, f := toy(t)
	top, err := probe.TopTokens(context.Background(), m, g.IDs, 5)
	if err != nil {
		t.Fatal(err)
	}
	ids, shape, err := f.Int64s("out.lens.top_ids")
	if err != nil {
		t.Fatal(err)
	}
	logits, err := f.Float32("out.lens.top_logits")
	if err != nil {
		t.Fatal(err)
	}
	last := (shape[0]*shape[1] - 1) * 5
	for k, s := range top {
		if int64(s.ID) != ids[last+k] || s.Rank != k+1 || !(math.Abs(s.Logit-float64(logits.Data[last+k])) <= 1e-5) {
			t.Errorf("place %d: %+v, want token %d with logit %g", k+1, s, ids[last+k], logits.Data[last+k])
		}
	}
}

// TestTrajectory compares a followed token with the reference's lens: the
// final top token of a position is what the reference follows there.
func TestTrajectory(t *testing.T) {
	m, g, f := toy(t)
	want, err := f.Float32("out.lens.logprob_final_top1")
	if err != nil {
		t.Fatal(err)
	}
	ranks, _, err := f.Int64s("out.lens.rank_final_top1")
	if err != nil {
		t.Fatal(err)
	}
	ids, shape, err := f.Int64s("out.lens.top_ids")
	if err != nil {
		t.Fatal(err)
	}
	const position = -3
	at := len(g.IDs) + position
	target := int(ids[((shape[0]-1)*shape[1]+at)*5])
	points, err := probe.Trajectory(context.Background(), m, g.IDs, position, []int{target, 0}, probe.LensOptions{Mid: true}, func(probe.TrajectoryPoint) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if len(points) != len(g.States) {
		t.Fatalf("%d points, want %d", len(points), len(g.States))
	}
	for i, p := range points {
		s := p.Tokens[0]
		if p.State != g.States[i] || s.Rank != int(ranks[i*len(g.IDs)+at]) || !(math.Abs(s.LogProb-float64(want.At(i, at))) <= 1e-5*(1+math.Abs(s.LogProb))) {
			t.Errorf("%s: %+v, want rank %d and log-probability %g", p.State, s, ranks[i*len(g.IDs)+at], want.At(i, at))
		}
	}
}

func TestTrajectoryRefuses(t *testing.T) {
	m, g, _ := toy(t)
	for _, test := range []struct {
		name     string
		position int
		tokens   []int
	}{
		{"position behind the end", len(g.IDs), []int{1}},
		{"position before the start", -len(g.IDs) - 1, []int{1}},
		{"token outside the vocabulary", 0, []int{40}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := probe.Trajectory(context.Background(), m, g.IDs, test.position, test.tokens, probe.LensOptions{}, func(probe.TrajectoryPoint) error { return nil }); err == nil {
				t.Error("no error")
			}
		})
	}
	stop := errors.New("enough")
	if points, err := probe.Trajectory(context.Background(), m, g.IDs, 0, nil, probe.LensOptions{}, func(probe.TrajectoryPoint) error { return stop }); !errors.Is(err, stop) || len(points) != 1 {
		t.Errorf("stopped with %v after %d points", err, len(points))
	}
}
