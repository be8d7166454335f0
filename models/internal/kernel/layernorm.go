package kernel

import "math"

// LayerNorm centres each row of x[rows,d] and divides it by
// scale[r] = √(var+eps), with var the mean squared deviation; gain and bias
// come after, by Affine. norm[rows,d] may be x. The loop that it must equal:
//
//	for r < rows:
//		mean := Σi x[r,i] / d
//		scale[r] = √(Σi (x[r,i]-mean)² / d + eps)
//		for i < d: norm[r,i] = (x[r,i]-mean) / scale[r]
//
// Lei Ba, Kiros, Hinton: Layer Normalization, 2016, arXiv:1607.06450, equation
// 4; eps as in PyTorch.
func LayerNorm(norm, scale, x []float32, rows, d int, eps float32) {
	atLeast("kernel: layer norm", rows*d, len(norm), len(x))
	atLeast("kernel: layer norm scale", rows, len(scale))
	if rows <= grain(d) {
		layerNorm(norm, scale, x, 0, rows, d, eps)
		return
	}
	Do(rows, grain(d), func(lo, hi int) { layerNorm(norm, scale, x, lo, hi, d, eps) })
}

func layerNorm(norm, scale, x []float32, lo, hi, d int, eps float32) {
	for r := lo; r < hi; r++ {
		y, x := norm[r*d:(r+1)*d], x[r*d:(r+1)*d]
		mean := sum(x) / float32(d)
		scale[r] = root(squares(x, mean)/float32(d) + eps)
		normalize(y, x, mean, scale[r])
	}
}

// root is the correctly rounded float32 square root.
func root(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// squares is the sum of (x[i]-mean)², in an order that depends on the length
// alone.
func squares(x []float32, mean float32) float32 {
	if active != nil {
		return active.squares(x, mean)
	}
	var s float32
	for _, v := range x {
		s += float32((v - mean) * (v - mean))
	}
	return s
}

// normalize is the loop y[i] = (x[i]-mean)/scale.
func normalize(y, x []float32, mean, scale float32) {
	if active != nil {
		active.norm(y, x, mean, scale)
		return
	}
	for i, v := range x {
		y[i] = (v - mean) / scale
	}
}

// LayerNormBackward adds the gradient with respect to x into dx[rows,d], given
// dnorm[rows,d], that with respect to norm, and what LayerNorm wrote. dx must
// not overlap the others. The loop that it must equal:
//
//	for r < rows:
//		s := Σi dnorm[r,i] / d;  q := Σi dnorm[r,i]*norm[r,i] / d
//		for i < d: dx[r,i] += (dnorm[r,i] - s - norm[r,i]*q) / scale[r]
func LayerNormBackward(dx, dnorm, norm, scale []float32, rows, d int) {
	atLeast("kernel: layer norm backward", rows*d, len(dx), len(dnorm), len(norm))
	atLeast("kernel: layer norm backward scale", rows, len(scale))
	if rows <= grain(d) {
		layerNormBackward(dx, dnorm, norm, scale, 0, rows, d)
		return
	}
	Do(rows, grain(d), func(lo, hi int) { layerNormBackward(dx, dnorm, norm, scale, lo, hi, d) })
}

func layerNormBackward(dx, dnorm, norm, scale []float32, lo, hi, d int) {
	for r := lo; r < hi; r++ {
		dx, dy, y := dx[r*d:(r+1)*d], dnorm[r*d:(r+1)*d], norm[r*d:(r+1)*d]
		normBackward(dx, dy, y, sum(dy)/float32(d), Dot(dy, y)/float32(d), scale[r])
	}
}

// normBackward is the loop dx[i] += (dy[i] - s - y[i]*q)/scale.
func normBackward(dx, dy, y []float32, s, q, scale float32) {
	if active != nil {
		active.normBackward(dx, dy, y, s, q, scale)
		return
	}
	for i, v := range dy {
		dx[i] += (v - s - float32(y[i]*q)) / scale
	}
}
