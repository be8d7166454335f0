package kernel

// Sizes of what a product with a transposed left side keeps in the scratch, 1 MiB
// each, to be turned or packed once for many blocks.
const (
	turnedRows = 8 * blockRows
	packedCols = 2 * blockPanels * panelCols
)

// roundRows is the most rows of a block where those of c share their places in the
// first cache, tiles are wide and steps so few that c is most of the work: two
// tiles go along c, in the order of memory, which is worth more there than to
// find b in the first cache.
const roundRows = 14

// turnedBlock is block for a product whose left side is transposed, the gradient
// of a weight: a holds the steps p as rows, and b, if it does too, is packed.
//
// Both lie with a page or more between two steps, and finding a page costs more
// than reading what a block needs of it. So many blocks are turned, or packed, at
// once, in the order of memory.
func (p product) turnedBlock(s *scratch, i0, i1, j0, j1 int) {
	more := blockK / min(blockK, p.k) // as many columns as the scratch and the second cache hold
	kept, across := packedCols*more, blockPanels*panelCols*more
	high := blockRows
	if tileRows() > 8 && 4*p.ldc%4096 == 0 && p.k <= blockK/2 {
		high = roundRows
	}
	for at := 0; at < p.k; at += blockK {
		depth := min(blockK, p.k-at)
		turned := -1 // first of the rows in s.a
		for j := j0; j < j1; j += kept {
			cols := min(kept, j1-j)
			right := p.rightSide(s, j, j+cols, at, depth)
			for i := i0; i < i1; i += turnedRows {
				rows := min(turnedRows, i1-i)
				if turned != i {
					turn(s.a[:], depth+apart, p.a[i*p.ars+at*p.aks:], p.aks, depth, rows)
					turned = i
				}
				for q := 0; q < cols; q += across {
					t := tiles{
						ldc: p.ldc, lda: depth + apart, right: right.from(q / panelCols), cols: min(across, cols-q),
						k: depth, load: p.add || at > 0,
					}
					for n, r := range heights(rows, (rows+high-1)/high) {
						t.rows, t.left, t.c = n, s.a[r*t.lda:], p.c[(i+r)*p.ldc+j+q:]
						t.run(&s.edge)
					}
				}
			}
		}
	}
}
