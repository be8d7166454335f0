package models

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"orrery/models/tensor"
)

// GenerateOptions say how a generation goes on. The zero value adds nothing:
// Tokens must be set.
type GenerateOptions struct {
	Tokens   int // the most tokens to add to each row
	Sampling Sampling

	// A row ends behind one of StopIDs, and when its new text contains one of
	// Stop, which needs a tokenizer. Both leave the tokens in the result.
	StopIDs []int
	Stop    []string

	// Edits hold at every step. Positions are places in the padded rows, all of
	// them when left out; negative ones count from the end of the prompt, so
	// that a token's values never depend on what follows it. Where an edit of
	// scores or patterns shows a query later keys, it shows those of its step.
	Edits []Edit

	// Hooks see the tokens that a step computes, [S,n,..] for the S rows that go
	// on: the prompts first, then one token each. Scores and patterns are
	// [S,H,n,t] over the t places so far.
	Hooks []Hook
}

// Step is one new token.
type Step struct {
	Row, Index int     // of which row, and its number among the new ones
	ID         int     //
	LogProb    float64 // under the model's own distribution, before any sampling rule
}

// Reasons for which a row ended.
const (
	EndedByLength = "length"
	EndedByID     = "stop id"
	EndedByText   = "stop string"
)

// Generated is what one row became.
type Generated struct {
	IDs      []int     // the new tokens
	LogProbs []float64 // of each
	Text     string    // their text, up to a stop string; empty without a tokenizer
	Reason   string    // why it ended
}

// Generate continues rows of token ids. Keys and values of earlier tokens are
// kept, so a step costs one row; each token is the one that a run of the whole
// sequence gives, to the last bit of its logits, whatever the company of its
// row. emit, when not nil, receives the tokens of each step in order of rows;
// its error ends the generation, and what there is by then is returned with it.
func (m *Model) Generate(ctx context.Context, rows [][]int, opt GenerateOptions, emit func(Step) error) ([]Generated, error) {
	g, err := m.startGeneration(ctx, rows, opt)
	if err != nil {
		return nil, err
	}
	defer g.end()
	for range opt.Tokens {
		steps, err := g.step()
		if err != nil {
			return g.out, err
		}
		for _, s := range steps {
			if emit == nil {
				break
			}
			if err := emit(s); err != nil {
				return g.out, err
			}
		}
		if g.p.all.n() == 0 {
			break
		}
	}
	return g.out, nil
}

// generation is a batch under way.
type generation struct {
	p    *pass
	opt  GenerateOptions
	out  []Generated
	rngs []*rand.Rand
	now  int    // the place that comes next
	mark [2]int // scratch memory that stays
}

// startGeneration checks everything and lays the prompts out, padded on the
// left so that all rows end together.
func (m *Model) startGeneration(ctx context.Context, rows [][]int, opt GenerateOptions) (*generation, error) {
	if out := m.Config.Outputs(); out > m.Config.Vocab {
		return nil, fmt.Errorf("generate: the model answers in ids 0..%d and reads only 0..%d", out-1, m.Config.Vocab-1)
	}
	if opt.Tokens < 1 {
		return nil, fmt.Errorf("generate: %d tokens: at least 1", opt.Tokens)
	}
	if err := opt.Sampling.check(); err != nil {
		return nil, err
	}
	if slices.Contains(opt.Stop, "") {
		return nil, fmt.Errorf("generate: a stop string is empty")
	}
	if len(opt.Stop) > 0 && m.Tokenizer == nil {
		return nil, fmt.Errorf("generate: stop strings: %w", ErrNoTokenizer)
	}
	for _, id := range opt.StopIDs {
		if id < 0 || id >= m.Config.Vocab {
			return nil, fmt.Errorf("generate: stop id %d is outside the vocabulary 0..%d", id, m.Config.Vocab-1)
		}
	}
	prompts, err := Pad(rows, Left, 0)
	if err != nil {
		return nil, err
	}
	if err := prompts.check(m.Config); err != nil {
		return nil, err
	}
	in := Batch{B: prompts.B, T: prompts.T + opt.Tokens - 1, Start: prompts.Start, End: prompts.End}
	in.IDs = make([]int, in.B*in.T)
	for b := range in.B {
		copy(in.IDs[b*in.T:], prompts.IDs[b*prompts.T:(b+1)*prompts.T])
	}
	placed, err := m.placeAll(fromPrompt(opt.Edits, prompts.T), in.B, in.T)
	if err != nil {
		return nil, fmt.Errorf("generate: %w", err)
	}
	p, err := m.begin(ctx, in, opt.Hooks)
	if err != nil {
		return nil, err
	}
	p.past = m.newPast(in, placed)
	p.all = newRowSet(in.B, in.T, func(_, pos int) bool { return pos < prompts.T })
	g := &generation{p: p, opt: opt, now: prompts.T, mark: p.mark(), out: make([]Generated, in.B)}
	for b := range in.B {
		g.rngs = append(g.rngs, rand.New(rand.NewPCG(opt.Sampling.Seed, uint64(b))))
	}
	return g, nil
}

// fromPrompt turns places that count from the end of the prompts into places
// from the front.
func fromPrompt(edits []Edit, t int) []Edit {
	out := slices.Clone(edits)
	for i := range out {
		for _, list := range []*[]int{&out[i].Positions, &out[i].Queries, &out[i].Keys} {
			*list = slices.Clone(*list)
			for j, at := range *list {
				if at < 0 && at >= -t {
					(*list)[j] = at + t
				}
			}
		}
	}
	return out
}

func (g *generation) end() { g.p.end() }

// step runs the rows of p.all and adds a token to each sequence that is not at
// its end.
func (g *generation) step() ([]Step, error) {
	p := g.p
	if p.positions() { // rows have grown into other angles: all keys turn anew
		live := p.all
		p.all = newRowSet(p.in.B, p.in.T, func(seq, pos int) bool { return pos < g.now && live.has(seq, g.now-1) })
	}
	p.need = both(p.all, newRowSet(p.in.B, p.in.T, func(_, pos int) bool { return pos == g.now-1 }))
	p.tail = nil
	if p.need != p.all && !p.looksBehindKeys() {
		p.tail = p.need
	}
	p.release(g.mark)
	p.forward()
	if p.stopped() {
		return nil, p.err
	}
	v := p.m.Config.Outputs()
	var steps []Step
	for r := range p.trace.out.n() {
		row := p.logits[r*v : (r+1)*v]
		b := int(p.trace.out.seq[r])
		if int(p.trace.out.pos[r]) != g.now-1 {
			continue
		}
		if err := finite(Site{-1, Logits}.String(), tensor.From(row, 1, 1, v)); err != nil {
			return nil, fmt.Errorf("row %d, token %d: %w", b, len(g.out[b].IDs), err)
		}
		s := Step{Row: b, Index: len(g.out[b].IDs), ID: g.opt.Sampling.choose(row, g.history(b), g.rngs[b])}
		s.LogProb = float64(row[s.ID]) - logSumExp(row)
		steps = append(steps, s)
	}
	live := make([]bool, p.in.B)
	for _, s := range steps {
		out := &g.out[s.Row]
		out.IDs, out.LogProbs = append(out.IDs, s.ID), append(out.LogProbs, s.LogProb)
		ended, err := g.ended(s.Row, s.ID)
		if err != nil {
			return nil, err
		}
		if live[s.Row] = !ended; live[s.Row] {
			p.in.IDs[s.Row*p.in.T+g.now] = s.ID
			p.in.End[s.Row] = g.now + 1
		}
	}
	p.all = newRowSet(p.in.B, p.in.T, func(seq, pos int) bool { return live[seq] && pos == g.now })
	g.now++
	return steps, nil
}

// history is the real tokens of a row so far.
func (g *generation) history(b int) []int {
	in := &g.p.in
	return in.IDs[b*in.T+in.Start[b] : b*in.T+g.now]
}

// ended reports whether a row has reached its end, decodes it, and says why.
func (g *generation) ended(b, id int) (bool, error) {
	out := &g.out[b]
	if tok := g.p.m.Tokenizer; tok != nil {
		text, err := tok.Decode(out.IDs, true)
		if err != nil {
			return false, err
		}
		out.Text = text
		for _, stop := range g.opt.Stop {
			if at := strings.Index(out.Text, stop); at >= 0 {
				out.Text, out.Reason = out.Text[:at], EndedByText
			}
		}
	}
	switch {
	case out.Reason != "":
	case slices.Contains(g.opt.StopIDs, id):
		out.Reason = EndedByID
	case len(out.IDs) == g.opt.Tokens:
		out.Reason = EndedByLength
	default:
		return false, nil
	}
	return true, nil
}
