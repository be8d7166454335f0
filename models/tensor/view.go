package tensor

import "slices"

// Sub returns the view below the leading indices idx: of a [B,T,D] tensor
// Sub(b) is [T,D] and Sub(b,t) is [D]. It shares Data with d.
func (d *Dense) Sub(idx ...int) *Dense {
	at, n := d.offset("tensor: sub", idx)
	return &Dense{Shape: slices.Clone(d.Shape[len(idx):]), Data: d.Data[at : at+n : at+n]}
}

// Slice0 returns the view of indices lo up to but not including hi of the
// first axis. It shares Data with d.
func (d *Dense) Slice0(lo, hi int) *Dense {
	if len(d.Shape) == 0 || lo < 0 || hi < lo || hi > d.Shape[0] {
		panic(ShapeError{Op: "tensor: slice0", Got: []int{lo, hi}, Want: slices.Clone(d.Shape)})
	}
	row := size("tensor: slice0", d.Shape[1:])
	shape := slices.Clone(d.Shape)
	shape[0] = hi - lo
	return &Dense{Shape: shape, Data: d.Data[lo*row : hi*row : hi*row]}
}

// Reshape returns a view with another shape of the same size, which shares
// Data with d. One axis may be -1: it takes what the others leave.
func (d *Dense) Reshape(shape ...int) *Dense {
	out := slices.Clone(shape)
	if at := slices.Index(out, -1); at >= 0 {
		out[at] = 1
		rest := size("tensor: reshape", out)
		if rest == 0 || len(d.Data)%rest != 0 {
			panic(ShapeError{Op: "tensor: reshape", Got: slices.Clone(d.Shape), Want: slices.Clone(shape)})
		}
		out[at] = len(d.Data) / rest
	}
	if size("tensor: reshape", out) != len(d.Data) {
		panic(ShapeError{Op: "tensor: reshape", Got: slices.Clone(d.Shape), Want: slices.Clone(shape)})
	}
	return &Dense{Shape: out, Data: d.Data}
}

// Clone returns a copy that shares nothing with d.
func (d *Dense) Clone() *Dense {
	return &Dense{Shape: slices.Clone(d.Shape), Data: slices.Clone(d.Data)}
}
