package models

import (
	"fmt"
)

// Batch is the input of a run: B rows of T token ids each. With padding, the
// real tokens of row b are those at positions Start[b] ≤ t < End[b]; they count
// their positions from 0, and nothing reads the others.
type Batch struct {
	IDs        []int // [B,T], row-major
	B, T       int
	Start, End []int // [B], or both nil when every token is real
}

// Side is where padding goes.
type Side string

// The sides.
const (
	Left  Side = "left"
	Right Side = "right"
)

// Prompt is a batch of one row.
func Prompt(ids ...int) Batch { return Batch{IDs: ids, B: 1, T: len(ids)} }

// Rows is a batch of rows of equal length. Unequal ones are an error: see Pad.
func Rows(rows [][]int) (Batch, error) {
	var in Batch
	for i, row := range rows {
		if len(row) != len(rows[0]) {
			return Batch{}, fmt.Errorf("batch: row %d has %d tokens and row 0 has %d: rows of unequal length need padding on the left or right", i, len(row), len(rows[0]))
		}
		in.IDs = append(in.IDs, row...)
	}
	if in.B = len(rows); in.B > 0 {
		in.T = len(rows[0])
	}
	return in, nil
}

// Pad is a batch of rows of any length, brought to the longest with padID on
// the given side. Padding never changes the values at real tokens, not by a
// bit.
func Pad(rows [][]int, side Side, padID int) (Batch, error) {
	if side != Left && side != Right {
		return Batch{}, fmt.Errorf("batch: padding side is %q, want %q or %q", side, Left, Right)
	}
	in := Batch{B: len(rows)}
	for _, row := range rows {
		in.T = max(in.T, len(row))
	}
	in.IDs = make([]int, in.B*in.T)
	for i, row := range rows {
		start := 0
		if side == Left {
			start = in.T - len(row)
		}
		in.Start, in.End = append(in.Start, start), append(in.End, start+len(row))
		for t := range in.T {
			id := padID
			if t >= start && t < start+len(row) {
				id = row[t-start]
			}
			in.IDs[i*in.T+t] = id
		}
	}
	return in, nil
}

// span gives the real tokens of row b as lo ≤ t < hi.
func (in Batch) span(b int) (lo, hi int) {
	if in.Start == nil {
		return 0, in.T
	}
	return in.Start[b], in.End[b]
}

// position is the position of token t of row b, counted from its first real
// token; padding stands at 0.
func (in Batch) position(b, t int) int {
	lo, hi := in.span(b)
	if t < lo || t >= hi {
		return 0
	}
	return t - lo
}

// visible gives the keys that query t of row b attends to: lo ≤ s < hi. It is
// empty for padding.
func (in Batch) visible(b, t int) (lo, hi int) {
	lo, hi = in.span(b)
	if t < lo || t >= hi {
		return lo, lo
	}
	return lo, t + 1
}

// check reports the first thing that makes in impossible for a model of this
// config.
func (in Batch) check(c Config) error {
	switch {
	case in.B < 1 || in.T < 1:
		return fmt.Errorf("batch: %d rows of %d tokens: a run needs at least one token", in.B, in.T)
	case len(in.IDs) != in.B*in.T:
		return fmt.Errorf("batch: %d ids for %d rows of %d tokens", len(in.IDs), in.B, in.T)
	case in.T > c.Context && c.Positions == Learned:
		return fmt.Errorf("batch: %d tokens in a row, and this model knows %d positions", in.T, c.Context)
	case (in.Start == nil) != (in.End == nil) || in.Start != nil && (len(in.Start) != in.B || len(in.End) != in.B):
		return fmt.Errorf("batch: %d starts and %d ends for %d rows", len(in.Start), len(in.End), in.B)
	}
	for i, id := range in.IDs {
		if id < 0 || id >= c.Vocab {
			return fmt.Errorf("batch: id %d in row %d at position %d is outside the vocabulary 0..%d", id, i/in.T, i%in.T, c.Vocab-1)
		}
	}
	for b := range in.Start {
		if lo, hi := in.span(b); lo < 0 || hi > in.T || lo >= hi {
			return fmt.Errorf("batch: row %d has its real tokens at %d..%d, want a part of 0..%d with at least one token", b, lo, hi-1, in.T-1)
		}
	}
	return nil
}

// Warnings says what a run of in asks of the model beyond what it was trained
// on.
func (m *Model) Warnings(in Batch) []string {
	longest := 0
	for b := range in.B {
		lo, hi := in.span(b)
		longest = max(longest, hi-lo)
	}
	if longest <= m.Config.Context {
		return nil
	}
	return []string{fmt.Sprintf("%d tokens in a row, and this model was trained on at most %d: what it says of the rest is extrapolated", longest, m.Config.Context)}
}
