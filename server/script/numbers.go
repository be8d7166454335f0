package script

import (
	"fmt"
	"math"
	"math/big"
	"strconv"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// roundNumber is the builtin round: Python's, ties to even on the decimal
// value of the float.
func roundNumber(c call) (starlark.Value, error) {
	var x, digits starlark.Value
	if err := c.unpack("x", &x, "ndigits??", &digits); err != nil {
		return nil, err
	}
	n := 0
	if digits != nil {
		var err error
		if n, err = starlark.AsInt32(digits); err != nil {
			return nil, fmt.Errorf("round: ndigits: %v", err)
		}
	}
	switch x := x.(type) {
	case *Tensor:
		p := math.Pow(10, float64(n))
		return x.each("float32", func(v float64) float64 { return math.RoundToEven(v*p) / p }), nil
	case starlark.Int:
		return roundInt(x, n)
	case starlark.Float:
		v := roundFloat(float64(x), n)
		if digits != nil {
			return starlark.Float(v), nil
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("round: %v is no int", x)
		}
		return starlark.NumberToInt(starlark.Float(v))
	}
	return nil, typeError("round", "a number or a tensor", x)
}

func roundFloat(x float64, digits int) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) || digits > 323 {
		return x
	}
	if digits >= 0 {
		v, err := strconv.ParseFloat(strconv.FormatFloat(x, 'f', digits, 64), 64)
		if err != nil {
			return x
		}
		return v
	}
	if digits < -308 {
		return 0
	}
	p := math.Pow(10, float64(-digits))
	return math.RoundToEven(x/p) * p
}

func roundInt(x starlark.Int, digits int) (starlark.Value, error) {
	if digits >= 0 {
		return x, nil
	}
	if digits < -4000 {
		return starlark.MakeInt(0), nil
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-digits)), nil)
	q, r := new(big.Int).DivMod(x.BigInt(), unit, new(big.Int))
	half := new(big.Int).Lsh(r, 1).Cmp(unit)
	if half > 0 || half == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(1))
	}
	return starlark.MakeBigInt(q.Mul(q, unit)), nil
}

// sumValues is the builtin sum.
func sumValues(c call) (starlark.Value, error) {
	var xs starlark.Iterable
	var total starlark.Value = starlark.MakeInt(0)
	if err := c.unpack("xs", &xs, "start?", &total); err != nil {
		return nil, err
	}
	it := xs.Iterate()
	defer it.Done()
	var x starlark.Value
	for i := 0; it.Next(&x); i++ {
		if _, ok := x.(starlark.String); ok {
			return nil, &hinted{"sum adds no strings", `write "".join(xs)`}
		}
		if i&1023 == 0 && c.ctx.Err() != nil {
			return nil, c.ctx.Err()
		}
		var err error
		if total, err = starlark.Binary(syntax.PLUS, total, x); err != nil {
			return nil, fmt.Errorf("sum: element %d: %w", i, err)
		}
	}
	return total, nil
}

// meanValues is the builtin mean.
func meanValues(c call) (starlark.Value, error) {
	var xs starlark.Iterable
	if err := c.unpack("xs", &xs); err != nil {
		return nil, err
	}
	if t, ok := xs.(*Tensor); ok {
		return t.reduce(c, "mean", nil, false)
	}
	it := xs.Iterate()
	defer it.Done()
	var x starlark.Value
	sum, n := 0.0, 0
	for it.Next(&x) {
		v, ok := number(x)
		if !ok {
			return nil, typeError(fmt.Sprintf("mean: element %d", n), "a number", x)
		}
		sum += v
		n++
	}
	if n == 0 {
		return nil, &hinted{"mean of no numbers", "is the list empty?"}
	}
	return starlark.Float(sum / float64(n)), nil
}

// number returns a number's value as a float.
func number(x starlark.Value) (float64, bool) {
	switch x := x.(type) {
	case starlark.Int:
		return float64(x.Float()), true
	case starlark.Float:
		return float64(x), true
	case starlark.Bool:
		if x {
			return 1, true
		}
		return 0, true
	case *Tensor:
		if x.data.Len() == 1 {
			return float64(x.data.Data[0]), true
		}
	}
	return 0, false
}

// power is the builtin pow.
func power(c call) (starlark.Value, error) {
	var x, y, mod starlark.Value
	if err := c.unpack("x", &x, "y", &y, "mod??", &mod); err != nil {
		return nil, err
	}
	if t, ok := x.(*Tensor); ok {
		return t.pow(y)
	}
	a, intX := x.(starlark.Int)
	b, intY := y.(starlark.Int)
	if mod != nil {
		m, ok := mod.(starlark.Int)
		if !ok || !intX || !intY || m.Sign() == 0 || b.Sign() < 0 {
			return nil, fmt.Errorf("pow: with mod, want ints, y at least 0 and mod not 0")
		}
		r := new(big.Int).Exp(a.BigInt(), b.BigInt(), new(big.Int).Abs(m.BigInt()))
		if r.Sign() != 0 && (r.Sign() < 0) != (m.Sign() < 0) {
			r.Add(r, m.BigInt())
		}
		return starlark.MakeBigInt(r), nil
	}
	if intX && intY && b.Sign() >= 0 {
		base := a.BigInt()
		if bits := float64(base.BitLen()) * float64(b.Float()); base.BitLen() > 1 && bits > maxIntBits {
			return nil, &hinted{fmt.Sprintf("pow(%v, %v) would have about %.0f bits", x, y, bits), "use a float, or pow(x, y, mod)"}
		}
		return starlark.MakeBigInt(new(big.Int).Exp(base, b.BigInt(), nil)), nil
	}
	p, okX := number(x)
	q, okY := number(y)
	switch {
	case !okX:
		return nil, typeError("pow", "a number", x)
	case !okY:
		return nil, typeError("pow", "a number", y)
	case p == 0 && q < 0:
		return nil, fmt.Errorf("pow: 0 to the power %v", y)
	case p < 0 && q != math.Trunc(q):
		return nil, fmt.Errorf("pow: %v to the power %v is no real number", x, y)
	}
	return starlark.Float(math.Pow(p, q)), nil
}
