package ablate

import (
	"fmt"
	"slices"

	"orrery/models"
)

// Peek says what the last token reads in the transfer layers of attention-based
// peeking (ABP, arXiv 2509.09650). Every other token behind the first operand
// reads the first token, which is the BOS, and itself.
type Peek string

// The peeks.
const (
	PeekAll       Peek = "all"       // everything before it
	PeekOperands  Peek = "operands"  // the operands, BOS and itself
	PeekOperators Peek = "operators" // the operators, BOS and itself
	PeekChosen    Peek = "chosen"    // chosen positions, BOS and itself
	PeekNone      Peek = "none"      // BOS and itself
	PeekEveryone  Peek = "everyone"  // nothing is masked, for any token
)

// Peeks lists the peeks.
var Peeks = [...]Peek{PeekAll, PeekOperands, PeekOperators, PeekChosen, PeekNone, PeekEveryone}

// PeekMask gives the edges that a peek removes between T tokens, [query][key],
// before the softmax: those of queries behind the first varying position first
// to keys before them, but for the BOS. Where first is 0 there is no BOS in
// front, and a token reads itself alone. open are what the last token may read
// for PeekOperands, PeekOperators and PeekChosen. No query ever loses itself,
// so that none is blind.
func PeekMask(T, first int, peek Peek, open []int) ([][]bool, error) {
	if !slices.Contains(Peeks[:], peek) {
		return nil, fmt.Errorf("peek is %q, want one of %v", peek, Peeks)
	}
	for _, at := range open {
		if at < 0 || at >= T {
			return nil, fmt.Errorf("peek: position %d is outside 0..%d", at, T-1)
		}
	}
	removed := make([][]bool, T)
	for q := range removed {
		removed[q] = make([]bool, T)
		if q <= first || peek == PeekEveryone || peek == PeekAll && q == T-1 {
			continue
		}
		for k := sink(first); k < q; k++ {
			removed[q][k] = q < T-1 || peek == PeekNone || !slices.Contains(open, k)
		}
	}
	return removed, nil
}

// sink is how many leading tokens everybody may always read.
func sink(first int) int { return min(first, 1) }

// maskEdits are the edits that remove edges in a block, for some heads or, for
// nil, all.
func maskEdits(layer int, removed [][]bool, heads []int) (edits []models.Edit) {
	scores := models.Site{Layer: layer, Kind: models.AttnScores}.String()
	for q, row := range removed {
		var keys []int
		for k, gone := range row {
			if gone {
				keys = append(keys, k)
			}
		}
		if keys != nil {
			edits = append(edits, models.Edit{Site: scores, Heads: heads, Queries: []int{q}, Keys: keys, Op: models.Mask})
		}
	}
	return edits
}
