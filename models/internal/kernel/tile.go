package kernel

// tiles is a block of a product, small enough for the caches: rows × cols of c
// from a packed or plain left side and a packed right side.
type tiles struct {
	c           []float32
	ldc         int // distance of two rows of c
	left, right side
	rows, cols  int
	skip        int // columns of the first panel that are not of c
	k           int
	load        bool // go on from the values in c, in place of 0
}

// widest is the number of panels that a tile of that many rows covers: narrow
// tiles take more panels, so that enough independent chains are in flight.
var widest = [tileRows + 1]int{1: 6, 2: 3, 3: 2, 4: 1, 5: 1, 6: 1}

// run computes the block, panel by panel and within one from top to bottom; the
// last rows, fewer than six, go over several panels at once.
func (t tiles) run(edge *[tileRows * panelCols]float32) {
	first, whole := 0, t.cols/panelCols
	if t.skip > 0 {
		first = 1
		t.partial(edge, 0, t.skip, min(t.cols, panelCols))
	}
	even := t.rows / tileRows * tileRows
	for q := first; q < whole; q++ {
		for i := 0; i < even; i += tileRows {
			t.tile(t.c[i*t.ldc+q*panelCols-t.skip:], t.ldc, i, q, tileRows, 1)
		}
	}
	if rest := t.rows - even; rest > 0 {
		for q := first; q < whole; q += widest[rest] {
			t.tile(t.c[even*t.ldc+q*panelCols-t.skip:], t.ldc, even, q, rest, min(widest[rest], whole-q))
		}
	}
	if part := t.cols - whole*panelCols; part > 0 && whole >= first {
		t.partial(edge, whole, 0, part)
	}
}

// partial computes the columns lo to hi of panel q, the others of which do not
// belong to c, beside c.
func (t tiles) partial(edge *[tileRows * panelCols]float32, q, lo, hi int) {
	for i := 0; i < t.rows; i += tileRows {
		rows := min(tileRows, t.rows-i)
		out := t.c[i*t.ldc+q*panelCols+lo-t.skip:]
		for r := 0; r < rows && t.load; r++ {
			copy(edge[r*panelCols+lo:r*panelCols+hi], out[r*t.ldc:])
		}
		t.tile(edge[:], panelCols, i, q, rows, 1)
		for r := range rows {
			copy(out[r*t.ldc:], edge[r*panelCols+lo:r*panelCols+hi])
		}
	}
}

// tile computes rows rows from row i and panels panels from panel q into c.
func (t tiles) tile(c []float32, ldc, i, q, rows, panels int) {
	l, r := t.left, t.right
	a := l.data[i/stripRows*l.group+i%stripRows*l.row:]
	b := r.data[q*r.group:]
	if !avx2 {
		tileGo(c, ldc, a, l.row, l.step, b, r.step, r.group, rows, panels, t.k, t.load)
		return
	}
	kernels[rows][panels](&c[0], 4*ldc, &a[0], 4*l.row, 4*l.step, &b[0], 4*r.step, 4*r.group, t.k, t.load)
}

// kernels holds the generated tile for each number of rows and panels.
var kernels = [tileRows + 1][7]func(c *float32, ldc int, a *float32, ars, aks int, b *float32, bks, bps, k int, load bool){
	1: {1: tile1x1, 2: tile1x2, 3: tile1x3, 4: tile1x4, 5: tile1x5, 6: tile1x6},
	2: {1: tile2x1, 2: tile2x2, 3: tile2x3},
	3: {1: tile3x1, 2: tile3x2},
	4: {1: tile4x1},
	5: {1: tile5x1},
	6: {1: tile6x1},
}

// tileGo is the loop that every generated tile must equal, four columns at a
// time. The conversions keep processors that could fuse the two operations
// from doing so: every tile runs the same chains.
func tileGo(c []float32, ldc int, a []float32, ars, aks int, b []float32, bks, bps, rows, panels, k int, load bool) {
	for i := range rows {
		for j := 0; j < panels*panelCols; j += 4 {
			out := c[i*ldc+j : i*ldc+j+4]
			col := b[j/panelCols*bps+j%panelCols:]
			var s0, s1, s2, s3 float32
			if load {
				s0, s1, s2, s3 = out[0], out[1], out[2], out[3]
			}
			for p := range k {
				v := a[i*ars+p*aks]
				w := col[p*bks : p*bks+4]
				s0 += float32(v * w[0])
				s1 += float32(v * w[1])
				s2 += float32(v * w[2])
				s3 += float32(v * w[3])
			}
			out[0], out[1], out[2], out[3] = s0, s1, s2, s3
		}
	}
}
