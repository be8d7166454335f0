package analysis

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"orrery/ablate"
	"orrery/models"
	"orrery/probe"
	"orrery/server/api"
	"orrery/viz"
)

// The bounds of a head's card.
const (
	headReads   = 3  // keys
	headWrites  = 4  // promoted tokens, and demoted ones
	headReaders = 5  // inputs behind it, and the first MLP
	headPattern = 64 // tokens up to which the pattern is drawn
)

// HeadCell is a cell of a figure's heatmap, and one of the prompts, or pairs of
// them, behind it.
type HeadCell struct {
	Panel, Row, Column, Prompt int
}

// ReadHeadCard runs the prompts of a cell that is about an attention head and
// reads that head (see probe.ReadHead and probe.ReadersOf). The cost is a run of
// each prompt, and of the weights behind the head. A cell that the figure lacks,
// or that is about no head, is an error.
func ReadHeadCard(ctx context.Context, m *models.Model, f *viz.Figure, c HeadCell) (*api.HeadCard, error) {
	heads, err := headCells(f, c)
	if err != nil {
		return nil, err
	}
	at := heads.At(c.Row, c.Column)
	card := &api.HeadCard{Layer: at.Layer, Head: at.Head, Query: at.Query, Prompt: c.Prompt}
	ids := f.Provenance.PromptIDs[c.Prompt*len(heads.Names):][:len(heads.Names)]
	var readings []*probe.HeadReading
	for i, name := range heads.Names {
		if len(ids[i]) == 0 || at.Query >= len(ids[i]) {
			return nil, &hintError{fmt.Sprintf("query %d is outside of a prompt of %d tokens", at.Query, len(ids[i])), "run the cell again"}
		}
		r, err := probe.ReadHead(ctx, m, ids[i], at.Layer, at.Head, at.Query)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		readings = append(readings, r)
	}
	last := len(ids[0]) - 1
	if card.Query < 0 {
		card.Query += len(ids[0])
	}
	var ends [][]float32
	for i, r := range readings {
		ends = append(ends, r.Logits.Sub(len(ids[i])-1).Data)
	}
	answer, other := comparedTokens(ends)
	card.Answer, card.Other = tokenOf(m, answer), tokenOf(m, other)
	for i, r := range readings {
		run := api.HeadRun{Name: heads.Names[i], Tokens: PromptTokens(m, ids[i])}
		run.Reads, run.Promoted, run.Demoted = readsOf(r, card.Query), writesOf(m, r.Writes, 1), writesOf(m, r.Writes, -1)
		if len(ids[i]) <= headPattern {
			run.Pattern = viz.EncodeFloats(r.Pattern.Data)
		}
		if z := r.Logits.Sub(card.Query).Data; card.Query == last {
			direct, difference := r.Writes[answer]-r.Writes[other], float64(z[answer])-float64(z[other])
			run.Direct, run.Difference = &direct, &difference
		}
		card.Runs = append(card.Runs, run)
	}
	readers, err := probe.ReadersOf(m, at.Layer, at.Head)
	if err != nil {
		return nil, err
	}
	card.Readers, card.Chance = []api.HeadReader{}, 1/math.Sqrt(float64(m.Config.Width))
	mlp := false // the best one stands there, too
	for i, r := range readers {
		if i >= headReaders && (mlp || r.Head >= 0) {
			continue
		}
		mlp = mlp || r.Head < 0
		to := api.HeadReader{Layer: r.Layer, Input: string(r.Input), Score: r.Score}
		if r.Head >= 0 {
			to.Head = &r.Head
		}
		card.Readers = append(card.Readers, to)
	}
	return card, nil
}

// comparedTokens are the tokens whose logits a card compares, from the logits at
// the last position of its runs: the top tokens of the first and the last, or the
// two best of the first.
func comparedTokens(ends [][]float32) (answer, other int) {
	answer = topID(ends[0], -1)
	if other = topID(ends[len(ends)-1], -1); other == answer {
		other = topID(ends[0], answer)
	}
	return answer, other
}

// ReadHeadDirect runs all prompts of a figure and averages what the head behind a
// cell writes directly to the answer. A head that is read before the last position
// writes nothing there directly, which is an error.
func ReadHeadDirect(ctx context.Context, m *models.Model, f *viz.Figure, c HeadCell) (*api.HeadDirect, error) {
	heads, err := headCells(f, c)
	if err != nil {
		return nil, err
	}
	at, ids, each := heads.At(c.Row, c.Column), f.Provenance.PromptIDs, len(heads.Names)
	if last := len(ids[0]) - 1; at.Query >= 0 && at.Query != last {
		return nil, &hintError{fmt.Sprintf("query %d is not the last position, %d, from which alone a direct path leads to the answer", at.Query, last), "take a head of the last position"}
	}
	out := &api.HeadDirect{N: heads.Prompts(f)}
	groups := make([][][]int, out.N)
	for i := range groups {
		groups[i] = ids[i*each : (i+1)*each]
	}
	all, err := probe.HeadDirect(ctx, m, groups, at.Layer, at.Head, comparedTokens)
	if err != nil {
		return nil, err
	}
	for i, name := range heads.Names {
		var direct, difference []float64
		for _, g := range all {
			direct, difference = append(direct, g[i].Direct), append(difference, g[i].Difference)
		}
		s := ablate.Summarise(direct)
		mean := api.HeadMean{Name: name, Direct: s.Mean, Difference: ablate.Summarise(difference).Mean}
		if out.N > 1 {
			mean.SEM = &s.SEM
		}
		out.Runs = append(out.Runs, mean)
	}
	return out, nil
}

// headCells finds the heads of a panel, and refuses a cell that is not there.
func headCells(f *viz.Figure, c HeadCell) (*viz.HeadCells, error) {
	if f.Heatmap == nil || c.Panel < 0 || c.Panel >= len(f.Heatmap.Panels) {
		return nil, &hintError{fmt.Sprintf("panel %d is not there", c.Panel), "load the page again"}
	}
	p := f.Heatmap.Panels[c.Panel]
	if p.Heads == nil || len(p.Heads.Names) == 0 {
		return nil, &hintError{fmt.Sprintf("the cells of panel %d are about no attention heads", c.Panel), `a figure over heads has them, such as activation_patching(..., sweep="attn_head_out_all_pos")`}
	}
	for _, i := range []struct {
		name  string
		at, n int
	}{{"row", c.Row, len(p.Heads.Rows)}, {"column", c.Column, len(p.Heads.Columns)}, {"prompt", c.Prompt, p.Heads.Prompts(f)}} {
		if i.at < 0 || i.at >= i.n {
			return nil, &hintError{fmt.Sprintf("%s %d is outside 0..%d", i.name, i.at, i.n-1), "load the page again"}
		}
	}
	return p.Heads, nil
}

// readsOf are the keys that a query attends to most.
func readsOf(r *probe.HeadReading, query int) []api.HeadKey {
	var keys []api.HeadKey
	for k, v := range r.Pattern.Sub(query).Data[:query+1] {
		keys = append(keys, api.HeadKey{Position: k, Attention: float64(v)})
	}
	slices.SortStableFunc(keys, func(a, b api.HeadKey) int { return cmp.Compare(b.Attention, a.Attention) })
	return keys[:min(headReads, len(keys))]
}

// writesOf are the tokens whose logits are raised most against the mean of all;
// with sign -1 lowered.
func writesOf(m *models.Model, writes []float64, sign float64) []api.TokenLogit {
	mean := 0.0
	for _, v := range writes {
		mean += v / float64(len(writes))
	}
	ids := make([]int, len(writes))
	for id := range ids {
		ids[id] = id
	}
	slices.SortStableFunc(ids, func(a, b int) int { return cmp.Compare(sign*writes[b], sign*writes[a]) })
	var out []api.TokenLogit
	for _, id := range ids[:min(headWrites, len(ids))] {
		out = append(out, api.TokenLogit{Token: tokenOf(m, id), Logit: writes[id] - mean})
	}
	return out
}

// tokenOf is one token of the vocabulary.
func tokenOf(m *models.Model, id int) api.Token {
	return api.Token{ID: id, Text: tokenLabels(m.Tokenizer, []int{id})[0], Special: m.Tokenizer != nil && m.Tokenizer.IsSpecial(id)}
}

// PromptTokens are the tokens of a prompt with their roles, as a page shows them.
func PromptTokens(m *models.Model, ids []int) []api.Token {
	roles := TokenRoles(m.Tokenizer, ids)
	tokens := make([]api.Token, len(ids))
	for i, id := range ids {
		tokens[i] = tokenOf(m, id)
		tokens[i].Role = roles[i]
	}
	return tokens
}
