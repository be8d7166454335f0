package weights

import (
	"errors"
	"slices"
)

// Expect is a tensor that a loader needs.
type Expect struct {
	Name     string
	Shape    []int // nil accepts any
	Optional bool  // may be missing; when there, its shape must match
}

// Check compares the file's tensors with what a loader needs and returns all
// deviations joined, each a *MismatchError, nil when there is none. It reads
// headers only. Tensors that nobody asked for are no error.
func (f *File) Check(want []Expect) error {
	var errs []error
	for _, w := range want {
		e, ok := f.entries[w.Name]
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
	return errors.Join(errs...)
}

// suggestFor is the number of deviations up to which nearest names are looked
// up: a checkpoint of another architecture lacks every tensor.
const suggestFor = 5

// missing describes a tensor that the file lacks, with the names nearest to it.
func (f *File) missing(name string, shape []int) error {
	return &MismatchError{File: f.name, Tensor: name, Want: shape, Missing: true, Nearest: f.nearest(name, 3)}
}

// nearest returns at most n names of the file at the smallest edit distance,
// none when they share less than half of the name's letters.
func (f *File) nearest(name string, n int) []string {
	const longest = 200 // keeps the quadratic distance cheap on hostile headers
	type scored struct {
		name string
		dist int
	}
	var found []scored
	for _, have := range f.names {
		if len(have) > longest || len(name) > longest || 2*min(len(have), len(name)) < max(len(have), len(name)) {
			continue
		}
		if d := distance(name, have); 2*d <= len(name) {
			found = append(found, scored{have, d})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return a.dist - b.dist })
	var names []string
	for i := 0; i < len(found) && i < n; i++ {
		names = append(names, found[i].name)
	}
	return names
}

// distance is the Levenshtein distance over bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
