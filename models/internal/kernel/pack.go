package kernel

import (
	"runtime"

	"orrery/models/tensor"
)

// Packed is a weight matrix W[n,k], n outputs by k inputs, laid out for
// products: panels of 16 rows, each [k][16], so that a tile reads it in the
// order of memory. It holds all that a model needs of W: no plain copy has to
// stay beside it. It is immutable and safe for concurrent use.
//
// Values are float32 or 16 bit wide; the latter are widened inside the
// products, exactly, so that every result has the bits of the widened matrix.
type Packed struct {
	panels []float32 // [ceil(n/16)][k][16], zero beyond n; nil for a 16-bit kind
	halves []uint16  // the same in 16 bits
	kind   Half      // of halves
	n, k   int
}

// PackNT packs b[n,k], weights stored [out,in]. It keeps no reference to b.
func PackNT(b []float32, n, k int) *Packed {
	check("kernel: pack", nil, nil, b, 0, k, n)
	p := &Packed{panels: make([]float32, panelled(n)*k), n: n, k: k}
	p.each(func(j, live int) {
		packPanelsT(p.panels[j*k:(j+panelCols)*k], b[j*k:], live, k, k)
	})
	return p
}

// panelled is n rounded up to whole panels.
func panelled(n int) int { return (n + panelCols - 1) / panelCols * panelCols }

// each calls fn for every panel, in parallel: for its first row and its number
// of rows.
func (p *Packed) each(fn func(j, live int)) {
	if p.k == 0 {
		return
	}
	Do(panelled(p.n)/panelCols, 1+(1<<15)/(panelCols*p.k), func(lo, hi int) {
		for q := lo; q < hi; q++ {
			fn(q*panelCols, min(panelCols, p.n-q*panelCols))
		}
	})
}

// MatMul is c[m,n] = a[m,k]·Wᵀ, or c += when add is set, with the bits of
// MatMulNT. c must not overlap a.
func (p *Packed) MatMul(c, a []float32, m int, add bool) {
	p.whole().MatMul(c, p.n, a, p.k, m, add)
}

// MatMulNN is the backward product dx[m,k] = dy[m,n]·W, or dx += when add is
// set, with the bits of the function MatMulNN. dx must not overlap dy.
func (p *Packed) MatMulNN(dx, dy []float32, m int, add bool) {
	p.whole().MatMulNN(dx, p.k, dy, p.n, m, add)
}

// Columns computes chosen outputs only: c[m,len(cols)] = a[m,k]·W[cols]ᵀ, each
// with the bits that MatMul gives it. Who needs the same columns again keeps
// what Select returns. c must not overlap a.
func (p *Packed) Columns(c, a []float32, m int, cols []int) {
	p.Select(cols).MatMul(c, a, m, false)
}

// Select packs rows cols of W, in that order; a row may come twice. Its
// products have the bits that the rows have in those of p.
func (p *Packed) Select(cols []int) *Packed {
	s := &Packed{panels: make([]float32, panelled(len(cols))*p.k), n: len(cols), k: p.k}
	s.each(func(j, live int) {
		for i, col := range cols[j : j+live] {
			p.checkRow("kernel: select", col)
			p.unpack(s.panels[j*p.k+i:], panelCols, col)
		}
	})
	runtime.KeepAlive(p)
	return s
}

// Row writes row j of W, the k weights of one output, to dst[k].
func (p *Packed) Row(dst []float32, j int) {
	p.checkRow("kernel: row", j)
	atLeast("kernel: row", p.k, len(dst))
	p.unpack(dst, 1, j)
	runtime.KeepAlive(p)
}

// Bytes is the memory that the panels take.
func (p *Packed) Bytes() int { return 4*len(p.panels) + 2*len(p.halves) }

// Size returns the number of outputs and of inputs.
func (p *Packed) Size() (n, k int) { return p.n, p.k }

// checkRow panics unless there is a row j.
func (p *Packed) checkRow(op string, j int) {
	if j < 0 || j >= p.n {
		panic(tensor.ShapeError{Op: op + ": row, and number of rows", Got: []int{j, p.n}, Want: []int{p.n - 1, p.n}})
	}
}

// unpack writes row j of W to every step-th place of dst.
func (p *Packed) unpack(dst []float32, step, j int) {
	at := j/panelCols*panelCols*p.k + j%panelCols
	if p.halves != nil {
		for s := range p.k {
			dst[s*step] = p.kind.widen(p.halves[at+s*panelCols])
		}
		return
	}
	for s := range p.k {
		dst[s*step] = p.panels[at+s*panelCols]
	}
}

// direct returns the panels of W from the one of row j on, and the steps from at
// on, as they lie.
func (p *Packed) direct(j, at int) side {
	r := side{kind: p.kind, group: p.k * panelCols, step: panelCols}
	if from := j*p.k + at*panelCols; p.halves != nil {
		r.halves = p.halves[from:]
	} else {
		r.data = p.panels[from:]
	}
	return r
}

// side returns panels of W from the one of row j on, and depth steps from at,
// in float32; 16-bit ones are widened into the scratch.
func (p *Packed) side(s *scratch, j, panels, at, depth int) side {
	if p.halves == nil {
		return p.direct(j, at)
	}
	for q := range panels {
		from := (j+q*panelCols)*p.k + at*panelCols
		widen(s.b[q*depth*panelCols:(q+1)*depth*panelCols], p.halves[from:from+depth*panelCols], p.kind)
	}
	return side{data: s.b[:], group: depth * panelCols, step: panelCols}
}
