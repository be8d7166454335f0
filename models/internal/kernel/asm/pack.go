package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
)

// packing generates the transposition of eight rows into half a panel, and of
// squares in a row or column of any matrix.
func packing() {
	text("transpose8", "func(dst *float32, dks, dgs int, src *float32, ld, sgs, n int)",
		"is, for g < n, p < 8 and i < 8: dst[g*dgs+p*dks+i] = src[g*sgs+i*ld+p]; distances count bytes.")
	dst := Load(Param("dst"), GP64())
	dks := Load(Param("dks"), GP64())
	dgs := Load(Param("dgs"), GP64())
	src := Load(Param("src"), GP64())
	ld := Load(Param("ld"), GP64())
	sgs := Load(Param("sgs"), GP64())
	n := Load(Param("n"), GP64())
	to, from := places(dst, dks, 8), places(src, ld, 8)
	Label("turn")
	transpose(func(i int) operand.Mem { return from.at[i](0) }, func(p int, y vec) { VMOVUPS(y, to.at[p](0)) })
	for _, p := range to.base {
		ADDQ(dgs, p)
	}
	for _, p := range from.base {
		ADDQ(sgs, p)
	}
	DECQ(n)
	JNZ(operand.LabelRef("turn"))
	VZEROUPPER()
	RET()
}

// gathering generates the copy of a line of each of many rows.
func gathering() {
	text("gather", "func(dst, src *float32, ld, n int)",
		"is, for p < n and j < 16: dst[16p+j] = src[p*ld+j]; ld counts bytes.")
	dst := Load(Param("dst"), GP64())
	src := Load(Param("src"), GP64())
	ld := Load(Param("ld"), GP64())
	n := Load(Param("n"), GP64())
	Label("row")
	lo, hi := YMM(), YMM()
	VMOVUPS(operand.Mem{Base: src}, lo)
	VMOVUPS(operand.Mem{Base: src, Disp: 32}, hi)
	VMOVUPS(lo, operand.Mem{Base: dst})
	VMOVUPS(hi, operand.Mem{Base: dst, Disp: 32})
	ADDQ(ld, src)
	ADDQ(operand.U8(64), dst)
	DECQ(n)
	JNZ(operand.LabelRef("row"))
	VZEROUPPER()
	RET()
}

// asking generates the request for memory that will be needed soon.
func asking() {
	text("ask", "func(p *float32, ld, rows, lines int)",
		"asks for lines cache lines of each of rows rows from p, at distance ld in bytes.")
	p := Load(Param("p"), GP64())
	ld := Load(Param("ld"), GP64())
	rows := Load(Param("rows"), GP64())
	lines := Load(Param("lines"), GP64())
	Label("row")
	at, n := GP64(), GP64()
	MOVQ(p, at)
	MOVQ(lines, n)
	Label("line")
	PREFETCHT0(operand.Mem{Base: at})
	ADDQ(operand.U8(64), at)
	DECQ(n)
	JNZ(operand.LabelRef("line"))
	ADDQ(ld, p)
	DECQ(rows)
	JNZ(operand.LabelRef("row"))
	RET()
}

// transpose reads eight rows of eight values and stores their columns.
func transpose(row func(i int) operand.Mem, store func(p int, y vec)) {
	r := make([]vec, 8)
	for i := range r {
		r[i] = YMM()
		VMOVUPS(row(i), r[i])
	}
	// Pairs of rows interleaved: t[2q], t[2q+1] hold columns 0 1 4 5 and
	// 2 3 6 7 of rows 2q and 2q+1.
	t := make([]vec, 8)
	for q := range 4 {
		t[2*q], t[2*q+1] = YMM(), YMM()
		VUNPCKLPS(r[2*q+1], r[2*q], t[2*q])
		VUNPCKHPS(r[2*q+1], r[2*q], t[2*q+1])
	}
	// u[4h+c] holds columns c and c+4 of rows 4h to 4h+3.
	u := make([]vec, 8)
	for h := range 2 {
		for c := range 2 {
			lo, hi := t[4*h+c], t[4*h+2+c]
			u[4*h+2*c], u[4*h+2*c+1] = YMM(), YMM()
			VSHUFPS(operand.U8(0x44), hi, lo, u[4*h+2*c])
			VSHUFPS(operand.U8(0xee), hi, lo, u[4*h+2*c+1])
		}
	}
	for p := range 8 {
		half := operand.U8(0x20)
		if p >= 4 {
			half = 0x31
		}
		y := YMM()
		VPERM2F128(half, u[4+p%4], u[p%4], y)
		store(p, y)
	}
}

// widening generates the conversions of 16-bit values.
func widening() {
	for _, f := range formats[1:] {
		text("widen"+f.name, "func(dst *float32, src *uint16, n int)",
			"is, for i < n, a multiple of 16: dst[i] = value of src[i].")
		dst := Load(Param("dst"), GP64())
		src := Load(Param("src"), GP64())
		n := Load(Param("n"), GP64())
		Label("turn")
		for h := range 2 {
			v := YMM()
			f.read(operand.Mem{Base: src, Disp: 16 * h}, v)
			VMOVUPS(v, operand.Mem{Base: dst, Disp: 32 * h})
		}
		ADDQ(operand.U8(32), src)
		ADDQ(operand.U8(64), dst)
		SUBQ(operand.U8(16), n)
		JNZ(operand.LabelRef("turn"))
		VZEROUPPER()
		RET()
	}
}
