package analysis

import (
	"fmt"
	"strings"

	"orrery/models/nearest"
)

// hintError is an error with a next step.
type hintError struct{ message, hint string }

func (e *hintError) Error() string { return e.message }

// Hint says what to do next.
func (e *hintError) Hint() string { return e.hint }

// choiceError is an unknown name where a few are known.
type choiceError struct {
	what, value string
	choices     []string
}

func (e *choiceError) Error() string { return fmt.Sprintf("unknown %s %q", e.what, e.value) }

// Hint lists the choices, the nearest first.
func (e *choiceError) Hint() string {
	return "one of " + strings.Join(nearest.Names(e.value, e.choices, len(e.choices)), ", ")
}
