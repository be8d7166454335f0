package models

import (
	"math"
	"runtime"

	"orrery/models/internal/kernel"
	"orrery/models/tensor"
	"orrery/models/weights"
)

// pieceBytes is about how much of a matrix is read, checked and packed at a
// time, before its pages leave memory.
const pieceBytes = 4 << 20

// pack lays the matrix at a place out for the kernels, in the file's type if it
// has 16 bits and they say all. Not much more than the result is in memory at a
// time where the tensor lies in the file as it is needed.
func (s *store) pack(layer int, name string, at **tensor.Dense) (*kernel.Packed, error) {
	defer runtime.KeepAlive(s)
	shape := s.cfg.weightShape(name)
	kind := kernel.Half(0)
	w := s.wishes[at]
	if w != nil {
		info, _ := s.file.Info(w.name)
		kind = map[weights.DType]kernel.Half{weights.BF16: kernel.BF16, weights.F16: kernel.F16}[info.DType]
		if w.make == nil && tensor.SameShape(w.shape, shape) {
			return s.packStored(w, kind)
		}
	}
	x, err := s.dense(layer, name, at)
	if err != nil {
		return nil, err
	}
	if kind != 0 {
		if packed, ok := packNarrow(x, kind); ok {
			return packed, nil
		}
	}
	b := kernel.NewPacker(0, shape[0], shape[1])
	b.Floats(0, x.Data)
	return b.Packed(), nil
}

// packStored packs a tensor that lies in the file as it is needed.
func (s *store) packStored(w *wish, kind kernel.Half) (*kernel.Packed, error) {
	if err := s.file.Unchanged(); err != nil {
		return nil, err
	}
	defer s.file.Release(w.name)
	rows, width := w.shape[0], w.shape[1]
	bits, half := s.file.Halves(w.name)
	var x *tensor.Dense
	if !half {
		var err error
		if x, err = s.file.Float32(w.name); err != nil {
			return nil, err
		}
		kind = 0
	}
	b := kernel.NewPacker(kind, rows, width)
	step := (pieceBytes/(2*width)/16 + 1) * 16 // rows: whole panels
	for row := 0; row < rows; row += step {
		lo, hi := row*width, min(row+step, rows)*width
		if err := s.check(w, lo, hi); err != nil {
			return nil, err
		}
		if half {
			b.Halves(row, bits[lo:hi])
		} else {
			b.Floats(row, x.Data[lo:hi])
		}
		s.file.ReleasePart(w.name, lo, hi)
	}
	return b.Packed(), nil
}

// packNarrow packs a matrix in 16 bits; false if a number does not fit exactly.
func packNarrow(x *tensor.Dense, kind kernel.Half) (*kernel.Packed, bool) {
	rows, width := x.Dim(0), x.Dim(1)
	b := kernel.NewPacker(kind, rows, width)
	step := (pieceBytes/(2*width)/16 + 1) * 16
	bits := make([]uint16, min(step, rows)*width)
	for row := 0; row < rows; row += step {
		part := x.Data[row*width : min(row+step, rows)*width]
		if !narrow(bits[:len(part)], part, kind) {
			return nil, false
		}
		b.Halves(row, bits[:len(part)])
	}
	return b.Packed(), true
}

// narrow writes the numbers in 16 bits, and returns false if one does not fit
// exactly.
func narrow(dst []uint16, x []float32, kind kernel.Half) bool {
	fits := true
	for i, v := range x {
		u, ok := math.Float32bits(v), false
		if kind == kernel.BF16 {
			dst[i], ok = uint16(u>>16), u<<16 == 0
		} else {
			dst[i], ok = narrowF16(u)
		}
		fits = fits && ok
	}
	return fits
}

// narrowF16 returns the binary16 of the finite float32 with bits u, and false
// if it has none of the same value.
func narrowF16(u uint32) (uint16, bool) {
	sign, exponent, fraction := uint16(u>>16&0x8000), int(u>>23&0xff)-112, u&0x7fffff
	switch {
	case u<<1 == 0:
		return sign, true
	case exponent > 30 || exponent < -9:
		return 0, false
	case exponent > 0:
		return sign | uint16(exponent)<<10 | uint16(fraction>>13), fraction&0x1fff == 0
	}
	fraction |= 1 << 23 // subnormal: in units of 2^-24
	shift := 14 - exponent
	return sign | uint16(fraction>>shift), fraction&(1<<shift-1) == 0
}
