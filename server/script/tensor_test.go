package script_test

import (
	"strings"
	"testing"
)

// setup makes l, the logits of a run, [1 batch, 3 pos, 11 d_vocab], and z, an
// activation, [1 batch, 3 pos, 4 head, 6 d_head].
const setup = `m = load("toy")
logits, cache = run_with_cache(m, [1, 2, 3])
z = cache["z", 0]
l = logits
`

// TestTensorIndexing compares every way of taking a part with tolist, whose
// nesting is plain.
func TestTensorIndexing(t *testing.T) {
	for _, c := range []struct{ expr, want string }{
		{"l.shape, l.axes, l.dtype, l.ndim, l.size, len(l)", `((1, 3, 11), ("batch", "pos", "d_vocab"), "float32", 3, 33, 1)`},
		{"z.shape, z.axes", `((1, 3, 4, 6), ("batch", "pos", "head", "d_head"))`},
		{"l[0].shape, l[-1].axes", `((3, 11), ("pos", "d_vocab"))`},
		{"l[0, 2, 5] == l.tolist()[0][2][5]", "True"},
		{"type(l[0, 2, 5])", `"float"`},
		{"l[0, -1, -2] == l.tolist()[0][2][9]", "True"},
		{"l[0][1:3].tolist() == l.tolist()[0][1:3]", "True"},
		{"l[0][::-1].tolist() == l.tolist()[0][::-1]", "True"},
		{"l[0][:-1].shape, l[0][5:].shape, l[0][2:1].shape", "((2, 11), (0, 11), (0, 11))"},
		{"l[0, 1:3]", `error: a slice and another index cannot stand in one pair of brackets | write t.at(0, "1:3")`},
		{"l.at(0, '1:3').tolist() == l.tolist()[0][1:3]", "True"},
		{"l.at(0, '1:3', 4).tolist() == [r[4] for r in l.tolist()[0][1:3]]", "True"},
		{"l.at(0, None, 4).tolist() == [r[4] for r in l.tolist()[0]]", "True"},
		{"l[0, None, 4].tolist() == [r[4] for r in l.tolist()[0]]", "True"},
		{"l.at(0, range(2), [4, 0, -1]).tolist() == [[r[4], r[0], r[10]] for r in l.tolist()[0][:2]]", "True"},
		{"l.at(0, ':', '::-2').tolist() == [r[::-2] for r in l.tolist()[0]]", "True"},
		{"l.at(0, '-2:', '-1:-4:-1').tolist() == [r[-1:-4:-1] for r in l.tolist()[0][-2:]]", "True"},
		{"l.at(0, '1::9223372036854775807').tolist() == l.tolist()[0][1::100]", "True"},
		{"l.at(0, None, '4::-9223372036854775808').tolist() == [r[4::-100] for r in l.tolist()[0]]", "True"},
		{"l.at(0, '-9223372036854775808:9223372036854775807').shape", "(3, 11)"},
		{"l.at(0, '7:1').shape, l.at(0, '-100:100').shape", "((0, 11), (3, 11))"},
		{"l.sel(pos=-1, batch=0).tolist() == l.tolist()[0][-1]", "True"},
		{"z.sel(pos=-1, head=3).shape, z.sel(pos=-1, head=3).axes", `((1, 6), ("batch", "d_head"))`},
		{"z.sel(head=[3, 1]).tolist() == [[[p[3], p[1]] for p in b] for b in z.tolist()]", "True"},
		{"z.sel(pos='1:', head=2).axes", `("batch", "pos", "d_head")`},
		{"[r[0] for r in l[0]] == [r[0] for r in l.tolist()[0]]", "True"},
		{"[x for x in l[0, 1]] == l.tolist()[0][1]", "True"},
		{"l[0, 3]", "error: index 3 is out of range for axis 1 (pos) of length 3 | indices are -3 to 2"},
		{"l[0, -4]", "error: index -4 is out of range for axis 1 (pos) of length 3 | indices are -3 to 2"},
		{"l[0, 0, 0, 0]", "error: 4 indices for a tensor of 3 axes [1 batch, 3 pos, 11 d_vocab]"},
		{"l[0.5]", `error: float cannot index a tensor | use an int, None for all, a list of ints, or a slice as text: t.at("1:3", 0)`},
		{"l.at('x')", `error: "x" is no slice | slices look like "1:3", ":-1" or "::2"`},
		{"l.at('::0')", `error: "::0" is no slice | slices look like "1:3", ":-1" or "::2"`},
		{"l.sel(layer=0)", `error: no axis "layer" | axes are batch, pos, d_vocab`},
		{"l.sel(0)", "error: sel takes axes by name | write t.sel(pos=-1, head=3); by place, t.at(0, None, 3)"},
		{"l[0] = 1", "error: tensor value does not support item assignment | values of this kind never change"},
		{"l.item()", "error: item: the tensor has 33 elements, not one | index it first, such as t[0, -1]"},
		{"l.at([0], [1], [2]).item() == l[0, 1, 2]", "True"},
		{"l.reshape(3)", "error: tensor has no .reshape | take parts with t.at(...) or t.sel(...)"},
		{"l.meen()", "error: tensor has no .meen field or method (did you mean .mean?)"},
	} {
		if got := eval(t, setup+c.expr); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s gives %s, want %s", c.expr, got, c.want)
		}
	}
}

// grid makes a, [2 pos, 3 d_vocab] with 0 to 5, and b, [3] with 10, 20, 30.
// There is no constructor of tensors, so they are sums of masks: an element of
// the logits equals itself, and no other equals it.
const grid = setup + `def make(rows):
    x = l.sel(batch=0).at("0:%d" % len(rows), "0:%d" % len(rows[0]))
    out = x * 0
    for i in range(len(rows)):
        for j in range(len(rows[0])):
            out = out + x.eq(x[i, j]) * rows[i][j]
    return out
a = make([[0, 1, 2], [3, 4, 5]])
b = make([[10, 20, 30]])[0]
`

func TestTensorArithmetic(t *testing.T) {
	for _, c := range []struct{ expr, want string }{
		{"a.tolist(), b.tolist()", "([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], [10.0, 20.0, 30.0])"},
		{"(a + 1).tolist()", "[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]"},
		{"(1 - a).tolist()", "[[1.0, 0.0, -1.0], [-2.0, -3.0, -4.0]]"},
		{"(2 * a).tolist() == (a * 2).tolist(), (a * 2.5)[1, 2]", "(True, 12.5)"},
		{"(60 / b).tolist(), (b / 4).tolist()", "([6.0, 3.0, 2.0], [2.5, 5.0, 7.5])"},
		{"(a + b).tolist()", "[[10.0, 21.0, 32.0], [13.0, 24.0, 35.0]]"},
		{"(b - a).tolist()", "[[10.0, 19.0, 28.0], [7.0, 16.0, 25.0]]"},
		{"(a * a).tolist()", "[[0.0, 1.0, 4.0], [9.0, 16.0, 25.0]]"},
		{"(a + a.at(None, '0:1')).tolist()", "[[0.0, 1.0, 2.0], [6.0, 7.0, 8.0]]"},
		{"(a // 2).tolist(), (-a // 2)[1].tolist()", "([[0.0, 0.0, 1.0], [1.0, 2.0, 2.0]], [-2.0, -2.0, -3.0])"},
		{"(a % 3).tolist(), (-a % 3)[1].tolist()", "([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]], [0.0, 2.0, 1.0])"},
		{"(-a)[1].tolist(), (+a)[1].tolist()", "([-3.0, -4.0, -5.0], [3.0, 4.0, 5.0])"},
		{"(a / 0)[0].tolist()", "[nan, +inf, +inf]"},
		{"(a + b).axes, (b + a).axes", `(("pos", "d_vocab"), ("pos", "d_vocab"))`},
		{"a + make([[1, 2]])[0]", "error: shapes [2 pos, 3 d_vocab] and [2 d_vocab] do not fit | axes are matched from the last one back; each pair must be equal, or one of them 1"},
		{"a + 'x'", "error: unknown binary op: tensor + string"},
		{"a + [1]", "error: unknown binary op: tensor + list"},
		{"a == a + 0, a != b, a == 1", "(True, True, False)"},
		{"a < b", "error: tensor < tensor not implemented | compare tensors element by element"},
		{"a > 1", "error: tensor > int not implemented | compare tensors element by element"},
		{"a.gt(2).tolist(), a.gt(2).dtype", `([[False, False, False], [True, True, True]], "bool")`},
		{"a.ge(2).sum(), a.lt(2).sum(), a.le(2).sum(), a.eq(2).sum()", "(4.0, 2.0, 3.0, 1.0)"},
		{"a.sum(), a.mean(), a.max(), a.min(), a.argmax(), a.argmin()", "(15.0, 2.5, 5.0, 0.0, 5, 0)"},
		{"a.sum(0).tolist(), a.sum(axis=1).tolist(), a.sum('pos').axes", `([3.0, 5.0, 7.0], [3.0, 12.0], ("d_vocab",))`},
		{"a.mean(-1).tolist(), a.max(0).tolist(), a.min('d_vocab').tolist()", "([1.0, 4.0], [3.0, 4.0, 5.0], [0.0, 3.0])"},
		{"a.argmax(0).tolist(), a.argmin(axis=-1).tolist(), a.argmax(1).dtype", `([1, 1, 1], [0, 0], "int32")`},
		{"(a / a).max(), (a / a).argmax(), (a / a).min(1).tolist(), (a / a).at(None, '::-1').max(1).tolist(), (a / a).T.min()", "(nan, 0, [nan, 1.0], [nan, 1.0], nan)"},
		{"b.argmax(0)", "2"},
		{"a.mean(1, keepdim=True).tolist(), a.sum('pos', keepdim=True).axes", `([[1.0], [4.0]], ("pos", "d_vocab"))`},
		{"(a - a.mean(1, keepdim=True)).tolist(), (a - a.mean(0)).tolist()", "([[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]], [[-1.5, -1.5, -1.5], [1.5, 1.5, 1.5]])"},
		{"a.mean(keepdim=True)", `error: mean: keepdim=True needs an axis | say which to keep, such as axis="pos"`},
		{"a.mean(dim=1)", `error: tensor.mean: unexpected keyword argument "dim" | write axis=`},
		{"l[0].at(None, ':3') - l[0].at(None, ':3').mean('d_vocab')", "error: shapes [3 pos, 3 d_vocab] and [3 pos] do not fit: d_vocab would meet pos | axes are matched from the last one back; a mean or sum leaves its axis where it is with keepdim=True"},
		{"l[0].at(None, ':3').mean('d_vocab') - l[0].at(None, ':3')", "error: shapes [3 pos] and [3 pos, 3 d_vocab] do not fit: pos would meet d_vocab"},
		{"(l[0].at(None, ':3') + l[0].at(None, ':3').T).shape", "(3, 3)"},
		{"a.sum(2)", "error: no axis 2 in [2 pos, 3 d_vocab] | axes are -2 to 1, or names"},
		{"a.sum('head')", `error: no axis "head" | axes are pos, d_vocab`},
		{"a.at('1:1').mean()", "error: mean of an empty tensor [0 pos, 3 d_vocab]"},
		{"a.at('1:1').sum()", "0.0"},
		{"(a - 3).abs()[0].tolist(), a.pow(2)[1].tolist(), pow(a, 2) == a * a, (a * a).sqrt() == a", "([3.0, 2.0, 1.0], [9.0, 16.0, 25.0], True, True)"},
		{"round(a.exp().log(), 5) == a, b.norm() == math.sqrt(1400.0)", "(True, True)"},
		{"fmt('{:.6f}', a.softmax()[0].sum()), a.softmax(0)[0].tolist()[0] < 0.05", `("1.000000", True)`},
		{"[round(x, 5) for x in a[0].softmax()]", "[0.09003, 0.24473, 0.66524]"},
		{"[round(x, 5) for x in a[0].log_softmax()]", "[-2.40761, -1.40761, -0.40761]"},
		{"a.T.tolist(), a.T.axes", `([[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]], ("d_vocab", "pos"))`},
		{"a.transpose('d_vocab', 0) == a.T, a.transpose(0, 1) == a", "(True, True)"},
		{"a.transpose(0)", "error: transpose: 1 axes named of [2 pos, 3 d_vocab] | name each once, or none to reverse them"},
		{"a.transpose(0, 0)", "error: transpose: axis 0 (pos) twice"},
		{"a.matmul(a.T).tolist(), a.matmul(b).tolist(), b.matmul(b)", "([[5.0, 14.0], [14.0, 50.0]], [80.0, 260.0], 1400.0)"},
		{"a.matmul(a)", "error: matmul: the last axis of [2 pos, 3 d_vocab] has 3 elements, the first of [2 pos, 3 d_vocab] 2"},
		{"round(b / 7, 2)[0] - 1.43 < 1e-6, mean(b), sum(b), sum([a, a]) == 2 * a", "(True, 20.0, 60.0, True)"},
		{"fmt('{:.1f} {}', b[0], b[1])", `"10.0 20.0"`},
		{"fmt('{:.1f}', b)", "error: fmt: {:.1f}: a tensor of shape [3] is no single number"},
		{"a", "tensor [2 pos, 3 d_vocab] float32\n[[0, 1, 2],\n [3, 4, 5]]"},
		{"a.gt(2)[1]", "tensor [3 d_vocab] bool\n[True, True, True]"},
		{"abs(a)", "error: got tensor, want int or float | turn a tensor of one element into a number"},
		{"dir(a)[:5]", `["T", "abs", "argmax", "argmin", "at"]`},
		{"{a: 1}", "error: unhashable: tensor"},
		{"bool(a), bool(a * 0)", "(True, False)"},
	} {
		if got := eval(t, grid+c.expr); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s gives\n%s, want\n%s", c.expr, got, c.want)
		}
	}
}
