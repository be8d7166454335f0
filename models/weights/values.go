package weights

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"orrery/models/internal/clip"
	"orrery/models/tensor"
)

// Float32 returns a floating-point tensor as float32. F32 values that lie
// aligned in the file alias the read-only mapping: the caller must not write to
// them and must not use them after Close. F16 and BF16 are widened exactly; F64
// is rounded to nearest. A missing tensor is a *MismatchError; one of integers
// an error that names its type.
func (f *File) Float32(name string) (*tensor.Dense, error) {
	e, err := f.floats(name)
	if err != nil {
		return nil, err
	}
	raw, shape := f.raw(e), slices.Clone(e.info.Shape)
	if e.info.DType == F32 {
		if v, ok := alias[float32](raw); ok {
			return tensor.From(v, shape...), nil
		}
	}
	out := tensor.New(shape...)
	return out, f.guard(e, func() { widen(out.Data, e.info.DType, raw) })
}

// Halves returns the stored bits of an F16 or BF16 tensor, row-major. They
// alias the file under the rules of Float32 where they lie aligned. ok is false
// for other types.
func (f *File) Halves(name string) (bits []uint16, ok bool) {
	e := f.entries[name]
	if e.info.DType != F16 && e.info.DType != BF16 {
		return nil, false
	}
	raw := f.raw(e)
	if bits, ok := alias[uint16](raw); ok {
		return bits, true
	}
	bits = make([]uint16, len(raw)/2)
	err := f.guard(e, func() {
		for i := range bits {
			bits[i] = binary.LittleEndian.Uint16(raw[2*i:])
		}
	})
	return bits, err == nil
}

// Read widens the len(dst) numbers of a floating-point tensor from row-major
// place at on into dst. Only their pages are touched.
func (f *File) Read(dst []float32, name string, at int) error {
	e, err := f.floats(name)
	if err != nil {
		return err
	}
	raw, ok := part(e, f.raw(e), at, at+len(dst))
	if !ok {
		return fmt.Errorf("%s: tensor %q of shape %v has no numbers %d to %d", f.name, clip.Text(name), e.info.Shape, at, at+len(dst)-1)
	}
	return f.guard(e, func() { widen(dst, e.info.DType, raw) })
}

// part is the bytes of the numbers from place lo to hi among those of an entry;
// false when there are none such.
func part(e entry, raw []byte, lo, hi int) ([]byte, bool) {
	size := e.info.DType.Size()
	if size == 0 || lo < 0 || hi < lo || hi > len(raw)/size {
		return nil, false
	}
	return raw[lo*size : hi*size], true
}

// floats finds a tensor of floating-point numbers.
func (f *File) floats(name string) (entry, error) {
	e, ok := f.entries[name]
	if !ok {
		return e, f.missing(name, nil)
	}
	if !e.info.DType.Float() {
		return e, fmt.Errorf("%s: tensor %q holds %s, expected one of F64 F32 F16 BF16", f.name, clip.Text(name), e.info.DType)
	}
	return e, nil
}

// Guard calls fn, which reads memory that Float32 or Halves gave, on this
// goroutine. A fault there, because a file was cut, is a *ChangedError.
func (f *File) Guard(fn func()) error { return guard(f.name, fn) }

// guard is Guard for a function that reads the bytes of e.
func (f *File) guard(e entry, fn func()) error {
	s := f.shards[e.shardIdx]
	if s.file == nil {
		fn()
		return nil
	}
	return guard(s.name, fn)
}

// NonFinite looks for a NaN or an infinity in the float32 values of a tensor
// and returns the row-major index and value of the first. found is false when
// all are finite, when the tensor holds integers, and when there is no such
// tensor. Nothing is allocated. The error is a *ChangedError: the file was cut.
func (f *File) NonFinite(name string) (index int, value float32, found bool, err error) {
	e := f.entries[name]
	return f.nonFinite(e, 0, f.raw(e))
}

// NonFinitePart is NonFinite for the numbers from row-major place lo to hi.
func (f *File) NonFinitePart(name string, lo, hi int) (index int, value float32, found bool, err error) {
	e := f.entries[name]
	raw, _ := part(e, f.raw(e), lo, hi)
	return f.nonFinite(e, lo, raw)
}

// nonFinite looks at bytes of e that begin at the number lo.
func (f *File) nonFinite(e entry, lo int, raw []byte) (index int, value float32, found bool, err error) {
	if !e.info.DType.Float() {
		return 0, 0, false, nil
	}
	err = f.guard(e, func() {
		size := e.info.DType.Size()
		const step = 1 << 12 // bytes
		for at := 0; at < len(raw); at += step {
			block := raw[at:min(at+step, len(raw))]
			if allFinite(e.info.DType, block) {
				continue
			}
			var wide [step / 2]float32
			values := wide[:len(block)/size]
			widen(values, e.info.DType, block)
			for i, v := range values {
				if v-v != 0 {
					index, value, found = lo+at/size+i, v, true
					return
				}
			}
		}
	})
	return index, value, found, err
}

// Int64s returns an integer or BOOL tensor of any width as int64, with its
// shape. A U64 above the largest int64 is an error.
func (f *File) Int64s(name string) ([]int64, []int, error) {
	e, ok := f.entries[name]
	if !ok {
		return nil, nil, f.missing(name, nil)
	}
	raw, size := f.raw(e), e.info.DType.Size()
	out := make([]int64, len(raw)/size)
	for i := range out {
		b := raw[i*size:]
		switch e.info.DType {
		case I64:
			out[i] = int64(binary.LittleEndian.Uint64(b))
		case U64:
			u := binary.LittleEndian.Uint64(b)
			if u > math.MaxInt64 {
				return nil, nil, fmt.Errorf("%s: tensor %q: element %d is %d, more than an int64 holds", f.name, clip.Text(name), i, u)
			}
			out[i] = int64(u)
		case I32:
			out[i] = int64(int32(binary.LittleEndian.Uint32(b)))
		case U32:
			out[i] = int64(binary.LittleEndian.Uint32(b))
		case I16:
			out[i] = int64(int16(binary.LittleEndian.Uint16(b)))
		case U16:
			out[i] = int64(binary.LittleEndian.Uint16(b))
		case I8:
			out[i] = int64(int8(b[0]))
		case U8, Bool:
			out[i] = int64(b[0])
		default:
			return nil, nil, fmt.Errorf("%s: tensor %q holds %s, expected integers", f.name, clip.Text(name), e.info.DType)
		}
	}
	return out, slices.Clone(e.info.Shape), nil
}

// alias views little-endian bytes as numbers where this machine's byte order
// and the bytes' alignment allow it.
func alias[T float32 | uint16 | uint64](raw []byte) ([]T, bool) {
	var zero T
	if len(raw) == 0 {
		return []T{}, true
	}
	p := unsafe.Pointer(unsafe.SliceData(raw))
	if uintptr(p)%unsafe.Alignof(zero) != 0 || binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return nil, false
	}
	return unsafe.Slice((*T)(p), len(raw)/int(unsafe.Sizeof(zero))), true
}

// widen converts stored numbers to float32, as many as dst holds.
func widen(dst []float32, d DType, raw []byte) {
	le := binary.LittleEndian
	switch d {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(le.Uint32(raw[4*i:]))
		}
	case F64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(le.Uint64(raw[8*i:])))
		}
	case F16:
		for i := range dst {
			dst[i] = float32FromHalf(le.Uint16(raw[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = float32FromBFloat(le.Uint16(raw[2*i:]))
		}
	}
}

// allFinite reports whether stored numbers have no exponent of all ones, eight
// bytes at a time: then they are finite. F64 and what does not lie as words are
// left to a closer look.
func allFinite(d DType, raw []byte) bool {
	var exponent, one uint64 // its bits, and its lowest
	switch d {
	case F32:
		exponent, one = 0x7f800000_7f800000, 0x00800000_00800000
	case F16:
		exponent, one = 0x7c007c00_7c007c00, 0x04000400_04000400
	case BF16:
		exponent, one = 0x7f807f80_7f807f80, 0x00800080_00800080
	}
	words, ok := alias[uint64](raw)
	if !ok || one == 0 || len(raw)%8 != 0 {
		return false
	}
	carry := uint64(0) // into the place of a sign
	for _, w := range words {
		carry |= w&exponent + one
	}
	return carry&(exponent+one) == 0
}
