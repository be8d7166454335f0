package kernel

// code is a set of generated functions; what each computes stands at its
// declaration in the generated files.
type code struct {
	rows, halfRows int // most rows of a tile, of 16-bit weights
	plain          tileTable[float32]
	bf16           tileTable[uint16]
	f16            tileTable[uint16]
	back           backTable

	ask                 func(p *float32, ld, rows, lines int)
	gather              func(dst, src *float32, ld, n int)
	transpose8          func(dst *float32, dks, dgs int, src *float32, ld, sgs, n int)
	widenBF16, widenF16 func(dst *float32, src *uint16, n int)

	dot               func(a, b []float32) float32
	sum               func(x []float32) float32
	squares           func(x []float32, mean float32) float32
	max               func(x []float32) float32
	mul               func(y, a, b []float32)
	mulAdd            func(y, a, b []float32)
	add               func(y, x []float32)
	axpy              func(y []float32, s float32, x []float32)
	scale             func(y, x []float32, s float32)
	norm              func(y, x []float32, mean, scale float32)
	normBackward      func(dx, dy, y []float32, s, q, scale float32)
	affine            func(y, norm, w, b []float32)
	softmaxBackward   func(dx, dy, y []float32, s float32)
	exp               func(y, x []float32)
	expSum            func(y, x []float32, top float32) float32
	relu              func(y, x []float32)
	reluBackward      func(dx, dy, x []float32)
	gelu              func(y, x []float32)
	geluBackward      func(dx, dy, x []float32)
	geluTanh          func(y, x []float32)
	geluTanhBackward  func(dx, dy, x []float32)
	silu              func(y, x []float32)
	siluBackward      func(dx, dy, x []float32)
	quickGelu         func(y, x []float32)
	quickGeluBackward func(dx, dy, x []float32)
	relu2             func(y, x []float32)
	relu2Backward     func(dx, dy, x []float32)
	softCap           func(y, x []float32, c float32)
	softCapBackward   func(dx, dy, x []float32, c float32)
	peak              func(turns int)
	scan              func(p *float32, lines int)
}

// tileTable holds the tiles for each number of rows and of panels.
type tileTable[T float32 | uint16] [15][5]func(c *float32, ldc int, a *float32, lda int, b, next *T, bks, bps, k, times int, load bool)

// widest returns the most panels, up to most, that a tile of that many rows
// covers.
func (t *tileTable[T]) widest(rows, most int) int {
	n := min(most, len(t[rows])-1)
	for t[rows][n] == nil {
		n--
	}
	return n
}

// backTable holds the tiles of backward products: those of 8, 16 and 32 rows of
// the batch, for each number of inputs.
type backTable [3][15]func(c *float32, ldc int, w *float32, group int, b *float32, bps, lane, k, times int, next *float32, load bool)

// tallest returns the most inputs of a tile of 8, 16 or 32 rows of the batch, 0
// if there are no such tiles.
func (t *backTable) tallest(lanes int) int {
	n := len(t[lanes/panelCols]) - 1
	for n > 0 && t[lanes/panelCols][n] == nil {
		n--
	}
	return n
}
