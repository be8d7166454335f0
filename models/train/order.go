package train

import (
	"math/bits"
	"math/rand/v2"
)

// Streams of random numbers that one seed gives. Epoch e of the prompts' order
// takes stream streamOrder + e. A task that is drawn has a seed of its own.
const (
	streamSplit uint64 = 1
	streamTask  uint64 = 2
	streamOrder uint64 = 1 << 32
)

// permutation returns 0..n−1 shuffled (Fisher-Yates). It is spelled out, on the
// generator's raw output, so that a seed means the same order in every release
// of Go.
func permutation(n int, seed, stream uint64) []int {
	rng := rand.NewPCG(seed, stream)
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	for i := n - 1; i > 0; i-- {
		j, _ := bits.Mul64(rng.Uint64(), uint64(i+1)) // uniform in 0..i up to 2⁻⁴⁰
		p[i], p[j] = p[j], p[i]
	}
	return p
}

// order deals n examples in batches: every epoch is a new permutation of all of
// them, and batches run on across epochs. What a step gets depends on seed and
// step alone, so that a resumed run needs no other memory of the order.
type order struct {
	n, batch int
	seed     uint64
	epoch    int   // that perm belongs to, -1 at first
	perm     []int // [n]
}

func newOrder(n, batch int, seed uint64) *order {
	return &order{n: n, batch: batch, seed: seed, epoch: -1}
}

// indices returns the batch of a step, counted from 1.
func (o *order) indices(step int) []int {
	out := make([]int, o.batch)
	for i := range out {
		at := (step-1)*o.batch + i
		if e := at / o.n; e != o.epoch {
			o.epoch, o.perm = e, permutation(o.n, o.seed, streamOrder+uint64(e))
		}
		out[i] = o.perm[at%o.n]
	}
	return out
}
