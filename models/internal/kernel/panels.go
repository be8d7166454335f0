package kernel

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
		if active != nil && k >= 8 {
			for ; j+8 <= live; j += 8 {
				active.transpose8(&panel[j], 4*panelCols, &b[(j0+j)*ld], 4*ld, k/8)
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

// packHalvesT packs live rows of src[·,k] into one panel [k][16].
func packHalvesT(panel, src []uint16, live, k int) {
	j := 0
	for ; active != nil && k >= 8 && j+8 <= live; j += 8 {
		active.transposeHalf8(&panel[j], 2*panelCols, &src[j*k], 2*k, k/8)
		for i := j; i < j+8; i++ {
			for p := k / 8 * 8; p < k; p++ {
				panel[p*panelCols+i] = src[i*k+p]
			}
		}
	}
	for ; j < live; j++ {
		for p := range k {
			panel[p*panelCols+j] = src[j*k+p]
		}
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

// packTurned packs rows columns of a, whose rows are the depth steps over k, into
// rows at distance lds: dst[i*lds+p] = a[p*ld+i].
func packTurned(dst, a []float32, rows, depth, lds, ld int) {
	p := 0
	if whole := rows / 8; active != nil && whole > 0 {
		for ; p+8 <= depth; p += 8 {
			active.transpose8(&dst[p], 4*lds, &a[p*ld], 4*ld, whole)
			for i := whole * 8; i < rows; i++ {
				for q := p; q < p+8; q++ {
					dst[i*lds+q] = a[q*ld+i]
				}
			}
		}
	}
	for ; p < depth; p++ {
		for i := range rows {
			dst[i*lds+p] = a[p*ld+i]
		}
	}
}

// turnPanel packs inputs of one panel for a backward product, in which outputs
// are steps: dst[q][s][i] = panel[(16q+i)*16+s] for s < live and 16q+i < cols,
// where dst has depth steps, and 0 beyond cols.
func turnPanel(dst, panel []float32, cols, live, depth int) {
	q := 0
	if active != nil && live == panelCols && cols >= panelCols {
		q = cols / panelCols
		active.turn16(&dst[0], 4*panelCols*depth, &panel[0], q)
	}
	for ; q*panelCols < cols; q++ {
		out, in := dst[q*depth*panelCols:], panel[q*panelCols*panelCols:]
		width := min(panelCols, cols-q*panelCols)
		for s := range live {
			row := out[s*panelCols : (s+1)*panelCols]
			for i := range width {
				row[i] = in[i*panelCols+s]
			}
			clear(row[width:])
		}
	}
}
