package kernel

import (
	"encoding/binary"
	"runtime"
	"unsafe"

	"orrery/models/tensor"
)

// Packer packs a matrix piece by piece: a large one need never be in memory
// twice. Its panels, from heldBytes on, lie outside of the memory that the
// garbage collector paces itself by, and go when nothing refers to the matrix
// any more: a model's weights stay for long, and garbage may not grow to their
// size before it is collected.
type Packer struct{ p *Packed }

// heldBytes is the size from which panels lie outside of the collector's memory.
const heldBytes = 1 << 20

// NewPacker returns a packer for W[n,k] of a 16-bit kind, or of float32 for kind
// 0. It panics with a tensor.ShapeError for impossible sizes.
func NewPacker(kind Half, n, k int) *Packer {
	if n < 0 || k < 0 || kind != 0 && kind != BF16 && kind != F16 {
		panic(tensor.ShapeError{Op: "kernel: packer: sizes n k, and kind", Got: []int{n, k, int(kind)}, Want: []int{0, 0, int(BF16)}})
	}
	p := &Packed{kind: kind, n: n, k: k}
	if size := panelled(n) * k; kind == 0 {
		p.panels = hold[float32](p, size)
	} else {
		p.halves = hold[uint16](p, size)
	}
	return &Packer{p}
}

// hold returns zeros for the panels of p.
func hold[T float32 | uint16](p *Packed, n int) []T {
	size := n * int(unsafe.Sizeof(T(0)))
	if size < heldBytes {
		return make([]T, n)
	}
	b, err := mapMemory(size)
	if err != nil { // the collector's memory does as well
		return make([]T, n)
	}
	runtime.AddCleanup(p, unmapMemory, b)
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

// Floats packs rows, whole rows of W from row j on. The first row must be a
// multiple of 16, and the kind float32. It keeps no reference to rows.
func (b *Packer) Floats(j int, rows []float32) {
	p := b.p
	p.piece(j, len(rows), p.panels != nil || p.n*p.k == 0, func(q, at, live int) {
		packPanelsT(p.panels[q*p.k:(q+panelCols)*p.k], rows[at:], live, p.k, p.k)
	})
}

// Halves is Floats for a 16-bit kind.
func (b *Packer) Halves(j int, rows []uint16) {
	p := b.p
	p.piece(j, len(rows), p.halves != nil || p.n*p.k == 0, func(q, at, live int) {
		packPanelHalf(p.halves[q*p.k:(q+panelCols)*p.k], rows[at:], live, p.k)
	})
}

// piece calls fn for every panel of a piece of size numbers that starts at row
// j, in parallel: for the panel's first row, its place in the piece, and its
// number of rows.
func (p *Packed) piece(j, size int, fits bool, fn func(q, at, live int)) {
	if p.k == 0 || size == 0 {
		return
	}
	count := size / p.k
	if !fits || j < 0 || j%panelCols != 0 || size%p.k != 0 || j+count > p.n || count%panelCols != 0 && j+count < p.n {
		panic(tensor.ShapeError{Op: "kernel: packer: first row and length of a piece", Got: []int{j, size}, Want: []int{p.n, p.k}})
	}
	Do(panelled(count)/panelCols, 1+(1<<15)/(panelCols*p.k), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			at := i * panelCols
			fn(j+at, at*p.k, min(panelCols, count-at))
		}
	})
	runtime.KeepAlive(p)
}

// Packed returns the matrix, when all of its rows have been packed. The packer
// must not be used any more.
func (b *Packer) Packed() *Packed { return b.p }

// packPanelHalf packs rows rows of 16-bit numbers, k each, into one panel:
// panel[16s+i] = rows[i*k+s]. It turns squares of four by four, each row of
// which is a word of 64 bits, where the machine's byte order is that of the
// words; and goes over the steps by blocks, so that the lines of the panel that
// are written stay in the first cache.
func packPanelHalf(panel, rows []uint16, live, k int) {
	const block = 256
	for s0 := 0; s0 < k; s0 += block {
		end := min(s0+block, k)
		i := 0
		for ; littleEndian && i+4 <= live; i += 4 {
			s := s0
			for ; s+4 <= end; s += 4 {
				a, b := word(rows, i*k+s), word(rows, (i+1)*k+s)
				c, d := word(rows, (i+2)*k+s), word(rows, (i+3)*k+s)
				// Pairs of columns, then single ones.
				const low = 0x0000ffff_0000ffff
				ab0, ab1 := a&low|b&low<<16, a>>16&low|b&^low
				cd0, cd1 := c&low|d&low<<16, c>>16&low|d&^low
				setWord(panel, s*panelCols+i, ab0&0xffffffff|cd0<<32)
				setWord(panel, (s+1)*panelCols+i, ab1&0xffffffff|cd1<<32)
				setWord(panel, (s+2)*panelCols+i, ab0>>32|cd0&^0xffffffff)
				setWord(panel, (s+3)*panelCols+i, ab1>>32|cd1&^0xffffffff)
			}
			for j := i; j < i+4; j++ {
				spread(panel, rows, j, s, end, k)
			}
		}
		for ; i < live; i++ {
			spread(panel, rows, i, s0, end, k)
		}
	}
}

// spread is packPanelHalf for steps s to end of row i.
func spread(panel, rows []uint16, i, s, end, k int) {
	for ; s < end; s++ {
		panel[s*panelCols+i] = rows[i*k+s]
	}
}

// littleEndian tells whether the first of four numbers is the lowest of a word.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// word is the numbers at to at+3 as they stand in memory.
func word(x []uint16, at int) uint64 { return *(*uint64)(unsafe.Pointer((*[4]uint16)(x[at : at+4]))) }

// setWord puts four numbers there.
func setWord(x []uint16, at int, w uint64) {
	*(*uint64)(unsafe.Pointer((*[4]uint16)(x[at : at+4]))) = w
}
