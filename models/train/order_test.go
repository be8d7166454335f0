package train

import (
	"slices"
	"testing"
)

// Over every epoch each example comes once, also where batches straddle two.
func TestOrderDealsEveryExample(t *testing.T) {
	const n, batch, epochs = 30, 12, 4
	o := newOrder(n, batch, 7)
	var dealt []int
	for step := 1; step*batch <= n*epochs; step++ {
		dealt = append(dealt, o.indices(step)...)
	}
	var first []int
	for e := range epochs {
		epoch := slices.Clone(dealt[e*n : (e+1)*n])
		if e == 0 {
			first = slices.Clone(epoch)
		} else if slices.Equal(epoch, first) {
			t.Errorf("epoch %d repeats the order of the first", e)
		}
		slices.Sort(epoch)
		for i, v := range epoch {
			if i != v {
				t.Fatalf("epoch %d deals %v", e, epoch)
			}
		}
	}
}

// A step's batch does not depend on the steps before it.
func TestOrderHasNoMemory(t *testing.T) {
	o := newOrder(30, 12, 7)
	for step := 1; step <= 20; step++ {
		want := newOrder(30, 12, 7).indices(step)
		if got := o.indices(step); !slices.Equal(got, want) {
			t.Errorf("step %d: %v in a run, %v alone", step, got, want)
		}
	}
	if slices.Equal(newOrder(30, 12, 8).indices(1), newOrder(30, 12, 7).indices(1)) {
		t.Error("two seeds give the same batch")
	}
}

// What a seed means must not change from release to release: shipped models
// could not be made again.
func TestPermutationIsFixed(t *testing.T) {
	if got, want := permutation(10, 1, streamSplit), []int{2, 5, 8, 3, 4, 1, 7, 6, 0, 9}; !slices.Equal(got, want) {
		t.Errorf("permutation %v, want %v", got, want)
	}
	if got := permutation(1, 1, 1); !slices.Equal(got, []int{0}) {
		t.Errorf("permutation of one: %v", got)
	}
}
