package kernel

// MatMulNT is c[m,n] (+)= a[m,k] · b[n,k]ᵀ.
func MatMulNT(c, a, b []float32, m, k, n int, add bool) {
	for i := range m {
		for j := range n {
			var s float32
			if add {
				s = c[i*n+j]
			}
			for p := range k {
				s += float32(a[i*k+p] * b[j*k+p])
			}
			c[i*n+j] = s
		}
	}
}

// MatMulNN is c[m,n] (+)= a[m,k] · b[k,n].
func MatMulNN(c, a, b []float32, m, k, n int, add bool) {
	if !add {
		clear(c[:m*n])
	}
	for i := range m {
		for p := range k {
			Axpy(c[i*n:(i+1)*n], a[i*k+p], b[p*n:(p+1)*n])
		}
	}
}

// MatMulTN is c[m,n] (+)= a[k,m]ᵀ · b[k,n].
func MatMulTN(c, a, b []float32, m, k, n int, add bool) {
	if !add {
		clear(c[:m*n])
	}
	for p := range k {
		for i := range m {
			Axpy(c[i*n:(i+1)*n], a[p*m+i], b[p*n:(p+1)*n])
		}
	}
}

// Packed is a weight matrix [n,k].
type Packed struct {
	b    []float32
	n, k int
}

// PackNT packs b[n,k] for MatMul.
func PackNT(b []float32, n, k int) *Packed { return &Packed{b, n, k} }

// MatMul is c[m,n] (+)= a[m,k] · bᵀ.
func (p *Packed) MatMul(c, a []float32, m int, add bool) { MatMulNT(c, a, p.b, m, p.k, p.n, add) }
