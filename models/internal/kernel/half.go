package kernel

import (
	"fmt"
	"math"
)

// Half names a 16-bit format of numbers.
type Half int

// The 16-bit formats. Both are exact subsets of float32.
const (
	BF16 Half = 1 + iota // the upper half of a float32
	F16                  // IEEE 754 binary16: 5 bits of exponent, 10 of fraction
)

// String gives the format's name in safetensors files.
func (h Half) String() string {
	switch h {
	case BF16:
		return "BF16"
	case F16:
		return "F16"
	}
	return fmt.Sprintf("Half(%d)", int(h))
}

// widen returns the value of v.
func (h Half) widen(v uint16) float32 {
	if h == BF16 {
		return math.Float32frombits(uint32(v) << 16)
	}
	sign, exponent, fraction := uint32(v>>15)<<31, uint32(v>>10&31), uint32(v&1023)<<13
	switch exponent {
	case 0: // fraction·2^-24 with 10 bits; now 23 bits
		x := float32(fraction) * 0x1p-37
		return math.Float32frombits(sign | math.Float32bits(x))
	case 31:
		return math.Float32frombits(sign | 255<<23 | fraction)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction)
}

// widen is the loop dst[i] = kind.widen(src[i]) over whole panel rows.
func widen(dst []float32, src []uint16, kind Half) {
	if active != nil && len(src) > 0 && len(src)%panelCols == 0 {
		fn := active.widenBF16
		if kind == F16 {
			fn = active.widenF16
		}
		fn(&dst[:len(src)][0], &src[0], len(src))
		return
	}
	for i, v := range src {
		dst[i] = kind.widen(v)
	}
}
