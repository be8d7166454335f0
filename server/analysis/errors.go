package analysis

import (
	"fmt"
	"sort"
	"strings"
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
	sorted := append([]string(nil), e.choices...)
	sort.SliceStable(sorted, func(i, j int) bool {
		return distance(e.value, sorted[i]) < distance(e.value, sorted[j])
	})
	return "one of " + strings.Join(sorted, ", ")
}

// distance is the Levenshtein distance between a and b, letter case ignored.
func distance(a, b string) int {
	x, y := []rune(strings.ToLower(a)), []rune(strings.ToLower(b))
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := diagonal
			if x[i] != y[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(y)]
}
