package models

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"orrery/models/tensor"
)

// Objective turns logits [B,T,V] into the number to differentiate and its
// derivative by each logit. A nil derivative stands for zeros.
type Objective func(logits *tensor.Dense) (value float64, dlogits *tensor.Dense, err error)

// Scalar turns activations into the number to differentiate: those at Sites,
// with Logits among them where they count. Fn returns the number and its
// derivative by each value, in the value's shape; what has no part in it may be
// missing. It must not change or keep the values.
type Scalar struct {
	Sites Selector
	Fn    func(values *Cache) (value float64, derivative *Cache, err error)
}

// term is one part of a parsed scalar: factor · value[index], or the same of
// log-probabilities.
type term struct {
	text   string
	factor float64
	prob   bool // of log-probabilities, not of the value itself
	site   Site
	index  []int
}

// ParseScalar reads a sum of terms such as
//
//	logit[0,-1,17] - logit[0,-1,4]
//	0.5*logprob[1,3,17]
//	blocks.1.attn.hook_z[0,-1,2,5] + 2*resid_post0[0,3,7]
//
// A term is a site under any name that Model.Site knows, with an index on each
// of its axes; logit is the site logits, [row,position,id], and logprob the
// logarithm of its softmax. Negative indices count from the end. Ids, layers,
// heads and neurons are checked here, rows and positions when the values are
// there.
func ParseScalar(m *Model, expr string) (Scalar, error) {
	terms, err := parseTerms(m, expr)
	if err != nil {
		return Scalar{}, fmt.Errorf("objective %q: %w", expr, err)
	}
	var sites []Site
	for _, t := range terms {
		sites = append(sites, t.site)
	}
	return Scalar{Sites: Sites(sites...), Fn: func(values *Cache) (float64, *Cache, error) {
		sum, grads := 0.0, NewCache()
		for _, t := range terms {
			x, ok := values.Get(t.site)
			if !ok {
				return 0, nil, fmt.Errorf("%s: %s is not there", t.text, t.site)
			}
			grad, ok := grads.Get(t.site)
			if !ok {
				grad = tensor.New(x.Shape...)
				grads.Put(t.site, grad)
			}
			v, err := t.add(x, grad)
			if err != nil {
				return 0, nil, err
			}
			sum += v
		}
		return sum, grads, nil
	}}, nil
}

// add returns the term's value and adds its derivative to grad.
func (t term) add(x, grad *tensor.Dense) (float64, error) {
	at := 0
	for a, i := range t.index {
		n := x.Shape[a]
		if i < 0 {
			i += n
		}
		if i < 0 || i >= n {
			return 0, fmt.Errorf("%s: %s %d is outside 0..%d (or -%d..-1 from the end)", t.text, indexName(kinds[t.site.Kind].axes[a]), t.index[a], n-1, n)
		}
		at = at*n + i
	}
	grad.Data[at] += float32(t.factor)
	if !t.prob {
		return t.factor * float64(x.Data[at]), nil
	}
	n := x.Shape[len(x.Shape)-1]
	row, out, id := x.Data[at/n*n:at/n*n+n], grad.Data[at/n*n:at/n*n+n], at%n
	logs := LogProbs(row)
	for i, l := range logs {
		out[i] -= float32(t.factor * math.Exp(l))
	}
	return t.factor * logs[id], nil
}

// indexName is what messages call an index on an axis.
func indexName(axis string) string {
	switch axis {
	case axisBatch:
		return "row"
	case axisPos:
		return "position"
	case axisVocab:
		return "id"
	}
	return axis
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
			return nil, fmt.Errorf("want a term such as logit[0,-1,17], 2*logprob[0,-1,17] or resid_post0[0,-1,3], not %q", rest)
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
	t := term{factor: 1, text: strings.TrimSpace(head) + "[" + indices + "]", site: Site{-1, Logits}}
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
		site, err := m.Site(name)
		if err != nil {
			return t, fmt.Errorf("%s: want logit, logprob or a site: %w", t.text, err)
		}
		t.site = site
	}
	axes, parts := m.Axes(t.site), strings.Split(indices, ",")
	if len(parts) != len(axes) {
		return t, fmt.Errorf("%s: %d indices, want %d: [%s]", t.text, len(parts), len(axes), strings.Join(axes, ","))
	}
	for a, part := range parts {
		v, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			return t, fmt.Errorf("%s: index %q is not a whole number", t.text, strings.TrimSpace(part))
		}
		if axes[a] == axisVocab && (v < 0 || v >= m.Config.Outputs()) {
			return t, fmt.Errorf("%s: id %d is outside the vocabulary 0..%d", t.text, v, m.Config.Outputs()-1)
		}
		if n := m.Shape(t.site, math.MaxInt, math.MaxInt)[a]; v >= n || v < -n {
			return t, fmt.Errorf("%s: %s %d is outside 0..%d (or -%d..-1 from the end)", t.text, indexName(axes[a]), v, n-1, n)
		}
		t.index = append(t.index, v)
	}
	return t, nil
}
