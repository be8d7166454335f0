package weights

import (
	"fmt"
	"strings"

	"orrery/models/internal/clip"
)

// FormatError reports a file that breaks the safetensors format, or an index
// that its shards do not keep.
type FormatError struct {
	File    string // as it was opened
	Tensor  string // the tensor at fault, empty when it is the file as a whole
	Problem string // what was expected and what was found
}

// Error returns "FILE: tensor "NAME": PROBLEM".
func (e *FormatError) Error() string {
	if e.Tensor == "" {
		return fmt.Sprintf("%s: %s", e.File, e.Problem)
	}
	return fmt.Sprintf("%s: tensor %q: %s", e.File, clip.Text(e.Tensor), e.Problem)
}

// MismatchError reports a tensor that a caller asked for and that the file does
// not hold in that form.
type MismatchError struct {
	File    string
	Tensor  string
	Want    []int    // the expected shape; nil when any would do
	Got     []int    // the stored shape; nil when the tensor is missing
	Missing bool     // the file has no tensor of that name
	Nearest []string // names in the file that resemble a missing one
}

// Error names tensor, expected and found shape, or the nearest names.
func (e *MismatchError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: tensor %q: ", e.File, clip.Text(e.Tensor))
	if !e.Missing {
		fmt.Fprintf(&b, "expected shape %v, found %v", e.Want, e.Got)
		return b.String()
	}
	if e.Want != nil {
		fmt.Fprintf(&b, "expected shape %v, found no such tensor", e.Want)
	} else {
		b.WriteString("no such tensor")
	}
	if len(e.Nearest) > 0 {
		quoted := make([]string, len(e.Nearest))
		for i, n := range e.Nearest {
			quoted[i] = fmt.Sprintf("%q", clip.Text(n))
		}
		fmt.Fprintf(&b, "; nearest: %s", strings.Join(quoted, ", "))
	}
	return b.String()
}

// show writes a value of an untrusted file for a message.
func show(v any) string { return clip.Text(fmt.Sprint(v)) }
