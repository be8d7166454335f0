package models

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"orrery/models/tensor"
)

// term is one part of an objective: factor · logit[row, pos, id], or the same
// of log-probabilities.
type term struct {
	text         string
	factor       float64
	prob         bool // logprob, not logit
	row, pos, id int
}

// ParseObjective reads a sum of terms such as
//
//	logit[0,-1,17] - logit[0,-1,4]
//	0.5*logprob[1,3,17]
//
// The indices are batch row, position and token id; negative rows and positions
// count from the end. logprob is the logarithm of the softmax of the logits.
// Ids are checked here, rows and positions when the logits are there.
func ParseObjective(m *Model, expr string) (Objective, error) {
	terms, err := parseTerms(m, expr)
	if err != nil {
		return nil, fmt.Errorf("objective %q: %w", expr, err)
	}
	return func(logits *tensor.Dense) (float64, *tensor.Dense, error) {
		value, grad := 0.0, tensor.New(logits.Shape...)
		for _, t := range terms {
			v, err := t.add(logits, grad)
			if err != nil {
				return 0, nil, err
			}
			value += v
		}
		return value, grad, nil
	}, nil
}

// add returns the term's value and adds its derivative to grad [B,T,V].
func (t term) add(logits, grad *tensor.Dense) (float64, error) {
	b, err := t.index("row", t.row, logits.Dim(0))
	if err != nil {
		return 0, err
	}
	p, err := t.index("position", t.pos, logits.Dim(1))
	if err != nil {
		return 0, err
	}
	row, out := logits.Sub(b, p).Data, grad.Sub(b, p).Data
	out[t.id] += float32(t.factor)
	if !t.prob {
		return t.factor * float64(row[t.id]), nil
	}
	logs := LogProbs(row)
	for i, l := range logs {
		out[i] -= float32(t.factor * math.Exp(l))
	}
	return t.factor * logs[t.id], nil
}

// index resolves an index that may count from the end.
func (t term) index(axis string, i, n int) (int, error) {
	at := i
	if i < 0 {
		at += n
	}
	if at < 0 || at >= n {
		return 0, fmt.Errorf("%s: %s %d is outside 0..%d (or -%d..-1 from the end)", t.text, axis, i, n-1, n)
	}
	return at, nil
}

// parseTerms reads terms until the end of expr.
func parseTerms(m *Model, expr string) ([]term, error) {
	var terms []term
	rest := strings.TrimSpace(expr)
	for first := true; rest != "" || first; first = false {
		sign := 1.0
		switch {
		case strings.HasPrefix(rest, "-"):
			sign, rest = -1, rest[1:]
		case strings.HasPrefix(rest, "+"):
			rest = rest[1:]
		case !first:
			return nil, fmt.Errorf("want + or - before %q", rest)
		}
		open, end := strings.IndexByte(rest, '['), strings.IndexByte(rest, ']')
		if open < 0 || end < open {
			return nil, fmt.Errorf("want a term such as logit[0,-1,17] or 2*logprob[0,-1,17], not %q", rest)
		}
		t, err := parseTerm(m, rest[:open], rest[open+1:end])
		if err != nil {
			return nil, err
		}
		t.factor *= sign
		terms = append(terms, t)
		rest = strings.TrimSpace(rest[end+1:])
	}
	return terms, nil
}

// parseTerm reads the head "2*logit" and the indices "0,-1,17" of a term.
func parseTerm(m *Model, head, indices string) (term, error) {
	t := term{factor: 1, text: strings.TrimSpace(head) + "[" + indices + "]"}
	name := strings.TrimSpace(head)
	if factor, after, ok := strings.Cut(name, "*"); ok {
		v, err := strconv.ParseFloat(strings.TrimSpace(factor), 64)
		if err != nil || v-v != 0 {
			return t, fmt.Errorf("%s: factor %q is not a number", t.text, strings.TrimSpace(factor))
		}
		t.factor, name = v, strings.TrimSpace(after)
	}
	switch name {
	case "logit":
	case "logprob":
		t.prob = true
	default:
		return t, fmt.Errorf("%s: %q is unknown, want logit or logprob", t.text, name)
	}
	parts := strings.Split(indices, ",")
	if len(parts) != 3 {
		return t, fmt.Errorf("%s: want three indices [row,position,id]", t.text)
	}
	for i, into := range []*int{&t.row, &t.pos, &t.id} {
		v, err := strconv.Atoi(strings.TrimSpace(parts[i]))
		if err != nil {
			return t, fmt.Errorf("%s: index %q is not a whole number", t.text, strings.TrimSpace(parts[i]))
		}
		*into = v
	}
	if t.id < 0 || t.id >= m.Config.Outputs() {
		return t, fmt.Errorf("%s: id %d is outside the vocabulary 0..%d", t.text, t.id, m.Config.Outputs()-1)
	}
	return t, nil
}
