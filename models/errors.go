package models

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"orrery/models/tensor"
)

// ErrNoTokenizer is returned when text meets a model without a tokenizer.
var ErrNoTokenizer = errors.New("this model has no tokenizer: give token ids instead of text")

// UnknownSiteError says that a name is no site of the model.
type UnknownSiteError struct {
	Name    string
	Nearest []string // canonical names and shapes, the likeliest first
	Why     string   // a reason, when there is more to say than "unknown"
}

func (e UnknownSiteError) Error() string {
	msg := fmt.Sprintf("no site %q in this model", e.Name)
	if e.Why != "" {
		msg += ": " + e.Why
	}
	if len(e.Nearest) > 0 {
		msg += "; nearest: " + strings.Join(e.Nearest, ", ")
	}
	return msg
}

// NumericError says where a number stopped being one.
type NumericError struct {
	Site  string // a site or a weight
	Index []int  // of the first such element
	Value float32
}

func (e NumericError) Error() string {
	return fmt.Sprintf("%s%v is %v", e.Site, e.Index, e.Value)
}

// badWeight says what a weight that is no number means.
func badWeight(err NumericError) error {
	return fmt.Errorf("%w, and weights are finite: the file is damaged, or its training diverged", err)
}

// finite returns a NumericError for the first NaN or infinity in t.
func finite(name string, t *tensor.Dense) error {
	for i, v := range t.Data {
		// The difference is 0 for every finite number and NaN for the others.
		if v-v != 0 {
			return NumericError{Site: name, Index: unravel(i, t.Shape), Value: v}
		}
	}
	return nil
}

// unravel turns a row-major position into an index for each axis.
func unravel(i int, shape []int) []int {
	index := make([]int, len(shape))
	for a := len(shape) - 1; a >= 0; a-- {
		index[a] = i % shape[a]
		i /= shape[a]
	}
	return index
}

// negInf is what stands where attention may not look.
var negInf = float32(math.Inf(-1))
