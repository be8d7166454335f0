package models

// arena hands out the float32 scratch memory of one run from large slabs, so
// that a run of known sizes allocates nothing the second time. What it hands
// out is not cleared.
type arena struct {
	slabs [][]float32
	slab  int // the slab in use
	used  int // floats handed out of it

	streams [2][]float32 // two buffers for residual streams, used in turn
	turn    int          // the one in use
}

// slabSize is the length of a slab in floats, 4 MiB. Larger wishes get a slab
// of their own.
const slabSize = 1 << 20

// take returns n floats of any content, valid until release or reuse.
func (a *arena) take(n int) []float32 {
	for ; a.slab < len(a.slabs); a.slab, a.used = a.slab+1, 0 {
		if s := a.slabs[a.slab]; a.used+n <= len(s) {
			a.used += n
			return s[a.used-n : a.used : a.used]
		}
	}
	a.slabs = append(a.slabs, make([]float32, max(n, slabSize)))
	a.used = n
	return a.slabs[a.slab][:n:n]
}

// zeros is take with every float 0.
func (a *arena) zeros(n int) []float32 {
	x := a.take(n)
	clear(x)
	return x
}

// clone is a copy of x.
func (a *arena) clone(x []float32) []float32 {
	y := a.take(len(x))
	copy(y, x)
	return y
}

// mark remembers what has been handed out.
func (a *arena) mark() [2]int { return [2]int{a.slab, a.used} }

// release takes back everything handed out since mark.
func (a *arena) release(mark [2]int) { a.slab, a.used = mark[0], mark[1] }
