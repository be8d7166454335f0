package kernel

// side is a block of b as tiles read it: panels at distance group and the steps
// over k at distance step, in elements.
type side struct {
	data        []float32
	halves      []uint16 // in place of data
	kind        Half     // of halves
	group, step int
}

// from is the side from a panel on.
func (r side) from(panel int) side {
	r.data = r.data[panel*r.group:]
	return r
}

// tiles is a block of a product, small enough for the caches: rows × cols of c
// from a plain left side and a packed right side.
type tiles struct {
	c          []float32
	ldc        int // distance of two rows of c
	left       []float32
	lda        int // distance of two rows of left
	right      side
	rows, cols int
	skip       int // columns of the first panel that are not of c
	k          int
	load       bool // go on from the values in c, in place of 0
}

// run computes the block, some panels at a time and within them from top to
// bottom. Tiles are of nearly equal height, as low ones are slower.
func (t tiles) run(edge *[maxTileRows * panelCols]float32) {
	first, whole := 0, t.cols/panelCols
	if t.skip > 0 {
		first = 1
		t.partial(edge, 0, t.skip, min(t.cols, panelCols))
	}
	count := (t.rows + t.most() - 1) / t.most()
	tallest := (t.rows + count - 1) / count
	for q := first; q < whole; {
		panels := t.widest(tallest, whole-q)
		// The first tiles ask for the panels that come next, one each.
		next := q + panels
		for i, parts := 0, count; parts > 0; {
			n, times := stack(t.rows-i, parts)
			ask := q
			if next < min(q+2*panels, whole) {
				ask, next, times = next, next+1, 1
			}
			t.tile(t.c[i*t.ldc+q*panelCols-t.skip:], t.ldc, i, q, ask, n, panels, times)
			i, parts = i+n*times, parts-times
		}
		q += panels
	}
	if part := t.cols - whole*panelCols; part > 0 && whole >= first {
		t.partial(edge, whole, 0, part)
	}
}

// stack returns the height of the first of parts nearly equal parts of rows, and
// how many of them have it. One call computes those, as long as calls cost.
func stack(rows, parts int) (height, times int) {
	height, times = (rows+parts-1)/parts, rows%parts
	if times == 0 {
		times = parts
	}
	return height, times
}

// heights yields the heights of count nearly equal parts of rows, with the first
// row of each.
func heights(rows, count int) func(yield func(n, i int) bool) {
	return func(yield func(n, i int) bool) {
		for at, left := 0, count; left > 0; left-- {
			n := (rows - at + left - 1) / left
			if !yield(n, at) {
				return
			}
			at += n
		}
	}
}

// partial computes the columns lo to hi of panel q, the others of which do not
// belong to c, beside c.
func (t tiles) partial(edge *[maxTileRows * panelCols]float32, q, lo, hi int) {
	for n, i := range heights(t.rows, (t.rows+t.most()-1)/t.most()) {
		out := t.c[i*t.ldc+q*panelCols+lo-t.skip:]
		for r := 0; r < n && t.load; r++ {
			copy(edge[r*panelCols+lo:r*panelCols+hi], out[r*t.ldc:])
		}
		t.tile(edge[:], panelCols, i, q, q, n, 1, 1)
		for r := range n {
			copy(out[r*t.ldc:], edge[r*panelCols+lo:r*panelCols+hi])
		}
	}
}

// maxTileRows is the most rows of a tile on any path.
const maxTileRows = 14

// tileRows is the most rows of a tile on this path.
func tileRows() int {
	if active == nil {
		return 6
	}
	return active.rows
}

// most is the most rows of a tile of this block. More than eight rows of c, two
// lines each, fight for places in the first cache where their distance is round:
// it has eight for each address modulo 4096. Seven leave one to what else comes by,
// where there are rows enough for many tiles.
func (t *tiles) most() int {
	if t.right.halves != nil {
		return active.halfRows
	}
	switch round := 4 * t.ldc; {
	case round%4096 == 0 && t.rows > 64:
		return min(7, tileRows())
	case round%1024 == 0:
		return min(8, tileRows())
	}
	return tileRows()
}

// widest is the number of panels of the next tiles, at most most.
func (t *tiles) widest(rows, most int) int {
	switch {
	case active == nil:
		return 1
	case t.right.halves == nil:
		return active.plain.widest(rows, most)
	case t.right.kind == BF16:
		return active.bf16.widest(rows, most)
	}
	return active.f16.widest(rows, most)
}

// tile computes rows rows from row i and panels panels from panel q into c, and
// asks for panel ask; times tiles below each other.
func (t *tiles) tile(c []float32, ldc, i, q, ask, rows, panels, times int) {
	a, r := t.left[i*t.lda:], &t.right
	if active == nil {
		tileGo(c, ldc, a, t.lda, r.data[q*r.group:], r.step, rows*times, t.k, t.load)
		return
	}
	if r.halves == nil {
		active.plain[rows][panels](&c[0], 4*ldc, &a[0], 4*t.lda, &r.data[q*r.group], &r.data[ask*r.group], 4*r.step, 4*r.group, t.k, times, t.load)
		return
	}
	table := &active.bf16
	if r.kind == F16 {
		table = &active.f16
	}
	table[rows][panels](&c[0], 4*ldc, &a[0], 4*t.lda, &r.halves[q*r.group], &r.halves[ask*r.group], 2*r.step, 2*r.group, t.k, times, t.load)
}

// tileGo is the loop that every generated tile must equal, for one panel, four
// columns at a time. The conversions keep processors that could fuse the two
// operations from doing so: every tile runs the same chains.
func tileGo(c []float32, ldc int, a []float32, lda int, b []float32, bks, rows, k int, load bool) {
	for i := range rows {
		for j := 0; j < panelCols; j += 4 {
			out := c[i*ldc+j : i*ldc+j+4]
			var s0, s1, s2, s3 float32
			if load {
				s0, s1, s2, s3 = out[0], out[1], out[2], out[3]
			}
			for p := range k {
				v := a[i*lda+p]
				w := b[p*bks+j : p*bks+j+4]
				s0 += float32(v * w[0])
				s1 += float32(v * w[1])
				s2 += float32(v * w[2])
				s3 += float32(v * w[3])
			}
			out[0], out[1], out[2], out[3] = s0, s1, s2, s3
		}
	}
}
