package kernel

import "sync"

// Sizes of the blocks that a product is cut into. A tile of c is tileRows by
// panelCols and stays in registers; a panel of b is panelCols wide; blockK
// steps of k of one panel (16 KiB) stay in the first cache, and blockK steps
// of blockRows rows and of blockPanels panels in the second. None of them
// changes a bit of the result, as a chain over k goes on from c in memory.
const (
	tileRows    = 6
	panelCols   = 16
	stripRows   = 12 // rows of a transposed left side that are packed together
	blockK      = 256
	blockRows   = 96
	blockPanels = 32
)

// Work, in multiply-adds, that is worth handing to another thread (about 3 µs),
// and that is worth a finer split, against threads that are held up.
const (
	splitWork = 1 << 17
	fineWork  = 1 << 23
)

// product is one matrix product: c[i,j] (+)= Σp a[i,p]·b[j,p] over i < m, j < n
// and p < k, with strides in elements that say where the elements lie.
type product struct {
	c, a, b  []float32
	ldc      int     // c[i,j] stands at i*ldc + j
	ars, aks int     // a[i,p] stands at i*ars + p*aks
	bjs, bps int     // b[j,p] stands at j*bjs + p*bps
	w        *Packed // in place of b: its block from output n0 and input k0 on
	n0, k0   int
	back     bool // w's outputs are the steps p and its inputs the columns j
	m, k, n  int
	add      bool
}

// scratch holds one goroutine's packed blocks of a and b, and a tile of c at
// the right edge.
type scratch struct {
	a    [blockRows * blockK]float32
	b    [blockPanels * panelCols * blockK]float32
	edge [tileRows * panelCols]float32
	wide [blockPanels * panelCols * panelCols]float32 // 16-bit weights, widened
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// run computes the product on all threads where that pays.
func (p product) run() {
	if p.m == 0 || p.n == 0 {
		return
	}
	if p.k == 0 {
		for i := 0; i < p.m && !p.add; i++ {
			clear(p.c[i*p.ldc : i*p.ldc+p.n])
		}
		return
	}
	work := p.m * p.n * p.k
	if work < 2*splitWork || Threads() == 1 {
		p.block(0, p.m, 0, p.shift()+p.n)
		return
	}
	p.split(work)
}

// shift is how far into its panel the first column lies. Blocks count columns
// from the start of that panel.
func (p product) shift() int {
	if p.w == nil || p.back {
		return 0
	}
	return p.n0 % panelCols
}

// split cuts c into rectangles, always across the longer side so that little
// is packed twice, and computes them on the team.
func (p product) split(work int) {
	want := min(Threads(), work/splitWork)
	if work >= fineWork*want {
		want *= 2
	}
	n, rows, cols := p.shift()+p.n, 1, 1 // numbers of columns and of parts
	for rows*cols < want {
		r, c := p.m/rows, n/cols
		switch {
		case r >= c && r >= 2*stripRows:
			rows++
		case c >= 2*panelCols:
			cols++
		case r >= 2*stripRows:
			rows++
		default:
			want = 0
		}
	}
	high := (p.m + rows*stripRows - 1) / (rows * stripRows) * stripRows
	wide := (n + cols*panelCols - 1) / (cols * panelCols) * panelCols
	Do(rows*cols, 1, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			i, j := t/cols*high, t%cols*wide
			p.block(i, min(i+high, p.m), j, min(j+wide, n))
		}
	})
}

// block computes rows i0 to i1 and columns j0 to j1 of c, counted from the start
// of the first panel; j0 is at a panel.
func (p product) block(i0, i1, j0, j1 int) {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	shift := p.shift()
	for j := j0; j < j1; j += blockPanels * panelCols {
		jEnd, skip := min(j+blockPanels*panelCols, j1), max(0, shift-j)
		for at := 0; at < p.k; at += blockK {
			depth := min(blockK, p.k-at)
			right := p.rightSide(s, j, jEnd, at, depth)
			for i := i0; i < i1; i += blockRows {
				iEnd := min(i+blockRows, i1)
				left := p.leftSide(s, i, iEnd, at, depth)
				t := tiles{c: p.c[i*p.ldc+j+skip-shift:], ldc: p.ldc, left: left, right: right, skip: skip,
					rows: iEnd - i, cols: jEnd - j, k: depth, load: p.add || at > 0}
				t.run(&s.edge)
			}
		}
	}
}

// side is a block of a or b as tiles read it: groups of rows (of a: strips, of
// b: panels) at distance group, the rows of one at distance row, and the steps
// over k at distance step, in elements.
type side struct {
	data             []float32
	group, row, step int
}

// leftSide returns rows i to iEnd and depth steps from at of a, packed when
// its rows are not contiguous.
func (p product) leftSide(s *scratch, i, iEnd, at, depth int) side {
	if p.aks == 1 {
		return side{data: p.a[i*p.ars+at:], group: stripRows * p.ars, row: p.ars, step: 1}
	}
	packStrips(s.a[:], p.a[i*p.ars+at*p.aks:], iEnd-i, depth, p.aks)
	return side{data: s.a[:], group: stripRows * depth, row: 1, step: stripRows}
}

// rightSide returns columns j to jEnd and depth steps from at of b as panels.
// For a few rows whole panels are read where they lie, if their rows are
// contiguous: packing would cost more than the product.
func (p product) rightSide(s *scratch, j, jEnd, at, depth int) side {
	if p.w != nil && p.back {
		return p.w.back(s, p.k0+j, jEnd-j, p.n0+at, depth)
	}
	if p.w != nil {
		return p.w.side(s, p.n0/panelCols*panelCols+j, (jEnd-j+panelCols-1)/panelCols, p.k0+at, depth)
	}
	if p.bjs == 1 && p.m < stripRows && (jEnd-j)%panelCols == 0 {
		return side{data: p.b[j+at*p.bps:], group: panelCols, row: 1, step: p.bps}
	}
	if p.bps == 1 {
		packPanelsT(s.b[:], p.b[j*p.bjs+at:], jEnd-j, depth, p.bjs)
	} else {
		packPanels(s.b[:], p.b[j+at*p.bps:], jEnd-j, depth, p.bps)
	}
	return side{data: s.b[:], group: depth * panelCols, row: 1, step: panelCols}
}
