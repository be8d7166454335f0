package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// widest is the number of 16-column panels that a tile of r rows covers, so
// that about twelve accumulators hide the latency of the multiply-adds.
var widest = []int{1: 6, 2: 3, 3: 2, 4: 1, 5: 1, 6: 1}

// unroll is how many steps of k one turn of the main loop takes.
const unroll = 4

// tiles generates every tile of 1 to 6 rows by 1 to widest panels.
func tiles() {
	for rows := 1; rows < len(widest); rows++ {
		for panels := 1; panels <= widest[rows]; panels++ {
			tile(rows, panels)
		}
	}
}

// tile generates one product of rows × 16·panels elements of c. Each element
// is one chain of fused multiply-adds over k in ascending order, the same in
// every tile, which is what makes a row's bits independent of its neighbours.
func tile(rows, panels int) {
	name := fmt.Sprintf("tile%dx%d", rows, panels)
	TEXT(name, NOSPLIT, "func(c *float32, ldc int, a *float32, ars, aks int, b *float32, bks, bps, k int, load bool)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s is, for %d rows i and %d columns j: c[i*ldc+j] (+)= Σp a[i*ars+p*aks] * b[(j/16)*bps+p*bks+j%%16]; strides count bytes.", name, rows, 16*panels))
	c := Load(Param("c"), GP64())
	ldc := Load(Param("ldc"), GP64())
	a := Load(Param("a"), GP64())
	ars := Load(Param("ars"), GP64())
	aks := Load(Param("aks"), GP64())
	b := Load(Param("b"), GP64())
	bks := Load(Param("bks"), GP64())
	k := Load(Param("k"), GP64())
	load := Load(Param("load"), GP8())

	aAt := three(a, ars, rows)
	var bps reg.Register
	if panels > 1 {
		bps = Load(Param("bps"), GP64())
	}
	bAt := three(b, bps, panels)

	acc := make([][]reg.VecVirtual, rows)
	for i := range acc {
		for range 2 * panels {
			acc[i] = append(acc[i], YMM())
		}
	}
	walk := func(visit func(i, j int, m operand.Mem)) {
		for i := range rows {
			for j := range 2 * panels {
				visit(i, j, operand.Mem{Base: c, Disp: 32 * j})
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
			VXORPS(r, r, r)
		}
	}
	Label("start")

	one := func() {
		if rows == 1 {
			s := YMM()
			VBROADCASTSS(aAt.at[0](0), s)
			for j := range panels {
				VFMADD231PS(bAt.at[j](0), s, acc[0][2*j])
				VFMADD231PS(bAt.at[j](32), s, acc[0][2*j+1])
			}
		} else {
			for j := range panels {
				lo, hi := YMM(), YMM()
				VMOVUPS(bAt.at[j](0), lo)
				VMOVUPS(bAt.at[j](32), hi)
				for i := range rows {
					s := YMM()
					VBROADCASTSS(aAt.at[i](0), s)
					VFMADD231PS(lo, s, acc[i][2*j])
					VFMADD231PS(hi, s, acc[i][2*j+1])
				}
			}
		}
		for _, p := range aAt.base {
			ADDQ(aks, p)
		}
		for _, p := range bAt.base {
			ADDQ(bks, p)
		}
	}
	SUBQ(operand.U8(unroll), k)
	JLT(operand.LabelRef("rest"))
	Label("loop")
	for range unroll {
		one()
	}
	SUBQ(operand.U8(unroll), k)
	JGE(operand.LabelRef("loop"))
	Label("rest")
	ADDQ(operand.U8(unroll), k)
	JZ(operand.LabelRef("done"))
	Label("single")
	one()
	DECQ(k)
	JNZ(operand.LabelRef("single"))
	Label("done")
	walk(func(i, j int, m operand.Mem) { VMOVUPS(acc[i][j], m) })
	VZEROUPPER()
	RET()
}

// pointers addresses up to six places at equal distances from two registers.
type pointers struct {
	base []reg.GPVirtual
	at   []func(disp int) operand.Mem
}

// three returns n places p, p+s, p+2s, ...; a second base register stands at
// p+3s where there are more than three.
func three(p, s reg.Register, n int) pointers {
	out := pointers{base: []reg.GPVirtual{p.(reg.GPVirtual)}}
	if n > 3 {
		q := GP64()
		LEAQ(operand.Mem{Base: p, Index: s, Scale: 2}, q)
		ADDQ(s, q)
		out.base = append(out.base, q)
	}
	for i := range n {
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
