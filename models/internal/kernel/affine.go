package kernel

// Affine applies gain w[d] and bias b[d] to norm[rows,d]; a nil b is no bias.
// y[rows,d] may be norm. The loop that it must equal:
//
//	for r < rows, i < d: y[r,i] = norm[r,i]*w[i] + b[i]
func Affine(y, norm, w, b []float32, rows, d int) {
	atLeast("kernel: affine", rows*d, len(y), len(norm))
	atLeast("kernel: affine gain", d, len(w))
	if b != nil {
		atLeast("kernel: affine bias", d, len(b))
	}
	if rows <= grain(d) {
		affine(y, norm, w, b, 0, rows, d)
		return
	}
	Do(rows, grain(d), func(lo, hi int) { affine(y, norm, w, b, lo, hi, d) })
}

func affine(y, norm, w, b []float32, lo, hi, d int) {
	for r := lo; r < hi; r++ {
		y, x := y[r*d:(r+1)*d], norm[r*d:(r+1)*d]
		switch {
		case b == nil:
			Mul(y, x, w[:d])
		case active != nil:
			active.affine(y, x, w[:d], b[:d])
		default:
			for i, v := range x {
				y[i] = float32(v*w[i]) + b[i]
			}
		}
	}
}

// AffineBackward writes the gradient with respect to norm into dnorm[rows,d]
// and adds those of gain and bias into dw[d] and db[d], given dy[rows,d]; a nil
// result is skipped, norm is needed for dw only and w for dnorm only. dnorm may
// be dy. Sums over rows are split over columns and taken in the order of rows,
// so the bits do not depend on the number of threads. The loop that it must
// equal:
//
//	for r < rows, i < d:
//		dw[i] += dy[r,i]*norm[r,i]
//		db[i] += dy[r,i]
//		dnorm[r,i] = dy[r,i]*w[i]
func AffineBackward(dnorm, dw, db, dy, norm, w []float32, rows, d int) {
	atLeast("kernel: affine backward", rows*d, len(dy))
	if dw != nil {
		atLeast("kernel: affine backward", rows*d, len(norm))
		gainBackward(dw, dy, norm, rows, d)
	}
	if db != nil {
		BiasBackward(db, dy, rows, d)
	}
	if dnorm != nil {
		Affine(dnorm, dy, w, nil, rows, d)
	}
}

// gainBackward is the loop dw[i] += dy[r,i]*norm[r,i].
func gainBackward(dw, dy, norm []float32, rows, d int) {
	atLeast("kernel: affine backward gain", d, len(dw))
	columns := func(lo, hi int) {
		for r := range rows {
			mulAdd(dw[lo:hi], dy[r*d+lo:r*d+hi], norm[r*d+lo:r*d+hi])
		}
	}
	if rows*d <= splitElements {
		columns(0, d)
		return
	}
	Do(d, stripe(d), columns)
}
