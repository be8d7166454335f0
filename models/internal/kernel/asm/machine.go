package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// wide says that the code is for AVX-512, whose vectors have 16 float32 lanes;
// for AVX2 they have 8.
var wide bool

// suffix ends the name of every function.
func suffix() string {
	if wide {
		return "AVX512"
	}
	return "AVX2"
}

// vec is a vector register.
type vec = reg.VecVirtual

// lanesOf is the number of float32 lanes of a vector.
func lanesOf() int {
	if wide {
		return 16
	}
	return 8
}

// fresh returns an unused vector register.
func fresh() vec {
	if wide {
		return ZMM()
	}
	return YMM()
}

// zero returns a vector of zeros.
func zero() vec {
	v := fresh()
	clearVec(v)
	return v
}

func clearVec(v vec) {
	if wide {
		VPXORD(v, v, v)
		return
	}
	VXORPS(v, v, v)
}

// constants names the constants that were emitted already.
var constants = map[string]operand.Mem{}

// bits returns a vector of copies of the 32-bit pattern v in memory.
func bits(v uint32) operand.Mem {
	name := fmt.Sprintf("lanes%08x", v)
	m, ok := constants[name]
	if !ok {
		m = GLOBL(name, attr.RODATA|attr.NOPTR)
		for i := range lanesOf() {
			DATA(4*i, operand.U32(v))
		}
		constants[name] = m
	}
	return m
}

// lanes returns a vector of copies of the float32 nearest to v in memory.
func lanes(v float64) operand.Mem { return bits(math.Float32bits(float32(v))) }

// filled returns a register of copies of v.
func filled(v float64) vec {
	x := fresh()
	VMOVUPS(lanes(v), x)
	return x
}

// and, or and xor are the operations on bits.
func and(b operand.Op, a, y vec) {
	if wide {
		VPANDD(b, a, y)
		return
	}
	VANDPS(b, a, y)
}

func or(b operand.Op, a, y vec) {
	if wide {
		VPORD(b, a, y)
		return
	}
	VORPS(b, a, y)
}

func xor(b operand.Op, a, y vec) {
	if wide {
		VPXORD(b, a, y)
		return
	}
	VXORPS(b, a, y)
}

// nearest rounds to whole numbers, ties to even.
func nearest(x, y vec) {
	if wide {
		VRNDSCALEPS(operand.U8(0), x, y)
		return
	}
	VROUNDPS(operand.U8(0), x, y)
}

// pick returns b where the sign of s is set, and a elsewhere.
func pick(s, b, a vec) vec {
	y := fresh()
	if wide {
		k := K()
		VPMOVD2M(s, k)
		VBLENDMPS(b, a, k, y)
		return y
	}
	VBLENDVPS(s, b, a, y)
	return y
}

// Predicates of compare, quiet.
const (
	lessThan       = operand.U8(0x11)
	notLessOrEqual = operand.U8(0x16)
)

// where returns b where x op y holds, and a elsewhere.
func where(op operand.U8, x vec, y operand.Op, b, a vec) vec {
	out := fresh()
	if wide {
		k := K()
		VCMPPS(op, y, x, k)
		VBLENDMPS(b, a, k, out)
		return out
	}
	m := fresh()
	VCMPPS(op, y, x, m)
	VBLENDVPS(m, b, a, out)
	return out
}

// tail marks the lanes of a last vector that are in the slice; nil means all.
type tail struct {
	v vec               // all ones in those lanes
	k reg.OpmaskVirtual // or the bit of each lane
}

// newTail returns the tails of parts vectors of which the first n lanes of all
// are in the slice. It overwrites n.
func newTail(n reg.GPVirtual, parts int) []*tail {
	var out []*tail
	if wide {
		if parts != 1 {
			panic("one vector holds sixteen lanes")
		}
		ones, k := GP32(), K()
		MOVL(operand.I32(-1), ones)
		BZHIL(n.As32(), ones, ones)
		KMOVW(ones, k)
		return []*tail{{k: k}}
	}
	table := GP64()
	LEAQ(maskTable(), table)
	NEGQ(n)
	for i := range parts {
		v := YMM()
		VMOVUPS(operand.Mem{Base: table, Index: n, Scale: 4, Disp: 64 + 32*i}, v)
		out = append(out, &tail{v: v})
	}
	return out
}

// maskTable returns sixteen words of ones, then sixteen of zeros.
func maskTable() operand.Mem {
	m, ok := constants["tailmask"]
	if !ok {
		m = GLOBL("tailmask", attr.RODATA|attr.NOPTR)
		for i := range 32 {
			v := uint32(0)
			if i < 16 {
				v = math.MaxUint32
			}
			DATA(4*i, operand.U32(v))
		}
		constants["tailmask"] = m
	}
	return m
}

// read loads a vector; lanes beyond the tail are 0.
func read(m operand.Mem, t *tail, v vec) {
	switch {
	case t == nil:
		VMOVUPS(m, v)
	case wide:
		VMOVUPS_Z(m, t.k, v)
	default:
		VMASKMOVPS(m, t.v, v)
	}
}

// write stores a vector; memory beyond the tail stays.
func write(v vec, t *tail, m operand.Mem) {
	switch {
	case t == nil:
		VMOVUPS(v, m)
	case wide:
		VMOVUPS(v, t.k, m)
	default:
		VMASKMOVPS(v, t.v, m)
	}
}

// keep sets lanes of v beyond the tail to 0.
func (t *tail) keep(v vec) {
	switch {
	case t == nil:
	case wide:
		VMOVAPS_Z(v, t.k, v)
	default:
		VANDPS(t.v, v, v)
	}
}

// fill sets lanes of v beyond the tail to those of m.
func (t *tail) fill(v vec, m operand.Mem) {
	if t == nil {
		return
	}
	other := fresh()
	VMOVUPS(m, other)
	if wide {
		VBLENDMPS(v, other, t.k, v)
		return
	}
	VBLENDVPS(t.v, v, other, v)
}

// fold joins the sixteen lanes that one or two vectors hold into the first lane
// of the first: halves, quarters, pairs, neighbours.
func fold(v []vec, join func(b, a vec)) {
	half, t := YMM(), YMM()
	a := v[0].AsY().(vec)
	if wide {
		VEXTRACTF64X4(operand.U8(1), v[0], half)
		join(half, a)
	} else {
		join(v[1], a)
	}
	VEXTRACTF128(operand.U8(1), a, half.AsX())
	join(half, a)
	VMOVHLPS(a.AsX(), a.AsX(), t.AsX())
	join(t, a)
	VMOVSHDUP(a.AsX(), t.AsX())
	join(t, a)
}
