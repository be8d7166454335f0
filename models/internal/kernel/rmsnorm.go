package kernel

// RMSNorm divides each row of x[rows,d] by its scale[r] = √(mean square + eps);
// the gain comes after, by Affine. norm[rows,d] may be x. The loop that it must
// equal:
//
//	for r < rows:
//		scale[r] = √(Σi x[r,i]² / d + eps)
//		for i < d: norm[r,i] = x[r,i] / scale[r]
//
// Zhang, Sennrich: Root Mean Square Layer Normalization, 2019,
// arXiv:1910.07467, equation 4; eps as in Llama.
func RMSNorm(norm, scale, x []float32, rows, d int, eps float32) {
	atLeast("kernel: rms norm", rows*d, len(norm), len(x))
	atLeast("kernel: rms norm scale", rows, len(scale))
	if rows <= grain(d) {
		rmsNorm(norm, scale, x, 0, rows, d, eps)
		return
	}
	Do(rows, grain(d), func(lo, hi int) { rmsNorm(norm, scale, x, lo, hi, d, eps) })
}

func rmsNorm(norm, scale, x []float32, lo, hi, d int, eps float32) {
	for r := lo; r < hi; r++ {
		y, x := norm[r*d:(r+1)*d], x[r*d:(r+1)*d]
		scale[r] = root(squares(x, 0)/float32(d) + eps)
		normalize(y, x, 0, scale[r])
	}
}

// RMSNormBackward adds the gradient with respect to x into dx[rows,d], given
// dnorm[rows,d], that with respect to norm, and what RMSNorm wrote. dx must not
// overlap the others. The loop that it must equal:
//
//	for r < rows:
//		q := Σi dnorm[r,i]*norm[r,i] / d
//		for i < d: dx[r,i] += (dnorm[r,i] - norm[r,i]*q) / scale[r]
func RMSNormBackward(dx, dnorm, norm, scale []float32, rows, d int) {
	atLeast("kernel: rms norm backward", rows*d, len(dx), len(dnorm), len(norm))
	atLeast("kernel: rms norm backward scale", rows, len(scale))
	if rows <= grain(d) {
		rmsNormBackward(dx, dnorm, norm, scale, 0, rows, d)
		return
	}
	Do(rows, grain(d), func(lo, hi int) { rmsNormBackward(dx, dnorm, norm, scale, lo, hi, d) })
}

func rmsNormBackward(dx, dnorm, norm, scale []float32, lo, hi, d int) {
	for r := lo; r < hi; r++ {
		dx, dy, y := dx[r*d:(r+1)*d], dnorm[r*d:(r+1)*d], norm[r*d:(r+1)*d]
		normBackward(dx, dy, y, 0, Dot(dy, y)/float32(d), scale[r])
	}
}
