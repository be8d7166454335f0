package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"orrery/models/exactjson"
	"orrery/models/tensor"
)

// Value is what an edit writes, adds or multiplies by. Its JSON form is a
// number, a flat list, or {"shape":[...],"data":[...]}.
type Value struct {
	Shape []int     // nil for a number and for a flat list
	Data  []float32 // row-major; one element for a number
}

// Number is a value of one number for every selected element.
func Number(v float32) *Value { return &Value{Data: []float32{v}} }

// List is a value of a flat list: one number for each selected place on the
// last axis, the same for all others, or one for each selected element.
func List(data ...float32) *Value { return &Value{Data: data} }

// Tensor is a value with a shape, which is aligned with the selected elements
// at the last axis and repeated along axes that it lacks or that have length 1.
func Tensor(d *tensor.Dense) *Value { return &Value{Shape: d.Shape, Data: d.Data} }

// shaped is the JSON form of a value with a shape.
type shaped struct {
	Shape []int     `json:"shape"`
	Data  []float32 `json:"data"`
}

// MarshalJSON writes the shortest form.
func (v Value) MarshalJSON() ([]byte, error) {
	switch {
	case v.Shape != nil:
		return json.Marshal(shaped(v))
	case len(v.Data) == 1:
		return json.Marshal(v.Data[0])
	}
	return json.Marshal(v.Data)
}

// UnmarshalJSON reads any form and checks that shape and data agree.
func (v *Value) UnmarshalJSON(b []byte) error {
	*v = Value{}
	switch b = bytes.TrimSpace(b); {
	case len(b) > 0 && b[0] == '[':
		if err := exactjson.Decode(b, &v.Data); err != nil {
			return fmt.Errorf("value: a list holds numbers, and one of several axes is written as {\"shape\":[2,3],\"data\":[...]}: %w", err)
		}
		if len(v.Data) == 0 {
			return errors.New("value: the list is empty")
		}
		return nil
	case len(b) > 0 && b[0] == '{':
		var s shaped
		if err := exactjson.Decode(b, &s); err != nil {
			return fmt.Errorf("value: want {\"shape\":[...],\"data\":[...]}: %w", err)
		}
		if s.Shape == nil {
			s.Shape = []int{len(s.Data)}
		}
		*v = Value(s)
		return v.check()
	}
	var x float32
	if err := json.Unmarshal(b, &x); err != nil || string(b) == "null" {
		if c := b[0]; c == '-' || c >= '0' && c <= '9' {
			return fmt.Errorf("value: %.40s is not among the numbers of float32, which end at ±%g", b, math.MaxFloat32)
		}
		return fmt.Errorf("value: want a number, a list of numbers or {\"shape\":[...],\"data\":[...]}, not %.40s", b)
	}
	v.Data = []float32{x}
	return nil
}

// check reports a shape that does not hold the data.
func (v *Value) check() error {
	n := 1
	for _, s := range v.Shape {
		if s < 1 || s > maxSize/n {
			return fmt.Errorf("value: impossible shape %v", v.Shape)
		}
		n *= s
	}
	if v.Shape != nil && n != len(v.Data) || len(v.Data) == 0 {
		return fmt.Errorf("value: shape %v does not hold %d numbers", v.Shape, len(v.Data))
	}
	return nil
}

// strides says how far v's data advances along each axis of the selected
// elements, whose lengths are given.
func (v *Value) strides(selected []int) ([]int, error) {
	shape := v.Shape
	if shape == nil {
		total := 1
		for _, n := range selected {
			total *= n
		}
		switch last := selected[len(selected)-1]; len(v.Data) {
		case 1:
			shape = []int{1}
		case last:
			shape = []int{last}
		case total:
			shape = selected
		default:
			return nil, fmt.Errorf("value has %d numbers, and the edit selects %v elements: want 1, %d or %d", len(v.Data), selected, last, total)
		}
	}
	strides := make([]int, len(selected))
	offset, step := len(selected)-len(shape), 1
	for a := len(shape) - 1; a >= 0; a-- {
		if offset+a < 0 || shape[a] != 1 && shape[a] != selected[offset+a] {
			return nil, fmt.Errorf("value has shape %v, and the edit selects %v elements", shape, selected)
		}
		if shape[a] != 1 {
			strides[offset+a] = step
		}
		step *= shape[a]
	}
	return strides, nil
}
