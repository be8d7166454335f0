package hub

import "fmt"

// Error is what kept a pull from ending, and what to try next.
type Error struct {
	Problem string
	Err     error // what it came from; may be nil
	hint    string
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Problem
	}
	return fmt.Sprintf("%s: %v", e.Problem, e.Err)
}

// Unwrap returns what it came from.
func (e *Error) Unwrap() error { return e.Err }

// Hint says what to try next.
func (e *Error) Hint() string { return e.hint }
