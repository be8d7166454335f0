package tensor_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"orrery/models/tensor"
)

// counted returns a tensor that holds 0, 1, 2, ...
func counted(shape ...int) *tensor.Dense {
	d := tensor.New(shape...)
	for i := range d.Data {
		d.Data[i] = float32(i)
	}
	return d
}

func TestNew(t *testing.T) {
	tests := []struct {
		name  string
		shape []int
		n     int
	}{
		{"scalar", nil, 1}, {"vector", []int{5}, 5}, {"cube", []int{2, 3, 4}, 24}, {"empty", []int{3, 0, 2}, 0},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			d := tensor.New(c.shape...)
			if d.Len() != c.n || len(d.Data) != c.n || d.Rank() != len(c.shape) || !tensor.SameShape(d.Shape, c.shape) {
				t.Errorf("New(%v) is %v of %d elements, want %d", c.shape, d.Shape, d.Len(), c.n)
			}
			for i, v := range d.Data {
				if v != 0 {
					t.Errorf("element %d is %v, want 0", i, v)
				}
			}
		})
	}
}

func TestNewKeepsItsShape(t *testing.T) {
	shape := []int{2, 3}
	d, f := tensor.New(shape...), tensor.From(make([]float32, 6), shape...)
	shape[0] = 9
	if d.Shape[0] != 2 || f.Shape[0] != 2 {
		t.Errorf("shapes %v and %v follow the caller's slice", d.Shape, f.Shape)
	}
}

func TestFromSharesData(t *testing.T) {
	data := []float32{1, 2, 3, 4, 5, 6}
	d := tensor.From(data, 2, 3)
	data[5] = 60
	if got := d.At(1, 2); got != 60 {
		t.Errorf("At(1,2) is %v, want 60 from the shared slice", got)
	}
}

func TestAtSet(t *testing.T) {
	d := counted(2, 3, 4)
	if got := d.At(1, 2, 3); got != 23 {
		t.Errorf("At(1,2,3) is %v, want 23", got)
	}
	if got := d.At(1, 0, 2); got != 14 {
		t.Errorf("At(1,0,2) is %v, want 14", got)
	}
	d.Set(-1, 0, 2, 1)
	if got := d.Data[9]; got != -1 {
		t.Errorf("Set(0,2,1) left %v at 9", got)
	}
	if got := tensor.From([]float32{7}).At(); got != 7 {
		t.Errorf("At() of a scalar is %v, want 7", got)
	}
}

func TestDim(t *testing.T) {
	d := tensor.New(2, 3, 4)
	for i, want := range map[int]int{0: 2, 2: 4, -1: 4, -3: 2} {
		if got := d.Dim(i); got != want {
			t.Errorf("Dim(%d) is %d, want %d", i, got, want)
		}
	}
}

func TestEqualBits(t *testing.T) {
	nan, other := float32(math.NaN()), math.Float32frombits(0x7fc00001)
	zero, minus := float32(0), float32(math.Copysign(0, -1))
	tests := []struct {
		name string
		a, b *tensor.Dense
		want bool
	}{
		{"same", counted(2, 3), counted(2, 3), true},
		{"shape", counted(2, 3), counted(3, 2), false},
		{"value", tensor.From([]float32{1, 2}, 2), tensor.From([]float32{1, 3}, 2), false},
		{"nan", tensor.From([]float32{nan}, 1), tensor.From([]float32{nan}, 1), true},
		{"another nan", tensor.From([]float32{nan}, 1), tensor.From([]float32{other}, 1), false},
		{"zeros", tensor.From([]float32{zero}, 1), tensor.From([]float32{minus}, 1), false},
		{"short data", counted(2), &tensor.Dense{Shape: []int{2}, Data: []float32{0}}, false},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			if got := c.a.EqualBits(c.b); got != c.want {
				t.Errorf("%v EqualBits %v is %v", c.a, c.b, got)
			}
			if got := c.b.EqualBits(c.a); got != c.want {
				t.Errorf("%v EqualBits %v is %v", c.b, c.a, got)
			}
		})
	}
}

func TestPanics(t *testing.T) {
	d := counted(2, 3)
	tests := []struct {
		name string
		call func()
		want string
	}{
		{"negative axis", func() { tensor.New(2, -1) }, "tensor: new: negative axis: got [2 -1], want [0]"},
		{"from", func() { tensor.From(make([]float32, 5), 2, 3) }, "tensor: from: got [5], want [2 3]"},
		{"dim", func() { d.Dim(2) }, "tensor: axis: got [2], want [2 3]"},
		{"dim below", func() { d.Dim(-3) }, "tensor: axis: got [-3], want [2 3]"},
		{"at beyond", func() { d.At(0, 3) }, "tensor: at: got [0 3], want [2 3]"},
		{"at negative", func() { d.At(-1, 0) }, "tensor: at: got [-1 0], want [2 3]"},
		{"at row", func() { d.At(1) }, "tensor: at: got [1], want [2 3]"},
		{"at deep", func() { d.At(1, 1, 0) }, "tensor: at: got [1 1 0], want [2 3]"},
		{"at row of one", func() { counted(2, 1).At(1) }, "tensor: at: got [1], want [2 1]"},
		{"set row", func() { d.Set(1, 1) }, "tensor: set: got [1], want [2 3]"},
		{"set beyond", func() { d.Set(1, 2, 0) }, "tensor: set: got [2 0], want [2 3]"},
		{"sub", func() { d.Sub(2) }, "tensor: sub: got [2], want [2 3]"},
		{"slice0 beyond", func() { d.Slice0(1, 3) }, "tensor: slice0: got [1 3], want [2 3]"},
		{"slice0 back", func() { d.Slice0(2, 1) }, "tensor: slice0: got [2 1], want [2 3]"},
		{"slice0 of a scalar", func() { tensor.New().Slice0(0, 0) }, "tensor: slice0: got [0 0], want []"},
		{"reshape", func() { d.Reshape(4, 2) }, "tensor: reshape: got [2 3], want [4 2]"},
		{"reshape rest", func() { d.Reshape(4, -1) }, "tensor: reshape: got [2 3], want [4 -1]"},
		{"reshape empty rest", func() { tensor.New(0, 3).Reshape(0, -1) }, "tensor: reshape: got [0 3], want [0 -1]"},
		{"reshape two rests", func() { d.Reshape(-1, -1) }, "tensor: reshape: negative axis: got [1 -1], want [0]"},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				err, _ := recover().(error)
				var shape tensor.ShapeError
				if !errors.As(err, &shape) || err.Error() != c.want {
					t.Errorf("panicked with %q, want the ShapeError %q", fmt.Sprint(err), c.want)
				}
			}()
			c.call()
		})
	}
}

func TestString(t *testing.T) {
	tests := []struct {
		d    *tensor.Dense
		want string
	}{
		{counted(2, 5, 128), "[2 5 128] float32 {0 1 2 3 4 5 ...}"},
		{tensor.From([]float32{0.1, -2}, 2), "[2] float32 {0.1 -2}"},
		{tensor.New(0), "[0] float32 {}"},
	}
	for _, c := range tests {
		if got := c.d.String(); got != c.want {
			t.Errorf("String is %q, want %q", got, c.want)
		}
	}
}

func ExampleDense_Sub() {
	// resid is [B,T,D]: two rows of three positions, width two.
	resid := tensor.From([]float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 2, 3, 2)
	fmt.Println(resid.Sub(1))
	fmt.Println(resid.Sub(1, 2))
	// Output:
	// [3 2] float32 {6 7 8 9 10 11}
	// [2] float32 {10 11}
}
