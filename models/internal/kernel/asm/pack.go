package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
)

// packing generates the transposition of eight rows into half a panel.
func packing() {
	text("transpose8", "func(dst *float32, dks int, src *float32, ld, n int)",
		"is, for p < 8·n and i < 8: dst[p*dks+i] = src[i*ld+p]; strides count bytes, n counts groups of eight.")
	dst := Load(Param("dst"), GP64())
	dks := Load(Param("dks"), GP64())
	src := Load(Param("src"), GP64())
	ld := Load(Param("ld"), GP64())
	n := Load(Param("n"), GP64())
	in := places(src, ld, 6)
	third := GP64()
	LEAQ(operand.Mem{Base: src, Index: ld, Scale: 4}, third)
	LEAQ(operand.Mem{Base: third, Index: ld, Scale: 2}, third)
	at := append(in.at,
		func(d int) operand.Mem { return operand.Mem{Base: third, Disp: d} },
		func(d int) operand.Mem { return operand.Mem{Base: third, Index: ld, Scale: 1, Disp: d} })
	Label("turn")
	transpose(func(i int) operand.Mem { return at[i](0) }, func(p int, y vec) {
		VMOVUPS(y, operand.Mem{Base: dst})
		ADDQ(dks, dst)
	})
	for _, p := range append(in.base, third) {
		ADDQ(operand.U8(32), p)
	}
	DECQ(n)
	JNZ(operand.LabelRef("turn"))
	VZEROUPPER()
	RET()
}

// packingHalves generates the transposition of eight rows of 16-bit values.
func packingHalves() {
	text("transposeHalf8", "func(dst *uint16, dks int, src *uint16, ld, n int)",
		"is, for p < 8·n and i < 8: dst[p*dks+i] = src[i*ld+p]; strides count bytes, n counts groups of eight.")
	dst := Load(Param("dst"), GP64())
	dks := Load(Param("dks"), GP64())
	src := Load(Param("src"), GP64())
	ld := Load(Param("ld"), GP64())
	n := Load(Param("n"), GP64())
	in := places(src, ld, 8)
	Label("turn")
	r := make([]vec, 8)
	for i := range r {
		r[i] = XMM()
		VMOVDQU(in.at[i](0), r[i])
	}
	// Interleaving rows i and i+4, then the results likewise, twice more, leaves
	// column p in place p.
	for range 3 {
		next := make([]vec, 8)
		for i := range 4 {
			next[2*i], next[2*i+1] = XMM(), XMM()
			VPUNPCKLWD(r[i+4], r[i], next[2*i])
			VPUNPCKHWD(r[i+4], r[i], next[2*i+1])
		}
		r = next
	}
	for _, v := range r {
		VMOVDQU(v, operand.Mem{Base: dst})
		ADDQ(dks, dst)
	}
	for _, p := range in.base {
		ADDQ(operand.U8(16), p)
	}
	DECQ(n)
	JNZ(operand.LabelRef("turn"))
	RET()
}

// turning generates the transposition of panels for backward products.
func turning() {
	text("turn16", "func(dst *float32, group int, src *float32, n int)",
		"is, for q < n, i < 16 and s < 16: dst[q*group+16s+i] = src[(16q+i)*16+s]; group counts bytes.")
	dst := Load(Param("dst"), GP64())
	group := Load(Param("group"), GP64())
	src := Load(Param("src"), GP64())
	n := Load(Param("n"), GP64())
	Label("turn")
	for right := range 2 {
		for low := range 2 {
			transpose(func(i int) operand.Mem { return operand.Mem{Base: src, Disp: 64*(8*low+i) + 32*right} },
				func(p int, y vec) { VMOVUPS(y, operand.Mem{Base: dst, Disp: 64*(8*right+p) + 32*low}) })
		}
	}
	ADDQ(operand.U32(1024), src)
	ADDQ(group, dst)
	DECQ(n)
	JNZ(operand.LabelRef("turn"))
	VZEROUPPER()
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
