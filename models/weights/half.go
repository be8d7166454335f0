package weights

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// WriteHalves writes values as F16, each rounded to the nearest and, between
// two, to the even one: the type of a tensor that StreamFile streams. NaN and
// what rounds beyond ±65504 is refused.
func WriteHalves(w io.Writer, values []float32) error {
	var block [4096]byte
	for at := 0; at < len(values); {
		n := min(len(values)-at, len(block)/2)
		for i, v := range values[at : at+n] {
			h := halfFromFloat32(v)
			if h&0x7c00 == 0x7c00 {
				return fmt.Errorf("value %v at %d: F16 holds finite numbers up to ±65504", v, at+i)
			}
			binary.LittleEndian.PutUint16(block[2*i:], h)
		}
		if _, err := w.Write(block[:2*n]); err != nil {
			return err
		}
		at += n
	}
	return nil
}

// halfFromFloat32 rounds to an IEEE 754 binary16, to nearest, ties to even. It
// is exact where float32FromHalf gives v back.
func halfFromFloat32(v float32) uint16 {
	u := math.Float32bits(v)
	sign, exponent, fraction := uint16(u>>16&0x8000), int(u>>23&0xff)-112, u&0x7fffff
	switch {
	case u&0x7fffffff > 0x7f800000: // NaN
		return sign | 0x7e00
	case exponent > 30:
		return sign | 0x7c00
	case exponent > 0: // a carry out of the fraction raises the exponent, as it should
		return sign + roundOff(uint32(exponent)<<23|fraction, 13)
	case exponent < -10:
		return sign
	}
	return sign + roundOff(fraction|1<<23, uint(14-exponent)) // subnormal: in units of 2⁻²⁴
}

// roundOff is u/2^shift, rounded to nearest, ties to even.
func roundOff(u uint32, shift uint) uint16 {
	half := uint32(1) << (shift - 1)
	return uint16((u + half - 1 + u>>shift&1) >> shift)
}
