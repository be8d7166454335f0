package kernel

import "sync"

// Sizes of the blocks that a product is cut into. A tile of c has up to
// tileRows() rows and some panels and stays in registers; a panel of b is
// panelCols wide; blockK steps of k of one panel (16 KiB) stay in the first
// cache, and blockK steps of blockRows rows and of blockPanels panels in the
// second. A product of few rows, which reads b once from memory, takes deepK
// steps at a time, in the order of memory. None of them changes a bit of the
// result, as a chain over k goes on from c in memory.
const (
	panelCols   = 16
	blockK      = 256
	blockRows   = 120
	blockPanels = 32
	deepK       = 4096
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
	a    [turnedRows * (blockK + apart)]float32
	b    [packedCols * blockK]float32
	edge [maxTileRows * panelCols]float32
	// For backward products: dx turned, and 16-bit weights widened.
	turned [backInputs * backRows]float32
	wide   [backPanels * backInputs * panelCols]float32
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
	tall := 2 * tileRows()
	for rows*cols < want {
		r, c := p.m/rows, n/cols
		switch {
		case r >= c && r >= 2*tall:
			rows++
		case c >= 2*panelCols:
			cols++
		case r >= 2*tall:
			rows++
		default:
			want = 0
		}
	}
	high := (p.m + rows - 1) / rows
	if p.back {
		high = panelled(high)
	}
	wide := (n + cols*panelCols - 1) / (cols * panelCols) * panelCols
	Do(rows*cols, 1, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			if i, j := t/cols*high, t%cols*wide; i < p.m {
				p.block(i, min(i+high, p.m), j, min(j+wide, n))
			}
		}
	})
}

// fewRows is the most rows for which a product reads packed weights as they lie
// and through all of k, because so few rows share what is read.
const fewRows = 24

// few says whether the product is one of few rows.
func (p product) few() bool {
	return p.m <= fewRows && p.w != nil && (p.w.halves == nil || active != nil)
}

// block computes rows i0 to i1 and columns j0 to j1 of c, counted from the start
// of the first panel; j0 is at a panel.
func (p product) block(i0, i1, j0, j1 int) {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	switch {
	case p.back:
		p.backBlock(s, i0, i1, j0, j1)
		return
	case p.aks != 1:
		p.turnedBlock(s, i0, i1, j0, j1)
		return
	}
	shift, deep := p.shift(), blockK
	if p.few() {
		deep = deepK
	}
	across := blockPanels * panelCols * (blockK / min(blockK, p.k)) // as many panels as the scratch holds
	if p.fight() && p.w != nil && p.w.halves == nil {
		across *= 2 // b stays where it is, so that rows are packed less often
	}
	for j := j0; j < j1; j += across {
		jEnd, skip := min(j+across, j1), max(0, shift-j)
		for at := 0; at < p.k; at += deep {
			depth := min(deep, p.k-at)
			t := tiles{ldc: p.ldc, right: p.rightSide(s, j, jEnd, at, depth), skip: skip, cols: jEnd - j, k: depth, load: p.add || at > 0}
			for n, i := range heights(i1-i0, (i1-i0+blockRows-1)/blockRows) {
				t.left, t.lda = p.leftSide(s, i0+i, n, at, depth)
				t.rows, t.c = n, p.c[(i0+i)*p.ldc+j+skip-shift:]
				t.run(&s.edge)
			}
		}
	}
}

// fight says whether the rows of a tile compete for places in the first cache: it
// has eight for each address modulo 4096.
func (p product) fight() bool { return tileRows() > 8 && p.m > fewRows && 4*p.ars%4096 == 0 }

// apart is how far packed rows of a are apart beyond their length, which keeps
// them from fighting.
const apart = 16

// leftSide returns rows rows from i and depth steps from at of a, and the
// distance of two rows. They are packed when the rows of a tile would fight.
func (p product) leftSide(s *scratch, i, rows, at, depth int) ([]float32, int) {
	if !p.fight() {
		return p.a[i*p.ars+at:], p.ars
	}
	for r := range rows {
		copy(s.a[r*(depth+apart):][:depth], p.a[(i+r)*p.ars+at:])
	}
	return s.a[:], depth + apart
}

// rightSide returns columns j to jEnd and depth steps from at of b as panels.
// For a few rows whole panels are read where they lie, if their rows are
// contiguous: packing would cost more than the product.
func (p product) rightSide(s *scratch, j, jEnd, at, depth int) side {
	panels := (jEnd - j + panelCols - 1) / panelCols
	switch {
	case p.w != nil && p.few():
		return p.w.direct(p.n0/panelCols*panelCols+j, p.k0+at)
	case p.w != nil:
		return p.w.side(s, p.n0/panelCols*panelCols+j, panels, p.k0+at, depth)
	case p.bjs == 1 && p.m < 2*tileRows() && (jEnd-j)%panelCols == 0:
		return side{data: p.b[j+at*p.bps:], group: panelCols, step: p.bps}
	case p.bps == 1:
		packPanelsT(s.b[:], p.b[j*p.bjs+at:], jEnd-j, depth, p.bjs)
	default:
		packPanels(s.b[:], p.b[j+at*p.bps:], jEnd-j, depth, p.bps)
	}
	return side{data: s.b[:], group: depth * panelCols, step: panelCols}
}
