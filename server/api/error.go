package api

// Code classes an error; one place in the server maps it to an HTTP status.
type Code string

// The codes and their statuses.
const (
	Invalid      Code = "invalid"      // 400: the request or the cell is wrong
	Unauthorized Code = "unauthorized" // 401: no or a wrong token
	Forbidden    Code = "forbidden"    // 403: Host or Origin is not ours
	NotFound     Code = "not_found"    // 404
	Conflicted   Code = "conflict"     // 409: somebody else changed it
	Canceled     Code = "canceled"     // 409: interrupted on request
	Unsupported  Code = "unsupported"  // 422: understood, not possible
	TooLarge     Code = "too_large"    // 413
	Busy         Code = "busy"         // 503
	Storage      Code = "storage"      // 507: the disk refused; nothing was acknowledged
	Internal     Code = "internal"     // 500: our fault; details are in the log
)

// Error is what went wrong, in words for the reader.
type Error struct {
	Code Code `json:"code"`
	// Message names the offending value, lower-case, one sentence.
	Message string `json:"message"`
	// Hint says the nearest right values and what to do next.
	Hint string `json:"hint,omitempty"`
	// Cell, Line and Column say where, 1-based; 0 where not known.
	Cell   string `json:"cell,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// Trace holds one line a frame, innermost last.
	Trace []string `json:"trace,omitempty"`
}

// Error returns the message with its hint.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + "; " + e.Hint
}
