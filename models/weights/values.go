package weights

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"orrery/models/tensor"
)

// Float32 returns a floating-point tensor as float32. F32 values that lie
// aligned in the file alias the read-only mapping: the caller must not write to
// them and must not use them after Close. F16 and BF16 are widened exactly; F64
// is rounded to nearest. A missing tensor is a *MismatchError; one of integers
// an error that names its type.
func (f *File) Float32(name string) (*tensor.Dense, error) {
	e, ok := f.entries[name]
	if !ok {
		return nil, f.missing(name, nil)
	}
	raw := f.raw(e)
	shape := slices.Clone(e.info.Shape)
	if e.info.DType == F32 {
		if v, ok := aliasFloat32(raw); ok {
			return tensor.From(v, shape...), nil
		}
	}
	if !e.info.DType.Float() {
		return nil, fmt.Errorf("%s: tensor %q holds %s, expected one of F64 F32 F16 BF16", f.name, clip(name), e.info.DType)
	}
	out := tensor.New(shape...)
	eachFloat(e.info.DType, raw, func(i int, v float32) bool {
		out.Data[i] = v
		return true
	})
	return out, nil
}

// NonFinite looks for a NaN or an infinity in the float32 values of a tensor
// and returns the row-major index and value of the first. found is false when
// all are finite, when the tensor holds integers, and when there is no such
// tensor. Nothing is allocated.
func (f *File) NonFinite(name string) (index int, value float32, found bool) {
	e, ok := f.entries[name]
	if !ok || !e.info.DType.Float() {
		return 0, 0, false
	}
	const exponent = 0x7f800000
	eachFloat(e.info.DType, f.raw(e), func(i int, v float32) bool {
		found = math.Float32bits(v)&exponent == exponent
		if found {
			index, value = i, v
		}
		return !found
	})
	return index, value, found
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
				return nil, nil, fmt.Errorf("%s: tensor %q: element %d is %d, more than an int64 holds", f.name, clip(name), i, u)
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
			return nil, nil, fmt.Errorf("%s: tensor %q holds %s, expected integers", f.name, clip(name), e.info.DType)
		}
	}
	return out, slices.Clone(e.info.Shape), nil
}

// aliasFloat32 views little-endian bytes as float32 where this machine's byte
// order and the bytes' alignment allow it.
func aliasFloat32(raw []byte) ([]float32, bool) {
	if len(raw) == 0 {
		return []float32{}, true
	}
	p := unsafe.Pointer(unsafe.SliceData(raw))
	if uintptr(p)%unsafe.Alignof(float32(0)) != 0 || binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return nil, false
	}
	return unsafe.Slice((*float32)(p), len(raw)/4), true
}

// eachFloat calls fn with index and value of every element until it returns false.
func eachFloat(d DType, raw []byte, fn func(i int, v float32) bool) {
	le := binary.LittleEndian
	switch d {
	case F32:
		for i := 0; 4*i < len(raw) && fn(i, math.Float32frombits(le.Uint32(raw[4*i:]))); i++ {
		}
	case F64:
		for i := 0; 8*i < len(raw) && fn(i, float32(math.Float64frombits(le.Uint64(raw[8*i:])))); i++ {
		}
	case F16:
		for i := 0; 2*i < len(raw) && fn(i, float32FromHalf(le.Uint16(raw[2*i:]))); i++ {
		}
	case BF16:
		for i := 0; 2*i < len(raw) && fn(i, float32FromBFloat(le.Uint16(raw[2*i:]))); i++ {
		}
	}
}
