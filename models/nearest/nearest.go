// Package nearest finds the names that a mistyped one most resembles, for the
// "nearest: ..." of an error. It knows nothing of what the names mean.
package nearest

import "slices"

// longest is the length in bytes from which a name is neither looked up nor
// proposed: the distance is quadratic, and names come from outside files.
const longest = 200

// Names returns at most n of the given names, those at the smallest edit
// distance, in bytes, to name first, equals in the given order.
func Names(name string, among []string, n int) []string {
	type scored struct {
		name string
		dist int
	}
	if len(name) > longest {
		return nil
	}
	var found []scored
	for _, have := range among {
		if len(have) <= longest {
			found = append(found, scored{have, Distance([]byte(name), []byte(have))})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return a.dist - b.dist })
	var out []string
	for _, s := range found[:min(n, len(found))] {
		out = append(out, s.name)
	}
	return out
}

// Distance is the Levenshtein distance: the insertions, deletions and
// replacements that turn a into b.
func Distance[T comparable](a, b []T) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range b {
			cost := diagonal
			if x != y {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
