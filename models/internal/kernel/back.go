package kernel

// Sizes of the blocks of a backward product. A block has up to backRows rows of
// the batch, with as many outputs of packed dy as backPacked holds, and up to
// backInputs inputs.
const (
	backRows   = 128
	backInputs = 56
	backPanels = 32      // of 16-bit weights, widened at a time
	backPacked = 1 << 17 // values of dy, half of the second cache
)

// backBlock is block for a backward product over packed weights: rows i0 to i1
// and columns j0 to j1 of dx = dy·W.
//
// A panel of W holds sixteen outputs, the steps of the product, beside each other.
// So tiles compute dxᵀ = Wᵀ·dyᵀ: they broadcast weights where they lie over
// lanes that are rows of the batch. dy is packed and dx turned, which for few
// rows costs a fraction of turning W.
func (p product) backBlock(s *scratch, i0, i1, j0, j1 int) {
	for i := i0; i < i1; i += backRows {
		rows := min(backRows, i1-i)
		deep := backPacked / panelled(rows)
		if p.w.halves != nil {
			deep = min(deep, (backPanels-1)*panelCols) // which may begin within a panel
		}
		for at := 0; at < p.k; at += deep {
			depth := min(deep, p.k-at)
			packPanelsT(s.b[:], p.a[i*p.ars+at:], rows, depth, p.ars)
			inputs := backHeight()
			for j := j0; j < j1; j += inputs {
				t := backTiles{
					dx: p.c[i*p.ldc+j:], ld: p.ldc, c: s.turned[:], ldc: panelled(rows), b: s.b[:], rows: rows, inputs: min(inputs, j1-j),
					k: depth, load: p.add || at > 0,
				}
				t.lane = (p.n0 + at) % panelCols
				t.w, t.group = p.w.back(s, p.k0+j, t.inputs, p.n0+at-t.lane, t.lane+depth)
				t.run()
			}
		}
	}
}

// back returns the panels with depth outputs from j, which is at a panel, from
// input at on, and the distance of two: where they lie or, for 16-bit weights,
// cols inputs of them widened into the scratch.
func (p *Packed) back(s *scratch, at, cols, j, depth int) (panels []float32, group int) {
	if p.halves == nil {
		return p.panels[j*p.k+at*panelCols:], p.k * panelCols
	}
	group = cols * panelCols
	for q := 0; q*panelCols < depth; q++ {
		from := (j+q*panelCols)*p.k + at*panelCols
		widen(s.wide[q*group:(q+1)*group], p.halves[from:from+group], p.kind)
	}
	return s.wide[:], group
}

// backTiles is a block of a backward product, small enough for the caches.
type backTiles struct {
	dx    []float32 // [rows][inputs], the result
	ld    int       // distance of two rows of dx
	c     []float32 // dxᵀ[inputs][rows], rows rounded up to panels
	ldc   int       // distance of two inputs of c
	w     []float32 // panels, from the block's first input on
	group int       // distance of two panels of w
	lane  int       // first output in the first panel
	b     []float32 // dyᵀ, panels of 16 rows, each [k][16]

	rows, inputs int
	k            int
	load         bool // go on from the values in dx, in place of 0
}

// backHeight is the number of inputs of a block: some tiles of the greatest
// height, and whole groups of eight.
func backHeight() int {
	if active != nil && active.back.tallest(16) < 8 {
		return 48
	}
	return backInputs
}

// run computes the block. Where several tiles read the same weights and tiles are
// narrow, it takes as many steps at a time as leave the packed dy of a tile in
// the first cache.
func (t *backTiles) run() {
	if active == nil {
		if t.load {
			t.in(0, t.ldc)
		}
		t.runGo()
		t.out(0, t.ldc)
		return
	}
	step := t.k
	if t.rows > panelCols && active.back.tallest(32) == 0 {
		step = blockK
	}
	for at := 0; at < t.k; at += step {
		t.steps(at, min(step, t.k-at))
	}
}

// steps computes k steps from at, some lanes after the others and within them
// from input to input. Lanes are turned into dx as soon as they are done: their
// stores wait for memory while the next ones are computed.
func (t *backTiles) steps(at, k int) {
	lane := t.lane + at
	w := t.w[lane/panelCols*t.group:]
	lane %= panelCols
	for i := 0; i < t.rows; {
		lanes := 16
		switch left := t.rows - i; {
		case left <= 8:
			lanes = 8
		case left > 16 && active.back.tallest(32) > 0:
			lanes = 32
		}
		if at == 0 && t.load {
			t.in(i, lanes)
		}
		last := at+k == t.k
		if last && !t.load {
			active.ask(&t.dx[i*t.ld], 4*t.ld, min(lanes, t.rows-i), (t.inputs+panelCols-1)/panelCols)
		}
		tall := active.back.tallest(lanes)
		for j, parts := 0, (t.inputs+tall-1)/tall; parts > 0; {
			n, times := stack(t.inputs-j, parts)
			next := j + n*times // of the next tile, or of the next lanes
			if next >= t.inputs {
				next = 0
			}
			active.back[lanes/panelCols][n](&t.c[j*t.ldc+i], 4*t.ldc, &w[j*panelCols], 4*t.group,
				&t.b[i*t.k+at*panelCols], 4*panelCols*t.k, lane, k, times, &w[next*panelCols], t.load || at > 0)
			j, parts = j+n*times, parts-times
		}
		if last {
			t.out(i, lanes)
		}
		i += lanes
	}
}

// runGo is the loop that tiles must equal.
func (t *backTiles) runGo() {
	for j := range t.inputs {
		for i := range t.rows {
			var s float32
			if t.load {
				s = t.c[j*t.ldc+i]
			}
			b := t.b[i/panelCols*panelCols*t.k+i%panelCols:]
			for p := range t.k {
				at := t.lane + p
				s += float32(b[p*panelCols] * t.w[at/panelCols*t.group+j*panelCols+at%panelCols])
			}
			t.c[j*t.ldc+i] = s
		}
	}
}

// in turns rows of dx, from i on, into lanes of c, and clears the lanes beyond.
func (t *backTiles) in(i, lanes int) {
	rows := min(lanes, t.rows-i)
	turn(t.c[i:], t.ldc, t.dx[i*t.ld:], t.ld, rows, t.inputs)
	for j := 0; j < t.inputs && rows < lanes; j++ {
		clear(t.c[j*t.ldc+i+rows : j*t.ldc+i+lanes])
	}
}

// out turns lanes of c, from i on, into rows of dx.
func (t *backTiles) out(i, lanes int) {
	turn(t.dx[i*t.ld:], t.ld, t.c[i:], t.ldc, t.inputs, min(lanes, t.rows-i))
}
