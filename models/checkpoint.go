package models

import (
	"orrery/models/tensor"
	"orrery/models/weights"
)

// checkpoint is what a family's function asks for its weights. It notes which
// tensor goes where; nothing is read before it is needed. Without a file it
// takes any name, so that a writer can learn what a family would read.
type checkpoint struct {
	file   *weights.File // nil when it only notes
	wishes []wish
}

// wish is one weight and the tensor it is made from.
type wish struct {
	at    **tensor.Dense
	name  string
	shape []int // in the file
	make  func(*tensor.Dense) *tensor.Dense
	below bool  // it comes behind the wishes before it at the same place
	next  *wish // the one that comes behind this one
}

// size is the number of numbers that the tensor has.
func (w *wish) size() int {
	n := 1
	for _, d := range w.shape {
		n *= d
	}
	return n
}

// Info describes a tensor of the file; false when there is none.
func (c *checkpoint) Info(name string) (weights.Info, bool) {
	if c.file == nil {
		return weights.Info{}, false
	}
	return c.file.Info(name)
}

// reader collects which tensors of a checkpoint go where, and checks them all.
type reader struct {
	file  *checkpoint
	wants []wish
}

func newReader(c *checkpoint) *reader { return &reader{file: c} }

// want puts the tensor at its place.
func (r *reader) want(at **tensor.Dense, name string, shape ...int) {
	r.then(at, name, nil, shape...)
}

// then puts what make makes of the tensor at its place, each time that it is
// needed. What make returns must not share memory with its argument, which may
// be a mapped file. Where make only moves numbers, they stay in the file's type.
func (r *reader) then(at **tensor.Dense, name string, make func(*tensor.Dense) *tensor.Dense, shape ...int) {
	r.wants = append(r.wants, wish{at: at, name: name, shape: shape, make: make})
}

// below puts a vector behind those that were put at the same place before.
func (r *reader) below(at **tensor.Dense, name string, n int) {
	r.wants = append(r.wants, wish{at: at, name: name, shape: []int{n}, below: true})
}

// read checks names and shapes of everything wanted. The places stay empty: the
// checkpoint knows from now on what belongs there.
func (r *reader) read() error {
	if r.file.file != nil {
		expect := make([]weights.Expect, len(r.wants))
		for i, w := range r.wants {
			expect[i] = weights.Expect{Name: w.name, Shape: w.shape}
		}
		if err := r.file.file.Check(expect); err != nil {
			return err
		}
	}
	r.file.wishes = append(r.file.wishes, r.wants...)
	return nil
}
