package kernel

import "orrery/models/tensor"

// Packed is a weight matrix b[n,k] laid out for MatMul: panels of 16 rows, each
// [k][16], so that a tile reads it in the order of memory. It is immutable and
// safe for concurrent use.
type Packed struct {
	panels []float32 // [ceil(n/16)][k][16], zero beyond n
	n, k   int
}

// PackNT packs b[n,k], weights stored [out,in]. It keeps no reference to b.
func PackNT(b []float32, n, k int) *Packed {
	check("kernel: pack", nil, nil, b, 0, k, n)
	count := (n + panelCols - 1) / panelCols
	p := &Packed{panels: make([]float32, count*panelCols*k), n: n, k: k}
	if k == 0 {
		return p
	}
	Do(count, 1+(1<<15)/(panelCols*k+1), func(lo, hi int) {
		for q := lo; q < hi; q++ {
			j := q * panelCols
			packPanelsT(p.panels[j*k:(j+panelCols)*k], b[j*k:], min(panelCols, n-j), k, k)
		}
	})
	return p
}

// MatMul is c[m,n] = a[m,k]·bᵀ, or c += when add is set, with the bits of
// MatMulNT. c must not overlap a.
func (p *Packed) MatMul(c, a []float32, m int, add bool) {
	if m < 0 || len(c) < m*p.n || len(a) < m*p.k {
		panic(tensor.ShapeError{Op: "kernel: packed matmul: rows, and lengths of c a",
			Got: []int{m, len(c), len(a)}, Want: []int{m, m * p.n, m * p.k}})
	}
	product{c: c, a: a, ars: p.k, aks: 1, panels: p.panels, m: m, k: p.k, n: p.n, add: add}.run()
}

// packPanelsT packs rows rows of b, whose steps over k are contiguous, into
// panels: dst[q][p][j] = b[(16q+j)*ld+p] for p < k, and 0 beyond rows.
func packPanelsT(dst, b []float32, rows, k, ld int) {
	for j0 := 0; j0 < rows; j0 += panelCols {
		panel := dst[j0*k : (j0+panelCols)*k]
		live := min(panelCols, rows-j0)
		if live < panelCols {
			clear(panel)
		}
		j := 0
		if avx2 && k >= 8 {
			for ; j+8 <= live; j += 8 {
				transpose8(&panel[j], 4*panelCols, &b[(j0+j)*ld], 4*ld, k/8)
				for i := j; i < j+8; i++ {
					packRow(panel[i:], b[(j0+i)*ld:], k/8*8, k)
				}
			}
		}
		for ; j < live; j++ {
			packRow(panel[j:], b[(j0+j)*ld:], 0, k)
		}
	}
}

// packRow spreads row[p] to col[16p] for p from at to k.
func packRow(col, row []float32, at, k int) {
	for p := at; p < k; p++ {
		col[p*panelCols] = row[p]
	}
}

// packPanels packs cols columns of b, whose rows are the steps over k, into
// panels: dst[q][p][j] = b[p*ld+16q+j] for p < k, and 0 beyond cols.
func packPanels(dst, b []float32, cols, k, ld int) {
	for j := 0; j < cols; j += panelCols {
		panel := dst[j*k : (j+panelCols)*k]
		if live := cols - j; live < panelCols {
			clear(panel)
			for p := range k {
				copy(panel[p*panelCols:], b[p*ld+j:p*ld+j+live])
			}
			continue
		}
		for p := range k {
			*(*[panelCols]float32)(panel[p*panelCols:]) = *(*[panelCols]float32)(b[p*ld+j:])
		}
	}
}

// packStrips packs rows columns of a, whose rows are the steps over k, into
// strips: dst[q][p][i] = a[p*ld+12q+i] for p < k; places beyond rows are left
// as they are, as no tile reads them.
func packStrips(dst, a []float32, rows, k, ld int) {
	for i := 0; i < rows; i += stripRows {
		strip := dst[i*k:]
		if live := rows - i; live < stripRows {
			for p := range k {
				copy(strip[p*stripRows:], a[p*ld+i:p*ld+i+live])
			}
			continue
		}
		for p := range k {
			*(*[stripRows]float32)(strip[p*stripRows:]) = *(*[stripRows]float32)(a[p*ld+i:])
		}
	}
}
