package kernel

// packSteps is how many steps of a panel are packed at a time: both halves of
// their lines while those are in the first cache.
const packSteps = 128

// packPanelsT packs rows rows of b, whose steps over k are contiguous, into
// panels: dst[q][p][j] = b[(16q+j)*ld+p] for p < k, and 0 beyond rows.
func packPanelsT(dst, b []float32, rows, k, ld int) {
	for j0 := 0; j0 < rows; j0 += panelCols {
		panel := dst[j0*k : (j0+panelCols)*k]
		live := min(panelCols, rows-j0)
		if live < panelCols {
			clear(panel)
		}
		whole, deep := 0, 0 // rows and steps that are done
		if active != nil && live >= 8 && k >= 8 {
			whole, deep = live/8*8, k/8*8
			for at := 0; at < deep; at += packSteps {
				// What comes next is seldom next in memory.
				if next := at + packSteps; next < deep {
					active.ask(&b[j0*ld+next], 4*ld, live, (min(packSteps, deep-next)+15)/16)
				} else if next := j0 + panelCols; next < rows {
					active.ask(&b[next*ld], 4*ld, min(panelCols, rows-next), (min(packSteps, deep)+15)/16)
				}
				for j := 0; j < whole; j += 8 {
					active.transpose8(&panel[at*panelCols+j], 4*panelCols, 32*panelCols, &b[(j0+j)*ld+at], 4*ld, 32, min(packSteps, deep-at)/8)
				}
			}
		}
		for j := range live {
			from := 0
			if j < whole {
				from = deep
			}
			packRow(panel[j:], b[(j0+j)*ld:], from, k)
		}
	}
}

// packRow spreads row[p] to col[16p] for p from at to k.
func packRow(col, row []float32, at, k int) {
	for p := at; p < k; p++ {
		col[p*panelCols] = row[p]
	}
}

// packRows is how many rows packPanels takes at a time, so that it reads along
// them and yet writes whole stretches of each panel.
const packRows = 16

// packPanels packs cols columns of b, whose rows are the steps over k, into
// panels: dst[q][p][j] = b[p*ld+16q+j] for p < k, and 0 beyond cols.
func packPanels(dst, b []float32, cols, k, ld int) {
	whole := cols / panelCols * panelCols
	for at := 0; at < k; at += packRows {
		end := min(at+packRows, k)
		for j := 0; j < whole; j += panelCols {
			panel := dst[j*k : (j+panelCols)*k]
			if active != nil {
				active.gather(&panel[at*panelCols], &b[at*ld+j], 4*ld, end-at)
				continue
			}
			for p := at; p < end; p++ {
				*(*[panelCols]float32)(panel[p*panelCols:]) = *(*[panelCols]float32)(b[p*ld+j:])
			}
		}
	}
	if whole < cols {
		panel := dst[whole*k : (whole+panelCols)*k]
		clear(panel)
		for p := range k {
			copy(panel[p*panelCols:], b[p*ld+whole:p*ld+cols])
		}
	}
}

// turnCols is how many columns are turned at a time: lines of as many rows of the
// result, which stay in the first cache until they are full.
const turnCols = 128

// turn transposes src[rows,cols], whose rows have distance ld: dst[p*lds+i] =
// src[i*ld+p]. It goes along the rows, of src or dst, that lie farther apart:
// every one of them is another page.
func turn(dst []float32, lds int, src []float32, ld, rows, cols int) {
	i, p := 0, 0 // rows and columns that are done
	if active != nil && rows >= 8 && cols >= 8 {
		i, p = rows/8*8, cols/8*8
		if lds > ld {
			for p := 0; p+8 <= cols; p += 8 {
				active.transpose8(&dst[p*lds], 4*lds, 32, &src[p], 4*ld, 32*ld, rows/8)
			}
		} else {
			for i := 0; i+8 <= rows; i += 16 { // two squares fill the lines of dst
				for p := 0; p+8 <= cols; p += turnCols {
					n := min(turnCols, cols-p) / 8
					for r := i; r+8 <= min(i+16, rows); r += 8 {
						active.transpose8(&dst[p*lds+r], 4*lds, 32*lds, &src[r*ld+p], 4*ld, 32, n)
					}
				}
			}
		}
	}
	for r := range rows {
		from := 0
		if r < i {
			from = p
		}
		for q := from; q < cols; q++ {
			dst[q*lds+r] = src[r*ld+q]
		}
	}
}
