package kernel

import (
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
// panel[s][i] = rows[i*k+s]. It goes over the steps by blocks, so that the lines
// of the panel that are written stay in the first cache.
func packPanelHalf(panel, rows []uint16, live, k int) {
	const block = 256
	for s := 0; s < k; s += block {
		end := min(s+block, k)
		for i := range live {
			row := rows[i*k+s : i*k+end]
			at := panel[s*panelCols+i:]
			for x, v := range row {
				at[x*panelCols] = v
			}
		}
	}
}
