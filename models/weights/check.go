package weights

import (
	"errors"
	"fmt"
	"slices"

	"orrery/models/nearest"
)

// Expect is a tensor that a loader needs.
type Expect struct {
	Name     string
	Shape    []int // nil accepts any
	Optional bool  // may be missing; when there, its shape must match
}

// Check compares the file's tensors with what a loader needs and returns the
// first 30 deviations joined, each a *MismatchError, and how many more there are;
// nil when there is none. It reads headers only. Tensors that nobody asked for
// are no error.
func (f *File) Check(want []Expect) error {
	var errs []error
	more := 0
	for _, w := range want {
		e, ok := f.entries[w.Name]
		if fits := ok && (w.Shape == nil || slices.Equal(w.Shape, e.info.Shape)) || !ok && w.Optional; !fits && len(errs) == described {
			more++
			continue
		}
		switch {
		case !ok && w.Optional:
		case !ok && len(errs) < suggestFor:
			errs = append(errs, f.missing(w.Name, w.Shape))
		case !ok:
			errs = append(errs, &MismatchError{File: f.name, Tensor: w.Name, Want: w.Shape, Missing: true})
		case w.Shape != nil && !slices.Equal(w.Shape, e.info.Shape):
			errs = append(errs, &MismatchError{File: f.name, Tensor: w.Name, Want: w.Shape, Got: e.info.Shape})
		}
	}
	if more > 0 {
		errs = append(errs, fmt.Errorf("%s: and %d tensors more that do not fit", f.name, more))
	}
	return errors.Join(errs...)
}

// described is the number of deviations that are told one by one; of more, the number is
// told.
const described = 30

// suggestFor is the number of deviations up to which nearest names are looked
// up: a checkpoint of another architecture lacks every tensor.
const suggestFor = 5

// missing describes a tensor that the file lacks, with the names nearest to it.
func (f *File) missing(name string, shape []int) error {
	return &MismatchError{File: f.name, Tensor: name, Want: shape, Missing: true, Nearest: nearest.Names(name, f.names, 3)}
}
