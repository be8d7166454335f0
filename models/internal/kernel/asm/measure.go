package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
)

// measures generates the loops that find out what the processor can do.
func measures() {
	text("peak", "func(turns int)", "runs turns of sixteen steps of twelve independent chains of multiply-adds, all of registers.")
	n := Load(Param("turns"), GP64())
	one := zero()
	var acc []vec
	for range 12 {
		acc = append(acc, zero())
	}
	Label("turn")
	for range 16 {
		for _, v := range acc {
			VFMADD231PS(one, one, v)
		}
	}
	DECQ(n)
	JNZ(operand.LabelRef("turn"))
	VZEROUPPER()
	RET()

	text("scan", "func(p *float32, lines int)", "reads lines cache lines from p, a multiple of eight.")
	p := Load(Param("p"), GP64())
	n = Load(Param("lines"), GP64())
	acc = nil
	for range 4 {
		acc = append(acc, zero())
	}
	Label("lines")
	for i := range 8 {
		PREFETCHT0(operand.Mem{Base: p, Disp: 64*i + ahead})
	}
	for i := range 512 / (4 * lanesOf()) {
		or(operand.Mem{Base: p, Disp: 4 * lanesOf() * i}, acc[i%4], acc[i%4])
	}
	ADDQ(operand.U32(512), p)
	SUBQ(operand.U8(8), n)
	JNZ(operand.LabelRef("lines"))
	VZEROUPPER()
	RET()
}
