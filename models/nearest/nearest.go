// Package nearest finds the names that a mistyped one most resembles, for the
// "nearest: ..." of an error. It knows nothing of what the names mean.
package nearest

import "slices"

// longest is the length in bytes from which a name is neither looked up nor
// proposed: the distance is quadratic, and names come from outside files.
const longest = 200

// Names returns at most n of the given names, those at the smallest edit
// distance to name first, equals in the given order.
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
			found = append(found, scored{have, distance(name, have)})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return a.dist - b.dist })
	var out []string
	for _, s := range found[:min(n, len(found))] {
		out = append(out, s.name)
	}
	return out
}

// distance is the Levenshtein distance over bytes: the insertions, deletions
// and replacements that turn a into b.
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
