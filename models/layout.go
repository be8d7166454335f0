package models

import (
	"errors"
	"fmt"

	"orrery/models/tensor"
)

// layout is a reader that knows the config, and with it which weights there are.
type layout struct {
	*reader
	cfg  Config
	p    *Params
	errs []error
}

func newLayout(f *checkpoint, cfg Config) *layout {
	return &layout{reader: newReader(f), cfg: cfg, p: &Params{Blocks: make([]BlockParams, cfg.Layers)}}
}

// done reads everything asked for.
func (y *layout) done() (*Params, error) { return y.p, errors.Join(append(y.errs, y.read())...) }

// prefix is the first of the prefixes under which the file has a tensor of that
// name, and the first of all when none does: the missing tensor is then named
// with it.
func (y *layout) prefix(name string, prefixes ...string) string {
	for _, p := range prefixes {
		if _, ok := y.file.Info(p + name); ok {
			return p
		}
	}
	return prefixes[0]
}

// norm wants gain and bias of a norm, where the config has them.
func (y *layout) norm(n *NormParams, name string) { y.gain(n, name, nil) }

// gain is norm with a change of the gain.
func (y *layout) gain(n *NormParams, name string, change transform) {
	if y.cfg.PlainNorm || y.cfg.Norm == NoNorm {
		return
	}
	y.then(&n.Weight, name+".weight", change, y.cfg.Width)
	if y.cfg.NormBias {
		y.want(&n.Bias, name+".bias", y.cfg.Width)
	}
}

// headNorm wants the weights of the norm of q or k, "attn.q_norm" or
// "attn.k_norm". Where every head has its own, name has a verb for the head.
func (y *layout) headNorm(n *NormParams, which, name string, change transform) {
	width, have := y.cfg.normWidth(which)
	if !have {
		return
	}
	if y.cfg.QKNorm == QKNormHeads { // a tensor for each head
		for h := range width / y.cfg.HeadWidth {
			y.below(&n.Weight, fmt.Sprintf(name, h)+".weight", y.cfg.HeadWidth)
		}
		return
	}
	y.then(&n.Weight, name+".weight", change, width)
	if y.cfg.QKNormBias {
		y.want(&n.Bias, name+".bias", width)
	}
}

// linear wants a matrix [out,in] and, where there is one, its bias.
func (y *layout) linear(w *LinearParams, name string, bias bool, out, in int) {
	y.part(w, name, bias, out, in, nil)
}

// part is linear from a part of a larger matrix, whose shape is given.
func (y *layout) part(w *LinearParams, name string, bias bool, out, in int, take transform) {
	y.then(&w.Weight, name+".weight", take, out, in)
	if bias {
		y.then(&w.Bias, name+".bias", take, out)
	}
}

// qkv wants q, k and v from one matrix [(H+2G)·K,D], which holds groups of
// heads one above the other: in each some heads of q, then of k, then of v.
// With one group that is all of q above all of k above all of v.
func (y *layout) qkv(b *BlockParams, name string, groups int) {
	c := y.cfg
	q, kv := c.Heads/groups, c.KVHeads/groups
	rows := (c.Heads + 2*c.KVHeads) * c.HeadWidth
	take := func(lo, n int) transform { return headsOf(groups, q+2*kv, lo, lo+n, c.HeadWidth) }
	y.part(&b.Q, name, c.AttnBias, rows, c.Width, take(0, q))
	y.part(&b.K, name, c.AttnBias, rows, c.Width, take(q, kv))
	y.part(&b.V, name, c.AttnBias, rows, c.Width, take(q+kv, kv))
}

// unembed wants the unembedding, where it is not the embedding.
func (y *layout) unembed(name string) {
	if !y.cfg.Tied {
		y.want(&y.p.Unembed.Weight, name+".weight", y.cfg.Vocab, y.cfg.Width)
	}
	if y.cfg.UnembedBias {
		y.want(&y.p.Unembed.Bias, name+".bias", y.cfg.Vocab)
	}
}

// zero refuses the file if the tensor is there and holds anything but zeros;
// why says what is wrong with it.
func (y *layout) zero(name, why string, shape ...int) {
	info, ok := y.file.Info(name)
	if !ok || !tensor.SameShape(info.Shape, shape) {
		return // named when it is read
	}
	x, err := y.file.file.Float32(name)
	if err != nil {
		y.errs = append(y.errs, err)
		return
	}
	for i, v := range x.Data {
		if v != 0 {
			y.errs = append(y.errs, fmt.Errorf("%s[%d] is %g, want 0: %s", name, i, v, why))
			return
		}
	}
}

// transform makes a weight of a tensor of a file, without sharing its memory;
// nil takes the tensor as it is.
type transform = func(*tensor.Dense) *tensor.Dense

// columns returns the columns lo..hi-1 of a matrix [in,out] as rows [hi-lo,in].
func columns(lo, hi int) transform {
	return func(x *tensor.Dense) *tensor.Dense {
		in, out := x.Dim(0), x.Dim(1)
		y := tensor.New(hi-lo, in)
		for i := range in {
			for j, v := range x.Data[i*out+lo : i*out+hi] {
				y.Data[j*in+i] = v
			}
		}
		return y
	}
}

// rowsOf returns the rows lo..hi-1 of a matrix, or the numbers of a vector.
func rowsOf(lo, hi int) transform {
	return func(x *tensor.Dense) *tensor.Dense { return x.Slice0(lo, hi).Clone() }
}

// headsOf returns the heads lo..hi-1 of every group of per heads, each of which is
// k rows of a matrix or k numbers of a vector.
func headsOf(groups, per, lo, hi, k int) transform {
	return func(x *tensor.Dense) *tensor.Dense {
		size := x.Len() / (groups * per) // of a head
		shape := append([]int{groups * (hi - lo) * k}, x.Shape[1:]...)
		y := tensor.New(shape...)
		for g := range groups {
			copy(y.Data[g*(hi-lo)*size:], x.Data[(g*per+lo)*size:(g*per+hi)*size])
		}
		return y
	}
}

// onePlus returns 1+x, the gain of a norm that is stored as its distance from 1.
func onePlus(x *tensor.Dense) *tensor.Dense {
	y := x.Clone()
	for i := range y.Data {
		y.Data[i]++
	}
	return y
}

// headRows returns [heads,in,k] as rows [heads·k,in].
func headRows(x *tensor.Dense) *tensor.Dense {
	n, in, k := x.Dim(0), x.Dim(1), x.Dim(2)
	y := tensor.New(n*k, in)
	for h := range n {
		for i := range in {
			for j := range k {
				y.Data[(h*k+j)*in+i] = x.Data[(h*in+i)*k+j]
			}
		}
	}
	return y
}

// outRows returns [heads,k,out] as rows [out,heads·k].
func outRows(x *tensor.Dense) *tensor.Dense {
	n := x.Dim(0) * x.Dim(1)
	return columns(0, x.Dim(2))(x.Reshape(n, x.Dim(2)))
}

// flat returns the numbers of x in their order in another shape.
func flat(shape ...int) transform {
	return func(x *tensor.Dense) *tensor.Dense { return x.Reshape(shape...).Clone() }
}
