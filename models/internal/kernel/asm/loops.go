package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// vec is a register of eight float32 lanes.
type vec = reg.VecVirtual

// constants names the 32-byte constants that were emitted already.
var constants = map[string]operand.Mem{}

// bits returns eight copies of the 32-bit pattern v in memory.
func bits(v uint32) operand.Mem {
	name := fmt.Sprintf("lanes%08x", v)
	m, ok := constants[name]
	if !ok {
		m = GLOBL(name, attr.RODATA|attr.NOPTR)
		for i := range 8 {
			DATA(4*i, operand.U32(v))
		}
		constants[name] = m
	}
	return m
}

// lanes returns eight copies of the float32 nearest to v in memory.
func lanes(v float64) operand.Mem { return bits(math.Float32bits(float32(v))) }

// mask returns the mask table: eight words of ones, then eight of zeros.
func mask() operand.Mem {
	m, ok := constants["tailmask"]
	if !ok {
		m = GLOBL("tailmask", attr.RODATA|attr.NOPTR)
		for i := range 16 {
			v := uint32(0)
			if i < 8 {
				v = math.MaxUint32
			}
			DATA(4*i, operand.U32(v))
		}
		constants["tailmask"] = m
	}
	return m
}

// loop describes one pass over slices of equal length.
type loop struct {
	name string
	sig  string   // Go signature
	doc  string   // the loop that it must equal
	in   []string // slices that are read, eight elements at a time
	out  string   // slice that is written, or empty
	accs int      // independent accumulators of a reduction: vectors taken in turn
	// consts are scalar parameters, broadcast once.
	consts []string
	// start gives an accumulator's first value; nil means zero.
	start func(vec)
	// body computes from the input vectors (which it may overwrite) and the
	// scalars; acc is the accumulator of a reduction. tail is the mask of the
	// valid lanes in the last vector, nil before it: lanes beyond are zero.
	body func(in, consts []vec, acc vec, tail vec) vec
	// join folds b into a at the end of a reduction.
	join func(b, a vec)
}

// emit writes the function: vectors of eight, accs of them in turn, then
// single vectors into the first accumulator, then one masked vector. The order
// depends on the length alone, and an element's value never on its lane.
func (l loop) emit() {
	TEXT(l.name, NOSPLIT, l.sig)
	Pragma("noescape")
	Doc(l.doc)
	ptr := map[string]reg.Register{}
	for _, name := range l.in {
		ptr[name] = Load(Param(name).Base(), GP64())
	}
	var order []reg.Register
	for _, name := range l.in {
		order = append(order, ptr[name])
	}
	if l.out != "" && ptr[l.out] == nil {
		ptr[l.out] = Load(Param(l.out).Base(), GP64())
		order = append(order, ptr[l.out])
	}
	n := Load(Param(l.in[0]).Len(), GP64())
	var consts []vec
	for _, name := range l.consts {
		v := YMM()
		m, err := Param(name).Resolve()
		if err != nil {
			panic(err)
		}
		VBROADCASTSS(m.Addr, v)
		consts = append(consts, v)
	}
	accs := make([]vec, l.accs)
	for i := range accs {
		accs[i] = YMM()
		if l.start != nil {
			l.start(accs[i])
		} else {
			VXORPS(accs[i], accs[i], accs[i])
		}
	}
	acc := func(i int) vec {
		if l.accs == 0 {
			return nil
		}
		return accs[i]
	}
	step := func(i int, tail vec) {
		var in []vec
		for _, name := range l.in {
			v := YMM()
			m := operand.Mem{Base: ptr[name], Disp: 32 * i}
			if tail == nil {
				VMOVUPS(m, v)
			} else {
				VMASKMOVPS(m, tail, v)
			}
			in = append(in, v)
		}
		y := l.body(in, consts, acc(i), tail)
		if l.out == "" {
			return
		}
		m := operand.Mem{Base: ptr[l.out], Disp: 32 * i}
		if tail == nil {
			VMOVUPS(y, m)
		} else {
			VMASKMOVPS(y, tail, m)
		}
	}
	advance := func(vectors int) {
		for _, p := range order {
			ADDQ(operand.U32(32*vectors), p)
		}
	}
	if l.accs > 1 {
		block := operand.U32(8 * l.accs)
		SUBQ(block, n)
		JLT(operand.LabelRef("few"))
		Label("block")
		for i := range l.accs {
			step(i, nil)
		}
		advance(l.accs)
		SUBQ(block, n)
		JGE(operand.LabelRef("block"))
		Label("few")
		ADDQ(block, n)
	}
	SUBQ(operand.U32(8), n)
	JLT(operand.LabelRef("rest"))
	Label("vector")
	step(0, nil)
	advance(1)
	SUBQ(operand.U32(8), n)
	JGE(operand.LabelRef("vector"))
	Label("rest")
	ADDQ(operand.U32(8), n)
	JZ(operand.LabelRef("done"))
	tail, table := YMM(), GP64()
	LEAQ(mask(), table)
	NEGQ(n)
	VMOVUPS(operand.Mem{Base: table, Index: n, Scale: 4, Disp: 32}, tail)
	step(0, tail)
	Label("done")
	if l.accs > 0 {
		for gap := 1; gap < l.accs; gap *= 2 {
			for i := 0; i+gap < l.accs; i += 2 * gap {
				l.join(accs[i+gap], accs[i])
			}
		}
		half, t := YMM(), YMM()
		VEXTRACTF128(operand.U8(1), accs[0], half.AsX())
		l.join(half, accs[0])
		VMOVHLPS(accs[0].AsX(), accs[0].AsX(), t.AsX())
		l.join(t, accs[0])
		VMOVSHDUP(accs[0].AsX(), t.AsX())
		l.join(t, accs[0])
		Store(accs[0].AsX(), ReturnIndex(0))
	}
	VZEROUPPER()
	RET()
}
