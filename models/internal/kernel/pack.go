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

// PackNN packs b[k,n], weights stored [in,out]. It keeps no reference to b.
func PackNN(b []float32, k, n int) *Packed {
	check("kernel: pack", nil, nil, b, 0, k, n)
	p := &Packed{panels: make([]float32, panelled(n)*k), n: n, k: k}
	p.each(func(j, live int) {
		packPanels(p.panels[j*k:(j+panelCols)*k], b[j:], live, k, n)
	})
	return p
}

// PackHalf packs src[n,k], 16-bit weights stored [out,in], and keeps them at
// that width. It keeps no reference to src.
func PackHalf(src []uint16, kind Half, n, k int) *Packed {
	p := newHalf(src, kind, n, k)
	p.each(func(j, live int) {
		packHalvesT(p.halves[j*k:(j+panelCols)*k], src[j*k:], live, k)
	})
	return p
}

// PackHalfNN packs src[k,n], 16-bit weights stored [in,out], and keeps them at
// that width. It keeps no reference to src.
func PackHalfNN(src []uint16, kind Half, k, n int) *Packed {
	p := newHalf(src, kind, n, k)
	p.each(func(j, live int) {
		for s := range k {
			copy(p.halves[j*k+s*panelCols:], src[s*n+j:s*n+j+live])
		}
	})
	return p
}

// newHalf returns empty panels for src.
func newHalf(src []uint16, kind Half, n, k int) *Packed {
	if n < 0 || k < 0 || len(src) < n*k || kind != BF16 && kind != F16 {
		panic(tensor.ShapeError{Op: "kernel: pack half: sizes n k, length and kind",
			Got: []int{n, k, len(src), int(kind)}, Want: []int{n, k, n * k, int(BF16)}})
	}
	return &Packed{halves: make([]uint16, panelled(n)*k), kind: kind, n: n, k: k}
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

// Unpack returns W as it was before packing, [n,k], widened to float32.
func (p *Packed) Unpack() []float32 {
	b := make([]float32, p.n*p.k)
	p.each(func(j, live int) {
		for i := range live {
			p.unpack(b[(j+i)*p.k:], 1, j+i)
		}
	})
	runtime.KeepAlive(p)
	return b
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

// back returns the right side of a backward product: its columns are inputs at
// to at+cols of W and its steps are depth outputs from j.
func (p *Packed) back(s *scratch, at, cols, j, depth int) side {
	for done := 0; done < depth; {
		lane := (j + done) % panelCols
		live := min(panelCols-lane, depth-done)
		from := (j+done-lane)*p.k + at*panelCols
		var panel []float32
		if p.halves == nil {
			panel = p.panels[from : from+cols*panelCols]
		} else {
			panel = s.wide[:cols*panelCols]
			widen(panel, p.halves[from:from+cols*panelCols], p.kind)
		}
		turnPanel(s.b[done*panelCols:], panel[lane:], cols, live, depth)
		done += live
	}
	return side{data: s.b[:], group: depth * panelCols, step: panelCols}
}
