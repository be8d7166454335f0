package weights

import (
	"math"
	"math/bits"
)

// DType is the element type of a stored tensor, spelled as in the file.
type DType string

// The element types that are read. Any other is refused by name.
const (
	F64  DType = "F64"
	F32  DType = "F32"
	F16  DType = "F16"  // IEEE 754 binary16
	BF16 DType = "BF16" // the upper half of a float32
	I64  DType = "I64"
	I32  DType = "I32"
	I16  DType = "I16"
	I8   DType = "I8"
	U64  DType = "U64"
	U32  DType = "U32"
	U16  DType = "U16"
	U8   DType = "U8"
	Bool DType = "BOOL" // one byte, 0 or 1
)

// Size returns the bytes of one element, 0 for a type that is not read.
func (d DType) Size() int {
	switch d {
	case F64, I64, U64:
		return 8
	case F32, I32, U32:
		return 4
	case F16, BF16, I16, U16:
		return 2
	case I8, U8, Bool:
		return 1
	}
	return 0
}

// Float says whether the type holds floating-point numbers.
func (d DType) Float() bool { return d == F64 || d == F32 || d == F16 || d == BF16 }

// float32FromHalf widens an IEEE 754 binary16. Every half is exactly
// representable as a float32, subnormals, infinities and NaN payloads included.
func float32FromHalf(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exp := uint32(h>>10) & 0x1f
	frac := uint32(h) & 0x3ff
	switch {
	case exp == 0x1f: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	case exp != 0:
		return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
	case frac == 0:
		return math.Float32frombits(sign)
	}
	// Subnormal: value frac·2⁻²⁴. Move the leading one to bit 10, where the
	// float32's implicit one stands, and lower the exponent as far.
	shift := uint32(bits.LeadingZeros16(uint16(frac))) - 5
	frac = frac << shift & 0x3ff
	return math.Float32frombits(sign | (113-shift)<<23 | frac<<13)
}

// float32FromBFloat widens a bfloat16, which is a float32 without its lower half.
func float32FromBFloat(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// elements returns the product of shape, and false when it exceeds 63 bits.
// The empty shape is a scalar: one element.
func elements(shape []int) (int, bool) {
	n := uint64(1)
	for _, s := range shape {
		if s < 0 {
			return 0, false
		}
		hi, lo := bits.Mul64(n, uint64(s))
		if hi != 0 || lo > math.MaxInt64 {
			return 0, false
		}
		n = lo
	}
	return int(n), true
}

// byteLength returns the bytes that a tensor takes, and false on overflow.
func byteLength(d DType, shape []int) (int, bool) {
	n, ok := elements(shape)
	if !ok {
		return 0, false
	}
	hi, lo := bits.Mul64(uint64(n), uint64(d.Size()))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	return int(lo), true
}
