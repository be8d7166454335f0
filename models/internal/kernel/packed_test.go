package kernel_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"orrery/models/internal/kernel"
	"orrery/models/tensor"
)

// valueOf is the definition of the 16-bit formats.
func valueOf(v uint16, kind kernel.Half) float64 {
	bits, bias := 10, 15
	if kind == kernel.BF16 {
		bits, bias = 7, 127
	}
	sign := 1.0
	if v>>15 == 1 {
		sign = -1
	}
	fraction := float64(v&(1<<bits-1)) / float64(int(1)<<bits)
	exponent := int(v&0x7fff) >> bits
	switch {
	case exponent == 2*bias+1 && fraction != 0:
		return math.NaN()
	case exponent == 2*bias+1:
		return sign * math.Inf(1)
	case exponent == 0:
		return sign * math.Ldexp(fraction, 1-bias)
	}
	return sign * math.Ldexp(1+fraction, exponent-bias)
}

// TestHalfValues holds that every 16-bit pattern is widened to its value, by
// packing, by rows and by products, whose factor 1 keeps all but a NaN's bits.
func TestHalfValues(t *testing.T) {
	const n, k = 256, 256
	src := make([]uint16, n*k)
	for i := range src {
		src[i] = uint16(i)
	}
	kernel.EachPath(t, func(t *testing.T) {
		for _, kind := range []kernel.Half{kernel.BF16, kernel.F16} {
			p := packHalf(src, kind, n, k)
			all := unpacked(p)
			for i, v := range all {
				want := float32(valueOf(uint16(i), kind))
				if math.Float32bits(v) != math.Float32bits(want) && (v == v || want == want) {
					t.Fatalf("%v %04x is %v, want %v", kind, i, v, want)
				}
			}
			// The first input of each output, by a product of few and of many rows.
			for _, m := range []int{1, 30} {
				for s := range k {
					if s != 0 && s != 97 {
						continue
					}
					a, c := make([]float32, m), make([]float32, m*n)
					for i := range a {
						a[i] = 1
					}
					p.Part(0, n, s, s+1).MatMul(c, n, a, 1, m, false)
					for i, v := range c {
						if want := all[i%n*k+s]; v != want && (v == v || want == want) {
							t.Fatalf("%v %04x times 1 is %v, want %v", kind, i%n*k+s, v, want)
						}
					}
				}
			}
		}
	})
}

// store is one way to keep a packed matrix, with the plain matrix it stands for.
type store struct {
	name  string
	w     *kernel.Packed
	plain []float32 // [n,k]
}

// stores packs one random matrix in all ways.
func stores(r source, n, k int) []store {
	b := r.slice(n * k)
	out := []store{{"f32", kernel.PackNT(b, n, k), b}}
	for _, kind := range []kernel.Half{kernel.BF16, kernel.F16} {
		src, plain := make([]uint16, n*k), make([]float32, n*k)
		for i := range src {
			src[i] = uint16(r.Uint32())&0x8fff | 0x3000 // of middling size in both formats
			plain[i] = float32(valueOf(src[i], kind))
		}
		out = append(out, store{kind.String(), packHalf(src, kind, n, k), plain})
	}
	return out
}

// packHalf packs 16-bit weights [n,k] in one piece.
func packHalf(src []uint16, kind kernel.Half, n, k int) *kernel.Packed {
	b := kernel.NewPacker(kind, n, k)
	b.Halves(0, src[:n*k])
	return b.Packed()
}

// unpacked returns W [n,k], row by row.
func unpacked(p *kernel.Packed) []float32 {
	n, k := p.Size()
	b := make([]float32, n*k)
	for j := range n {
		p.Row(b[j*k:(j+1)*k], j)
	}
	return b
}

// TestPackedBits holds that each way to keep a matrix gives the bits of the
// products of the plain one, forward and backward, for any number of rows and
// threads.
func TestPackedBits(t *testing.T) {
	kernel.EachPath(t, func(t *testing.T) {
		for _, s := range append(sizes, struct{ m, k, n int }{120, 300, 260}, struct{ m, k, n int }{140, 51, 1100}) {
			for _, threads := range []int{1, 3} {
				kernel.WithThreads(threads, func() {
					r := random(3)
					a, dy := r.slice(s.m*s.k), r.slice(s.m*s.n)
					for _, d := range stores(r, s.n, s.k) {
						for _, add := range []bool{false, true} {
							what := fmt.Sprintf("%s %v add %v on %d threads", d.name, s, add, threads)
							got, want := r.slice(s.m*s.n), make([]float32, s.m*s.n)
							copy(want, got)
							d.w.MatMul(got, a, s.m, add)
							kernel.MatMulNT(want, a, d.plain, s.m, s.k, s.n, add)
							sameBits(t, what, got, want)
							for _, rows := range []int{1, 2, 3, 5} {
								if lo := (s.m - rows) / 2; rows <= s.m && !add {
									d.w.MatMul(got, a[lo*s.k:], rows, false)
									sameBits(t, fmt.Sprintf("%s, %d rows alone", what, rows), got[:rows*s.n], want[lo*s.n:(lo+rows)*s.n])
								}
							}
							got, want = r.slice(s.m*s.k), make([]float32, s.m*s.k)
							copy(want, got)
							d.w.MatMulNN(got, dy, s.m, add)
							kernel.MatMulNN(want, dy, d.plain, s.m, s.n, s.k, add)
							sameBits(t, what+" backward", got, want)
						}
					}
				})
			}
		}
	})
}

// TestPackedRows holds that rows and the whole matrix come back as they were.
func TestPackedRows(t *testing.T) {
	for _, s := range sizes {
		for _, d := range stores(random(4), s.n, s.k) {
			sameBits(t, d.name, unpacked(d.w), d.plain)
			row := make([]float32, s.k)
			for _, j := range []int{0, s.n / 2, s.n - 1} {
				d.w.Row(row, j)
				sameBits(t, fmt.Sprintf("%s row %d of %d", d.name, j, s.n), row, d.plain[j*s.k:(j+1)*s.k])
			}
			panels := (s.n + 15) / 16 * 16 * s.k
			want := 4 * panels
			if d.name != "f32" {
				want = 2 * panels
			}
			if got := d.w.Bytes(); got != want {
				t.Errorf("%s takes %d bytes, want %d", d.name, got, want)
			}
			if n, k := d.w.Size(); n != s.n || k != s.k {
				t.Errorf("%s has size %d %d, want %d %d", d.name, n, k, s.n, s.k)
			}
		}
	}
}

func TestPackedColumns(t *testing.T) {
	const m, n, k = 7, 100, 67
	kernel.EachPath(t, func(t *testing.T) {
		r := random(5)
		a := r.slice(m * k)
		for _, d := range stores(r, n, k) {
			all := make([]float32, m*n)
			d.w.MatMul(all, a, m, false)
			for _, cols := range [][]int{{}, {99}, {17, 3}, {5, 5, 0, 99, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44}} {
				got, want := make([]float32, m*len(cols)), make([]float32, 0, m*len(cols))
				d.w.Columns(got, a, m, cols)
				for i := range m {
					for _, j := range cols {
						want = append(want, all[i*n+j])
					}
				}
				sameBits(t, fmt.Sprintf("%s columns %v", d.name, cols), got, want)
			}
		}
	})
}

// TestPart holds that a block has the bits of the plain product with that
// block, in rows that lie apart, and touches nothing between them.
func TestPart(t *testing.T) {
	const n, k = 600, 90
	kernel.EachPath(t, func(t *testing.T) {
		r := random(6)
		for _, d := range stores(r, n, k) {
			for _, b := range []struct{ nlo, nhi, klo, khi int }{
				{0, n, 0, k}, {16, 48, 0, k}, {5, 12, 3, 40}, {10, 20, 0, 1}, {15, 150, 7, 90},
				{100, 150, 30, 31}, {5, 600, 3, 40}, {31, 33, 0, k}, {149, 150, 89, 90}, {40, 40, 0, k}, {3, 60, 50, 50},
			} {
				w, h := b.nhi-b.nlo, b.khi-b.klo
				block := make([]float32, 0, w*h)
				for j := b.nlo; j < b.nhi; j++ {
					block = append(block, d.plain[j*k+b.klo:j*k+b.khi]...)
				}
				part := d.w.Part(b.nlo, b.nhi, b.klo, b.khi)
				for _, m := range []int{1, 2, 7, 30} {
					for _, add := range []bool{false, true} {
						what := fmt.Sprintf("%s %v, %d rows, add %v", d.name, b, m, add)
						forward := func(c, a []float32) { kernel.MatMulNT(c, a, block, m, h, w, add) }
						backward := func(c, a []float32) { kernel.MatMulNN(c, a, block, m, w, h, add) }
						apart(t, what, r, m, w, h, forward, func(c, a []float32, ldc, lda int) { part.MatMul(c, ldc, a, lda, m, add) })
						apart(t, what+" backward", r, m, h, w, backward, func(c, a []float32, ldc, lda int) { part.MatMulNN(c, ldc, a, lda, m, add) })
					}
				}
			}
		}
	})
}

// apart compares a product of plain rows with one of rows that lie apart: c has
// m rows of n, a m rows of k.
func apart(t *testing.T, what string, r source, m, n, k int, plain func(c, a []float32), run func(c, a []float32, ldc, lda int)) {
	t.Helper()
	ldc, lda := n+3, k+5
	a, c := r.slice((m-1)*lda+k), r.slice((m-1)*ldc+n)
	tightA, tightC := make([]float32, 0, m*k), make([]float32, 0, m*n)
	for i := range m {
		tightA = append(tightA, a[i*lda:i*lda+k]...)
		tightC = append(tightC, c[i*ldc:i*ldc+n]...)
	}
	want := slices.Clone(c)
	plain(tightC, tightA)
	for i := range m {
		copy(want[i*ldc:], tightC[i*n:(i+1)*n])
	}
	run(c, a, ldc, lda)
	sameBits(t, what, c, want)
}

// TestPartsOfInputs holds that parts of the inputs added in order are the whole.
func TestPartsOfInputs(t *testing.T) {
	const m, n, k = 9, 40, 96
	kernel.EachPath(t, func(t *testing.T) {
		r := random(7)
		a := r.slice(m * k)
		for _, d := range stores(r, n, k) {
			want, got := make([]float32, m*n), make([]float32, m*n)
			d.w.MatMul(want, a, m, false)
			for lo := 0; lo < k; lo += 24 {
				d.w.Part(0, n, lo, lo+24).MatMul(got, n, a[lo:], k, m, lo > 0)
			}
			sameBits(t, d.name, got, want)
		}
	})
}

func TestPackedPanics(t *testing.T) {
	x := make([]float32, 12)
	w := kernel.PackNT(x, 3, 4)
	for name, call := range map[string]func(){
		"pack":            func() { kernel.PackNT(x, 3, 5) },
		"row":             func() { w.Row(x, 3) },
		"short row":       func() { w.Row(x[:3], 0) },
		"negative row":    func() { w.Row(x, -1) },
		"column":          func() { w.Columns(x, x, 1, []int{0, 3}) },
		"part":            func() { w.Part(0, 4, 0, 4) },
		"part inputs":     func() { w.Part(0, 3, 2, 1) },
		"rows":            func() { w.MatMul(x, x[:7], 2, false) },
		"backward rows":   func() { w.MatMulNN(x[:7], x, 2, false) },
		"narrow distance": func() { w.Part(0, 3, 0, 4).MatMul(x, 2, x, 4, 2, false) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				err, _ := recover().(error)
				var shape tensor.ShapeError
				if !errors.As(err, &shape) {
					t.Errorf("%v, want a ShapeError", err)
				}
			}()
			call()
		})
	}
}
