package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// loop describes one pass over slices of equal length.
type loop struct {
	name string
	sig  string   // Go signature
	doc  string   // the loop that it must equal
	in   []string // slices that are read
	out  string   // slice that is written, or empty
	accs int      // independent accumulators of a reduction, of sixteen lanes, taken in turn
	// consts are scalar parameters, broadcast once.
	consts []string
	// start gives an accumulator's first value; nil means zero.
	start func(vec)
	// body computes from the input vectors (which it may overwrite) and the
	// scalars; acc is the accumulator of a reduction. t marks the valid lanes of
	// the last vector: those beyond are zero in in.
	body func(in, consts []vec, acc vec, t *tail) vec
	// join folds b into a at the end of a reduction.
	join func(b, a vec)
}

// emit writes the function: steps of sixteen lanes, accs of them in turn, then
// single ones into the first accumulator, then a masked one. The order of a sum
// depends on the length alone and is the same for both widths of vectors, and
// an element's value never depends on its lane.
func (l loop) emit() {
	text(l.name, l.sig, "is: "+l.doc)
	ptr := map[string]reg.Register{}
	var order []reg.Register
	for _, name := range append(l.in, l.out) {
		if name != "" && ptr[name] == nil {
			ptr[name] = Load(Param(name).Base(), GP64())
			order = append(order, ptr[name])
		}
	}
	n := Load(Param(l.in[0]).Len(), GP64())
	var consts []vec
	for _, name := range l.consts {
		v := fresh()
		m, err := Param(name).Resolve()
		if err != nil {
			panic(err)
		}
		VBROADCASTSS(m.Addr, v)
		consts = append(consts, v)
	}
	parts := 1 // vectors of a step
	if l.accs > 0 {
		parts = 16 / lanesOf()
	}
	accs := make([][]vec, l.accs)
	for i := range accs {
		for range parts {
			v := fresh()
			if l.start != nil {
				l.start(v)
			} else {
				clearVec(v)
			}
			accs[i] = append(accs[i], v)
		}
	}
	size := 4 * lanesOf()
	step := func(i int, tails []*tail) {
		for part := range parts {
			var in []vec
			var t *tail
			if tails != nil {
				t = tails[part]
			}
			at := size * (i*parts + part)
			for _, name := range l.in {
				v := fresh()
				read(operand.Mem{Base: ptr[name], Disp: at}, t, v)
				in = append(in, v)
			}
			var acc vec
			if l.accs > 0 {
				acc = accs[i][part]
			}
			y := l.body(in, consts, acc, t)
			if l.out != "" {
				write(y, t, operand.Mem{Base: ptr[l.out], Disp: at})
			}
		}
	}
	// run takes steps of count vectors as long as there are enough elements.
	run := func(label string, count int) {
		block := operand.U32(lanesOf() * parts * count)
		SUBQ(block, n)
		JLT(operand.LabelRef(label + "end"))
		Label(label)
		for i := range count {
			step(i, nil)
		}
		for _, p := range order {
			ADDQ(operand.U32(size*parts*count), p)
		}
		SUBQ(block, n)
		JGE(operand.LabelRef(label))
		Label(label + "end")
		ADDQ(block, n)
	}
	if l.accs > 1 {
		run("block", l.accs)
	}
	run("vector", 1)
	TESTQ(n, n)
	JZ(operand.LabelRef("done"))
	step(0, newTail(n.(reg.GPVirtual), parts))
	Label("done")
	if l.accs > 0 {
		for gap := 1; gap < l.accs; gap *= 2 {
			for i := 0; i+gap < l.accs; i += 2 * gap {
				for part := range parts {
					l.join(accs[i+gap][part], accs[i][part])
				}
			}
		}
		fold(accs[0], l.join)
		Store(accs[0][0].AsX(), ReturnIndex(0))
	}
	VZEROUPPER()
	RET()
}
