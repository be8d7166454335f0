package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// backShape is a kind of tile of backward products: up to rows inputs by that
// many rows of the batch, the lanes of its vectors.
type backShape struct{ rows, lanes int }

// backShapes returns the kinds that keep enough chains going.
func backShapes() []backShape {
	if wide {
		return []backShape{{14, 8}, {14, 16}, {14, 32}}
	}
	return []backShape{{12, 8}, {6, 16}}
}

// backTiles generates every tile of backward products.
func backTiles() {
	for _, s := range backShapes() {
		for rows := 1; rows <= s.rows; rows++ {
			backTile(rows, s.lanes)
		}
	}
}

// backName is the name of a tile, less its suffix.
func backName(rows, lanes int) string { return fmt.Sprintf("back%dx%d", rows, lanes) }

// backAhead is how many panels ahead of their use lines are asked for: enough to
// cover the latency of memory.
const backAhead = 4

// backTile generates one product of a backward pass that reads panels of weights
// as they lie, of which a panel holds sixteen steps: values of the weights are
// broadcast over lanes, which are rows of the batch.
func backTile(rows, lanes int) {
	header(backName(rows, lanes)+suffix(), "func(c *float32, ldc int, w *float32, group int, b *float32, bps, lane, k, times int, next *float32, load bool)",
		fmt.Sprintf("is, for %d rows j and %d columns i: c[j*ldc+i] (+)= Σp w[p/16*group+16j+p%%16] * b[(i/16)*bps+(p-lane)*16+i%%16] over lane <= p < lane+k; ldc, group and bps count bytes. It does so times times, each time for the rows below, and asks for the first panels of next near its end.", rows, lanes))
	size := 4 * min(lanesOf(), lanes)
	vectors := 4 * lanes / size
	Label("again")
	load := Load(Param("load"), GP8())
	c := Load(Param("c"), GP64())
	ldc := Load(Param("ldc"), GP64())
	register := fresh
	if lanes < lanesOf() {
		register = func() vec { return YMM() }
	}
	acc := make([][]vec, rows)
	for i := range acc {
		for range vectors {
			acc[i] = append(acc[i], register())
		}
	}
	walk := func(visit func(m operand.Mem, v vec)) {
		at := GP64()
		MOVQ(c, at)
		for i := range rows {
			for h, v := range acc[i] {
				visit(operand.Mem{Base: at, Disp: size * h}, v)
			}
			if i < rows-1 {
				ADDQ(ldc, at)
			}
		}
	}
	TESTB(load, load)
	JZ(operand.LabelRef("zero"))
	walk(func(m operand.Mem, v vec) { VMOVUPS(m, v) })
	JMP(operand.LabelRef("start"))
	Label("zero")
	for i := range acc {
		for _, v := range acc[i] {
			clearVec(v)
		}
	}
	Label("start")
	w := Load(Param("w"), GP64())
	group := Load(Param("group"), GP64())
	b := Load(Param("b"), GP64())
	var second reg.Register
	if lanes > 16 {
		second = Load(Param("bps"), GP64())
		ADDQ(b, second)
	}
	lane := Load(Param("lane"), GP64())
	k := Load(Param("k"), GP64())
	next := Load(Param("next"), GP64())
	below := GP64()
	LEAQ(operand.Mem{Base: w, Disp: 64 * rows}, below)
	CMPQ(place("times"), operand.U8(1))
	CMOVQNE(below, next)
	ask := GP64()
	MOVQ(group, ask)
	SHLQ(operand.U8(2), ask) // times backAhead
	ADDQ(w, ask)
	CMPQ(k, operand.U8(16*backAhead))
	CMOVQLE(next, ask)
	room := GP64()
	MOVQ(operand.U32(16), room)
	SUBQ(lane, room)
	at := GP64()
	LEAQ(operand.Mem{Base: w, Index: lane, Scale: 4}, at)

	one := func(u int) {
		var cols []vec
		for h := range vectors {
			v := register()
			m := operand.Mem{Base: b, Disp: 64*u + size*h}
			if size*h >= 64 {
				m = operand.Mem{Base: second, Disp: 64*u + size*h - 64}
			}
			VMOVUPS(m, v)
			cols = append(cols, v)
		}
		for j := range rows {
			m := operand.Mem{Base: at, Disp: 64*j + 4*u}
			if wide && vectors == 1 { // a load less: these tiles are bound by loads
				VFMADD231PS_BCST(m, cols[0], acc[j][0])
				continue
			}
			s := register()
			VBROADCASTSS(m, s)
			for h, v := range cols {
				VFMADD231PS(v, s, acc[j][h])
			}
		}
	}
	forward := func(steps int) {
		ADDQ(operand.U32(4*steps), at)
		ADDQ(operand.U32(64*steps), b)
		if second != nil {
			ADDQ(operand.U32(64*steps), second)
		}
	}
	const unroll = 4
	Label("panel")
	count := GP64()
	MOVQ(room, count)
	CMPQ(k, count)
	CMOVQLT(k, count)
	SUBQ(count, k)
	for j := range rows {
		PREFETCHT0(operand.Mem{Base: ask, Disp: 64 * j})
	}
	SUBQ(operand.U8(unroll), count)
	JLT(operand.LabelRef("rest"))
	Label("loop")
	for u := range unroll {
		one(u)
	}
	forward(unroll)
	SUBQ(operand.U8(unroll), count)
	JGE(operand.LabelRef("loop"))
	Label("rest")
	ADDQ(operand.U8(unroll), count)
	JZ(operand.LabelRef("turn"))
	Label("single")
	one(0)
	forward(1)
	DECQ(count)
	JNZ(operand.LabelRef("single"))
	Label("turn")
	ADDQ(group, w)
	MOVQ(w, at)
	MOVQ(operand.U32(16), room)
	// Of the panels to come, the last backAhead ask for those of next.
	ADDQ(group, ask)
	MOVQ(k, count)
	SUBQ(operand.U32(16*(backAhead-1)+1), count)
	CMPQ(count, operand.U8(16))
	CMOVQCS(next, ask)
	TESTQ(k, k)
	JNZ(operand.LabelRef("panel"))
	walk(func(m operand.Mem, v vec) { VMOVUPS(v, m) })
	DECQ(place("times"))
	JZ(operand.LabelRef("end"))
	down := Load(Param("ldc"), GP64())
	IMUL3Q(operand.U8(rows), down, down)
	ADDQ(down, place("c"))
	ADDQ(operand.U32(64*rows), place("w"))
	JMP(operand.LabelRef("again"))
	Label("end")
	VZEROUPPER()
	RET()
}
