package analysis

import (
	"fmt"
	"slices"
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

// argumentError is an argument that an analysis does not have; what is its name.
type argumentError struct{ choiceError }

func (e *argumentError) Error() string { return fmt.Sprintf("%s has no argument %q", e.what, e.value) }

// Hint names the argument that other programs call so, else lists them all.
func (e *argumentError) Hint() string {
	if ours := foreign(e.value); slices.Contains(e.choices, ours) {
		return "here it is called " + ours + "="
	}
	return e.choiceError.Hint()
}

// foreign is what a parameter that TransformerLens and its tutorials call name
// is called here, empty for an unknown one: values are put into base, and come
// from source.
func foreign(name string) string {
	return map[string]string{"clean": "source", "clean_prompt": "source", "clean_tokens": "source", "corrupted": "base", "corrupted_prompt": "base",
		"corrupted_tokens": "base", "model": "m", "tokens": "prompt", "input": "prompt", "text": "prompt", "correct": "answer"}[name]
}
