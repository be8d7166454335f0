package viz

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
)

// State says of each number of an array whether it is there.
type State uint8

// The states of a cell.
const (
	// Pending is not computed yet; it is drawn hatched, never as zero.
	Pending State = 0
	// Done is computed; NaN and Inf are marked with a glyph of their own.
	Done State = 1
	// Blank cannot exist (a combination without meaning); nothing is drawn.
	Blank State = 2
)

// Array is a named block of float32 with shape and axis names. As JSON it is
//
//	{"shape":[7,5],"axes":["layer","pos"],"f32":"…","state":"…"}
//
// f32 is base64 of little-endian float32, row-major; state is base64 of one
// byte a number and absent when every number is Done. NaN and Inf travel as
// their bits.
type Array struct {
	Shape []int
	Axes  []string
	Data  []float32
	// State has one State a number; nil means that all are Done.
	State []State
}

// NewArray returns an array whose numbers are all Pending.
func NewArray(axes []string, shape ...int) *Array {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return &Array{Shape: shape, Axes: axes, Data: make([]float32, n), State: make([]State, n)}
}

// Values returns an array of numbers that are all Done. It panics when data
// does not fill shape, a fault of the program.
func Values(data []float32, axes []string, shape ...int) *Array {
	a := NewArray(axes, shape...)
	if len(data) != len(a.Data) {
		panic(fmt.Sprintf("viz: %d numbers for shape %v", len(data), shape))
	}
	return &Array{Shape: shape, Axes: axes, Data: data}
}

// At returns the number and its state at a flat index.
func (a *Array) At(i int) (float32, State) {
	if a.State == nil {
		return a.Data[i], Done
	}
	return a.Data[i], a.State[i]
}

// Set stores numbers from a flat index on and marks them Done.
func (a *Array) Set(offset int, data []float32) {
	copy(a.Data[offset:offset+len(data)], data)
	if a.State != nil {
		for i := range data {
			a.State[offset+i] = Done
		}
	}
}

type wireArray struct {
	Shape []int    `json:"shape"`
	Axes  []string `json:"axes"`
	F32   string   `json:"f32"`
	State string   `json:"state,omitempty"`
}

// MarshalJSON writes the wire form.
func (a *Array) MarshalJSON() ([]byte, error) {
	w := wireArray{Shape: a.Shape, Axes: a.Axes, F32: EncodeFloats(a.Data)}
	for _, s := range a.State {
		if s != Done {
			raw := make([]byte, len(a.State))
			for i, s := range a.State {
				raw[i] = byte(s)
			}
			w.State = base64.StdEncoding.EncodeToString(raw)
			break
		}
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads the wire form and refuses data that does not fill its shape.
func (a *Array) UnmarshalJSON(b []byte) error {
	var w wireArray
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	data, err := DecodeFloats(w.F32)
	if err != nil {
		return err
	}
	n := 1
	for _, d := range w.Shape {
		if d < 0 || (d > 0 && n > math.MaxInt32/d) {
			return fmt.Errorf("array: impossible shape %v", w.Shape)
		}
		n *= d
	}
	if n != len(data) {
		return fmt.Errorf("array: shape %v needs %d numbers, %d given", w.Shape, n, len(data))
	}
	*a = Array{Shape: w.Shape, Axes: w.Axes, Data: data}
	if w.State == "" {
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(w.State)
	if err != nil || len(raw) != n {
		return fmt.Errorf("array: state does not fit shape %v", w.Shape)
	}
	a.State = make([]State, n)
	for i, s := range raw {
		if s > byte(Blank) {
			return fmt.Errorf("array: unknown state %d at %d", s, i)
		}
		a.State[i] = State(s)
	}
	return nil
}

// EncodeFloats returns base64 of little-endian float32.
func EncodeFloats(v []float32) string {
	raw := make([]byte, 4*len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// DecodeFloats is the inverse of EncodeFloats.
func DecodeFloats(s string) ([]float32, error) {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("array: %w", err)
	}
	if len(raw)%4 != 0 {
		return nil, fmt.Errorf("array: %d bytes are no float32 list", len(raw))
	}
	v := make([]float32, len(raw)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return v, nil
}

// Text is a named block of strings with a shape; a string that is not known
// yet is empty.
type Text struct {
	Shape  []int    `json:"shape"`
	Values []string `json:"values"`
}

// NewText returns a text of empty strings.
func NewText(shape ...int) *Text {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return &Text{Shape: shape, Values: make([]string, n)}
}
