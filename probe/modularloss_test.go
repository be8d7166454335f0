package probe_test

import (
	"context"
	"testing"

	"orrery/models/zoo"
	"orrery/probe"
)

// TestPairLossIsTheSubsetsLoss compares it with the loss of a run of all pairs, to the
// bit, for pairs in any order.
func TestPairLossIsTheSubsetsLoss(t *testing.T) {
	m := must(zoo.Open("modadd-59-clock"))(t)
	a := must(probe.FindModularAdder(m))(t)
	run := must(probe.RunModular(context.Background(), m, a))(t)
	logits := must(probe.NewModularLogits(run.Logits, a.P))(t)
	var pairs []int
	for i := range a.P * a.P / 3 {
		pairs = append(pairs, (1000+i*7)%(a.P*a.P))
	}
	want := must(logits.Loss(pairs))(t).Subset
	got := must(probe.PairLoss(context.Background(), m, a, pairs))(t)
	if got != want || !(got > 0) {
		t.Errorf("the loss of %d pairs is %g, of a run of all %g", len(pairs), got, want)
	}
	for _, bad := range [][]int{nil, {-1}, {a.P * a.P}} {
		if _, err := probe.PairLoss(context.Background(), m, a, bad); err == nil {
			t.Errorf("pairs %v are taken", bad)
		}
	}
}
