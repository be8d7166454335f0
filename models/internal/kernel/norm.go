package kernel

import "math"

// LayerNorm writes norm=(x-mean)/scale and scale=sqrt(var+eps).
func LayerNorm(norm, scale, x []float32, rows, d int, eps float32) {
	for r := range rows {
		x, y := x[r*d:(r+1)*d], norm[r*d:(r+1)*d]
		var s, q float32
		for _, v := range x {
			s += v
		}
		mean := s / float32(d)
		for _, v := range x {
			q += (v - mean) * (v - mean)
		}
		sc := float32(math.Sqrt(float64(q/float32(d) + eps)))
		scale[r] = sc
		for i, v := range x {
			y[i] = (v - mean) / sc
		}
	}
}

// LayerNormBackward adds the gradient into dx.
func LayerNormBackward(dx, dnorm, norm, scale []float32, rows, d int) {
	for r := range rows {
		dx, dy, y := dx[r*d:(r+1)*d], dnorm[r*d:(r+1)*d], norm[r*d:(r+1)*d]
		var s, q float32
		for i, v := range dy {
			s += v
			q += v * y[i]
		}
		s /= float32(d)
		q /= float32(d)
		for i, v := range dy {
			dx[i] += (v - s - y[i]*q) / scale[r]
		}
	}
}

// RMSNorm writes norm=x/scale and scale=sqrt(mean(x²)+eps).
func RMSNorm(norm, scale, x []float32, rows, d int, eps float32) {
	for r := range rows {
		x, y := x[r*d:(r+1)*d], norm[r*d:(r+1)*d]
		sc := float32(math.Sqrt(float64(Dot(x, x)/float32(d) + eps)))
		scale[r] = sc
		for i, v := range x {
			y[i] = v / sc
		}
	}
}

// RMSNormBackward adds the gradient into dx.
func RMSNormBackward(dx, dnorm, norm, scale []float32, rows, d int) {
	for r := range rows {
		dx, dy, y := dx[r*d:(r+1)*d], dnorm[r*d:(r+1)*d], norm[r*d:(r+1)*d]
		q := Dot(dy, y) / float32(d)
		for i, v := range dy {
			dx[i] += (v - y[i]*q) / scale[r]
		}
	}
}

// Affine is y = norm*w (+ b when b is not nil).
func Affine(y, norm, w, b []float32, rows, d int) {
	for r := range rows {
		Mul(y[r*d:(r+1)*d], norm[r*d:(r+1)*d], w[:d])
		if b != nil {
			Add(y[r*d:(r+1)*d], b[:d])
		}
	}
}

// AffineBackward writes dnorm and adds into dw and db; nil skips one.
func AffineBackward(dnorm, dw, db, dy, norm, w []float32, rows, d int) {
	for r := range rows {
		for i := range d {
			g := dy[r*d+i]
			if dw != nil {
				dw[i] += g * norm[r*d+i]
			}
			if db != nil {
				db[i] += g
			}
			if dnorm != nil {
				dnorm[r*d+i] = g * w[i]
			}
		}
	}
}
