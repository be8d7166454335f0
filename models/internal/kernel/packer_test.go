package kernel_test

import (
	"errors"
	"runtime"
	"testing"

	"orrery/models/internal/kernel"
	"orrery/models/tensor"
)

// TestPacker holds that pieces in any order make the matrix that packing it as
// a whole makes, below and above the size that leaves the collector's memory.
func TestPacker(t *testing.T) {
	kernel.EachPath(t, func(t *testing.T) {
		for _, s := range []struct{ n, k, piece int }{{1, 1, 16}, {16, 5, 16}, {100, 67, 32}, {100, 67, 112}, {33, 300, 16}, {700, 999, 160}} {
			r := random(11)
			src, bits := r.slice(s.n*s.k), make([]uint16, s.n*s.k)
			for i := range bits {
				bits[i] = uint16(r.Uint32()) & 0xbfff
			}
			a := r.slice(3 * s.k)
			for _, kind := range []kernel.Half{0, kernel.BF16, kernel.F16} {
				b := kernel.NewPacker(kind, s.n, s.k)
				for j := (s.n - 1) / s.piece * s.piece; j >= 0; j -= s.piece {
					lo, hi := j*s.k, min(j+s.piece, s.n)*s.k
					if kind == 0 {
						b.Floats(j, src[lo:hi])
					} else {
						b.Halves(j, bits[lo:hi])
					}
				}
				got, want := b.Packed(), kernel.PackNT(src, s.n, s.k)
				if kind != 0 {
					want = packHalf(bits, kind, s.n, s.k)
				}
				sameBits(t, "unpacked", unpacked(got), unpacked(want))
				x, y := make([]float32, 3*s.n), make([]float32, 3*s.n)
				got.MatMul(x, a, 3, false)
				want.MatMul(y, a, 3, false)
				sameBits(t, "product", x, y)
			}
		}
	})
}

// TestHeldMemory holds that large panels leave the collector's memory alone.
func TestHeldMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("panels are held by the collector on this system")
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p := kernel.NewPacker(kernel.BF16, 4096, 1024).Packed()
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("%d bytes of %d were taken from the collector", got, p.Bytes())
	}
	row := make([]float32, 1024)
	p.Row(row, 4095)
	for i, v := range row {
		if v != 0 {
			t.Fatalf("new panels hold %g at %d", v, i)
		}
	}
}

func TestPackerPanics(t *testing.T) {
	for name, call := range map[string]func(){
		"kind":         func() { kernel.NewPacker(3, 1, 1) },
		"size":         func() { kernel.NewPacker(0, -1, 1) },
		"other type":   func() { kernel.NewPacker(0, 16, 2).Halves(0, make([]uint16, 32)) },
		"other type 2": func() { kernel.NewPacker(kernel.F16, 16, 2).Floats(0, make([]float32, 32)) },
		"first row":    func() { kernel.NewPacker(0, 32, 2).Floats(8, make([]float32, 32)) },
		"cut row":      func() { kernel.NewPacker(0, 32, 2).Floats(0, make([]float32, 33)) },
		"cut panel":    func() { kernel.NewPacker(0, 32, 2).Floats(0, make([]float32, 16)) },
		"beyond":       func() { kernel.NewPacker(0, 32, 2).Floats(16, make([]float32, 64)) },
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
