package tensor_test

import (
	"testing"

	"orrery/models/tensor"
)

func TestViews(t *testing.T) {
	tests := []struct {
		name  string
		view  func(d *tensor.Dense) *tensor.Dense
		shape []int
		first float32
		n     int
	}{
		{"sub one", func(d *tensor.Dense) *tensor.Dense { return d.Sub(1) }, []int{3, 4}, 12, 12},
		{"sub inner", func(d *tensor.Dense) *tensor.Dense { return d.Sub(0, 1) }, []int{4}, 4, 4},
		{"sub two", func(d *tensor.Dense) *tensor.Dense { return d.Sub(1, 2) }, []int{4}, 20, 4},
		{"sub all", func(d *tensor.Dense) *tensor.Dense { return d.Sub(1, 2, 3) }, nil, 23, 1},
		{"sub none", func(d *tensor.Dense) *tensor.Dense { return d.Sub() }, []int{2, 3, 4}, 0, 24},
		{"slice0", func(d *tensor.Dense) *tensor.Dense { return d.Slice0(1, 2) }, []int{1, 3, 4}, 12, 12},
		{"reshape", func(d *tensor.Dense) *tensor.Dense { return d.Reshape(6, 4) }, []int{6, 4}, 0, 24},
		{"reshape rest", func(d *tensor.Dense) *tensor.Dense { return d.Reshape(2, -1, 2) }, []int{2, 6, 2}, 0, 24},
		{"slice of a reshape", func(d *tensor.Dense) *tensor.Dense { return d.Reshape(-1, 4).Slice0(2, 5) }, []int{3, 4}, 8, 12},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			d := counted(2, 3, 4)
			v := c.view(d)
			if !tensor.SameShape(v.Shape, c.shape) || v.Len() != c.n || v.Data[0] != c.first {
				t.Fatalf("view is %v, want shape %v, %d elements from %v", v, c.shape, c.n, c.first)
			}
			v.Data[0] = -5
			if d.Data[int(c.first)] != -5 {
				t.Error("the view does not share its parent's data")
			}
			if c.n < d.Len() && int(c.first)+c.n < d.Len() {
				_ = append(v.Data, -7)
				if d.Data[int(c.first)+c.n] == -7 {
					t.Error("appending to the view's data wrote into its parent")
				}
			}
			if d.Shape[0] != 2 || d.Shape[2] != 4 {
				t.Errorf("the parent's shape became %v", d.Shape)
			}
		})
	}
	if got := counted(2, 3).Slice0(1, 1); got.Len() != 0 || got.Shape[0] != 0 {
		t.Errorf("empty slice is %v", got)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	d := counted(2, 2)
	c := d.Clone()
	if !c.EqualBits(d) {
		t.Fatalf("clone %v differs from %v", c, d)
	}
	c.Data[0], c.Shape[0] = 9, 7
	if d.Data[0] != 0 || d.Shape[0] != 2 {
		t.Errorf("the clone shares with its source: %v", d)
	}
}
