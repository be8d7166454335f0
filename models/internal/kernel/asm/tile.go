package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// format is how the right side of a product is stored.
type format struct {
	name, pointer string
	size          int // bytes of a value
}

var formats = []format{{"", "*float32", 4}, {"BF16", "*uint16", 2}, {"F16", "*uint16", 2}}

// shapes returns, for each number of rows, the numbers of 16-column panels that
// tiles cover: one, and as many as it takes to hide the latency of the
// multiply-adds behind independent chains.
func shapes(f format) [][]int {
	switch {
	case !wide:
		return [][]int{1: {1, 2}, 2: {1, 2, 3}, 3: {1, 2}, 4: {1}, 5: {1}, 6: {1}}
	case f.size == 2:
		return [][]int{1: {1, 2}, 2: {1, 2, 4}, 3: {1, 2, 3}, 4: {1, 2}, 5: {1, 2}, 6: {1, 2}, 7: {1, 2}, 8: {1, 2}}
	}
	return [][]int{1: {1, 2}, 2: {1, 2, 4}, 3: {1, 2, 3}, 4: {1, 2}, 5: {1, 2}, 6: {1, 2}, 7: {1, 2}, 8: {1, 2},
		9: {1, 2}, 10: {1, 2}, 11: {1, 2}, 12: {1, 2}, 13: {1, 2}, 14: {1, 2}}
}

// tiles generates every tile.
func tiles() {
	for _, f := range formats {
		for rows, panels := range shapes(f) {
			for _, n := range panels {
				tile(f, rows, n)
			}
		}
	}
}

// tileName is the name of a tile, less its suffix.
func tileName(f format, rows, panels int) string {
	return fmt.Sprintf("tile%s%dx%d", f.name, rows, panels)
}

// ahead is how far, in bytes of a panel, low tiles ask for memory that they will
// need: enough to cover its latency at full speed. The others, of which several
// share a panel, are told what to ask for.
const ahead = 2048

// tile generates one product of rows × 16·panels elements of c. Each element
// is one chain of fused multiply-adds over k in ascending order, the same in
// every tile, which is what makes a row's bits independent of its neighbours.
func tile(f format, rows, panels int) {
	header(tileName(f, rows, panels)+suffix(), "func(c *float32, ldc int, a *float32, lda int, b, next "+f.pointer+", bks, bps, k, times int, load bool)",
		fmt.Sprintf("is, for %d rows i and %d columns j: c[i*ldc+j] (+)= Σp a[i*lda+p] * b[(j/16)*bps+p*bks+j%%16]; distances count bytes. It does so times times, each time for the rows below. It asks for the k rows from next on.", rows, 16*panels))
	unroll := 4 // steps of k that one turn of the main loop takes
	if f.size == 2 && rows > 1 {
		unroll = 2
	}
	Label("again")
	c := Load(Param("c"), GP64())
	ldc := Load(Param("ldc"), GP64())
	a := Load(Param("a"), GP64())
	lda := Load(Param("lda"), GP64())
	b := Load(Param("b"), GP64())
	bks := Load(Param("bks"), GP64())
	k := Load(Param("k"), GP64())
	low := rows <= 3 // bound by memory
	var next reg.Register
	if !low {
		next = Load(Param("next"), GP64())
	}
	load := Load(Param("load"), GP8())
	aAt := places(a, lda, rows)
	var bps reg.Register
	if panels > 1 {
		bps = Load(Param("bps"), GP64())
	}
	bAt := places(b, bps, panels)

	per := 16 / lanesOf() // vectors of a panel's row
	acc := make([][]vec, rows)
	for i := range acc {
		for range per * panels {
			acc[i] = append(acc[i], fresh())
		}
	}
	walk := func(visit func(i, j int, m operand.Mem)) {
		for i := range rows {
			for j := range per * panels {
				visit(i, j, operand.Mem{Base: c, Disp: 4 * lanesOf() * j})
			}
			if i < rows-1 {
				ADDQ(ldc, c)
			}
		}
	}

	TESTB(load, load)
	JZ(operand.LabelRef("zero"))
	walk(func(i, j int, m operand.Mem) { VMOVUPS(m, acc[i][j]) })
	for range rows - 1 {
		SUBQ(ldc, c)
	}
	JMP(operand.LabelRef("start"))
	Label("zero")
	for i := range acc {
		for _, r := range acc[i] {
			clearVec(r)
		}
	}
	Label("start")
	if !low { // the tile below will go on from its values, in the second cache: the first has few places for lines of one row distance
		below := GP64()
		MOVQ(c, below)
		for i := 1; i < 2*rows; i++ {
			ADDQ(ldc, below)
			for q := 0; i >= rows && q < panels; q++ {
				PREFETCHT1(operand.Mem{Base: below, Disp: 64 * q})
			}
		}
	}

	// one takes one step of k. Registers allow for all values of a at once, or
	// for the row of b.
	read := func(q, h int) vec {
		if h == 0 && low {
			PREFETCHT0(bAt.at[q](ahead))
		}
		v := fresh()
		f.read(bAt.at[q](h*lanesOf()*f.size), v)
		return v
	}
	broadcast := func(i, u int) vec {
		s := fresh()
		VBROADCASTSS(aAt.at[i](4*u), s)
		return s
	}
	one := func(u int) {
		switch {
		case low:
			var s []vec
			for i := range rows {
				s = append(s, broadcast(i, u))
			}
			for q := range panels {
				for h := range per {
					v := read(q, h)
					for i := range rows {
						VFMADD231PS(v, s[i], acc[i][per*q+h])
					}
				}
			}
		default:
			PREFETCHT1(operand.Mem{Base: next})
			ADDQ(bks, next)
			var cols []vec
			for q := range panels {
				for h := range per {
					cols = append(cols, read(q, h))
				}
			}
			for i := range rows {
				s := broadcast(i, u)
				for h, v := range cols {
					VFMADD231PS(v, s, acc[i][h])
				}
			}
		}
		for _, p := range bAt.base {
			ADDQ(bks, p)
		}
	}
	forward := func(steps int) {
		for _, p := range aAt.base {
			ADDQ(operand.U8(4*steps), p)
		}
	}
	SUBQ(operand.U8(unroll), k)
	JLT(operand.LabelRef("rest"))
	Label("loop")
	for u := range unroll {
		one(u)
	}
	forward(unroll)
	SUBQ(operand.U8(unroll), k)
	JGE(operand.LabelRef("loop"))
	Label("rest")
	ADDQ(operand.U8(unroll), k)
	JZ(operand.LabelRef("done"))
	Label("single")
	one(0)
	forward(1)
	DECQ(k)
	JNZ(operand.LabelRef("single"))
	Label("done")
	walk(func(i, j int, m operand.Mem) { VMOVUPS(acc[i][j], m) })
	DECQ(place("times"))
	JZ(operand.LabelRef("end"))
	ADDQ(Load(Param("ldc"), GP64()), c)
	MOVQ(c, place("c"))
	down := Load(Param("lda"), GP64())
	IMUL3Q(operand.U8(rows), down, down)
	ADDQ(down, place("a"))
	JMP(operand.LabelRef("again"))
	Label("end")
	VZEROUPPER()
	RET()
}

// place is where an argument lies in memory.
func place(name string) operand.Mem {
	b, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// read loads a vector of values and widens it to float32.
func (f format) read(m operand.Mem, v vec) {
	switch f.name {
	case "":
		VMOVUPS(m, v)
	case "BF16":
		VPMOVZXWD(m, v)
		VPSLLD(operand.U8(16), v, v)
	case "F16":
		VCVTPH2PS(m, v)
	}
}

// pointers addresses places at equal distances from few registers.
type pointers struct {
	base []reg.GPVirtual
	at   []func(disp int) operand.Mem
}

// places returns n places p, p+s, p+2s, ...; each register reaches three.
func places(p, s reg.Register, n int) pointers {
	out := pointers{base: []reg.GPVirtual{p.(reg.GPVirtual)}}
	for i := range n {
		if i > 0 && i%3 == 0 {
			q := GP64()
			LEAQ(operand.Mem{Base: out.base[i/3-1], Index: s, Scale: 2}, q)
			ADDQ(s, q)
			out.base = append(out.base, q)
		}
		base, j := out.base[i/3], i%3
		out.at = append(out.at, func(d int) operand.Mem {
			m := operand.Mem{Base: base, Disp: d}
			if j > 0 {
				m.Index, m.Scale = s, uint8(j)
			}
			return m
		})
	}
	return out
}
