package kernel

// AddBias adds b[n] to every row of x[rows,n]. The loop that it must equal:
//
//	for r < rows, i < n: x[r,i] += b[i]
func AddBias(x, b []float32, rows, n int) {
	atLeast("kernel: add bias", rows*n, len(x))
	atLeast("kernel: add bias", n, len(b))
	if rows <= grain(n) {
		addBias(x, b, 0, rows, n)
		return
	}
	Do(rows, grain(n), func(lo, hi int) { addBias(x, b, lo, hi, n) })
}

func addBias(x, b []float32, lo, hi, n int) {
	for r := lo; r < hi; r++ {
		Add(x[r*n:(r+1)*n], b[:n])
	}
}

// BiasBackward adds the gradient of AddBias into db[n], from dy[rows,n]. The
// work is split over columns and each is summed in the order of rows, so the
// bits do not depend on the number of threads. The loop that it must equal:
//
//	for r < rows, i < n: db[i] += dy[r,i]
func BiasBackward(db, dy []float32, rows, n int) {
	atLeast("kernel: bias backward", rows*n, len(dy))
	atLeast("kernel: bias backward", n, len(db))
	if rows*n <= splitElements {
		biasBackward(db, dy, rows, n, 0, n)
		return
	}
	Do(n, stripe(n), func(lo, hi int) { biasBackward(db, dy, rows, n, lo, hi) })
}

// stripe returns the number of columns of a range in a sum over the rows of n
// columns: one range a thread, of whole vectors and at least four cache lines,
// as narrow ones lose to loads what threads gain.
func stripe(n int) int {
	t := Threads()
	return max(64, (n+8*t-1)/(8*t)*8)
}

func biasBackward(db, dy []float32, rows, n, lo, hi int) {
	for r := range rows {
		Add(db[lo:hi], dy[r*n+lo:r*n+hi])
	}
}
