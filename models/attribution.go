package models

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"orrery/models/internal/kernel"
	"orrery/models/tensor"
)

// ApplyLNToStack norms every component of a stack as the norm that reads the
// stream of layer (0..L; L or -1 for the final norm) did in the run: centred with
// LayerNorm, divided by the scale that the cache holds. One scale serves all
// components, so they add up to hook_normalized; gain and bias are not applied.
func ApplyLNToStack(c *Cache, s *Stack, layer int, mlpInput bool) (*Stack, error) {
	if s.norm != nil {
		return nil, errors.New("apply_ln_to_stack: the stack is normed already")
	}
	n := s.m.Config.Layers
	if layer == -1 {
		layer = n
	}
	if layer < 0 || layer > n {
		return nil, fmt.Errorf("apply_ln_to_stack: layer %d is outside 0..%d (or -1 for the final norm)", layer, n)
	}
	site := Site{-1, FinalScale}
	switch {
	case layer < n && mlpInput:
		site = Site{layer, LN2Scale}
	case layer < n:
		site = Site{layer, LN1Scale}
	}
	norm, err := s.frozen("apply_ln_to_stack", c, site)
	if err != nil {
		return nil, err
	}
	out := *s
	out.norm = norm
	return &out, nil
}

// frozen is the norm whose scale is at site, with that scale of the cache's run
// for the stack's rows. A model without norms has one that does nothing.
func (s *Stack) frozen(op string, c *Cache, site Site) (*stackNorm, error) {
	if s.m.Config.Norm == NoNorm {
		return &stackNorm{}, nil
	}
	if !s.m.has(site) {
		return nil, fmt.Errorf("%s: no %s: %s", op, site, s.m.absence(site.Kind))
	}
	b, t, err := c.runSize(s.m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if b != s.b || b*t != s.total {
		return nil, fmt.Errorf("%s: the cache is of %d×%d tokens and the stack is of another run", op, b, t)
	}
	reader := &stackBuilder{op: op, s: s, c: c}
	norm := reader.frozen(site)
	return norm, reader.err
}

// RecomputeLN puts every component through the whole final norm by itself: its
// own statistics, gain and bias. Unembedding the result is the logit lens. It
// lays the components out.
func RecomputeLN(s *Stack) (*Stack, error) {
	if s.norm != nil {
		return nil, errors.New("recompute_ln: the stack is normed already")
	}
	d, rows := s.m.Config.Width, s.size()
	p := &pass{arena: s.m.arenas.Get().(*arena), m: s.m, ctx: context.Background()}
	defer p.end()
	var t normTrace
	p.norm(-1, FinalScale, nil, s.Dense().Data, &s.m.final, &t)
	x := slices.Clone(t.out) // the pass takes its memory back
	out := *s
	out.parts, out.norm = nil, &stackNorm{}
	for i := range s.Labels {
		out.parts = append(out.parts, stackPart{n: 1, k: d, acts: x[i*rows*d : (i+1)*rows*d]})
	}
	return &out, nil
}

// Answers say which logits are attributed: one token for all, one for each
// batch row, or one for each row and selected position. With Incorrect, of the
// same length, it is the logit of the token minus that of the incorrect one.
type Answers struct {
	Tokens, Incorrect []int
}

// Attribution says how much each component of a stack adds to a logit, or to a
// difference of two.
type Attribution struct {
	Labels   []string      // [N]
	Values   *tensor.Dense // [N,B,T] as the stack has them
	Constant *tensor.Dense // [B,T]: what the biases of norm and unembedding add
}

// LogitAttrs is direct logit attribution: the final norm with the scale of the
// run, so that it is linear, then the unembedding's direction of the answer. Of
// a component v that is
//
//	gain·(v − mean v)/scale · (W_U[token] − W_U[incorrect])
//
// (no mean with RMSNorm). The values of components that add up to the last
// residual stream add up to the logit, Constant included, on raw weights as on
// processed ones; a cap on logits comes after it and is not part of it.
// TransformerLens leaves the gain out, which is the same once the norms are
// folded, and else adds up to nothing.
//
// The stack must not be normed. Heads cost z·(W_O·direction), neurons
// post·(W_out·direction): their contributions [N,B,T,D] are never built.
func LogitAttrs(c *Cache, s *Stack, a Answers) (*Attribution, error) {
	if s.norm != nil {
		return nil, errors.New("logit_attrs: the stack is normed already: give it without apply_ln")
	}
	pick, pairs, err := s.answers(a)
	if err != nil {
		return nil, fmt.Errorf("logit_attrs: %w", err)
	}
	norm, err := s.frozen("logit_attrs", c, Site{-1, FinalScale})
	if err != nil {
		return nil, err
	}
	u, err := s.m.head.get(context.Background())
	if err != nil {
		return nil, fmt.Errorf("logit_attrs: %w", err)
	}
	d, final, bias, other := s.m.Config.Width, s.m.final, s.m.head.bias, make([]float32, s.m.Config.Width)
	dirs, constants := make([]float32, len(pairs)*d), make([]float32, len(pairs))
	for i, pair := range pairs {
		dir, sum := dirs[i*d:(i+1)*d], 0.0
		u.Row(dir, pair[0])
		if bias != nil {
			sum = float64(bias[pair[0]])
		}
		if wrong := pair[1]; wrong >= 0 {
			u.Row(other, wrong)
			kernel.Axpy(dir, -1, other)
			if bias != nil {
				sum -= float64(bias[wrong])
			}
		}
		for j, gain := range final.weight {
			if final.bias != nil {
				sum += float64(final.bias[j]) * float64(dir[j])
			}
			dir[j] *= gain
		}
		constants[i] = float32(sum)
	}
	normed := *s
	normed.norm = norm
	out := &Attribution{Labels: s.Labels, Values: tensor.New(s.shape()...), Constant: tensor.New(s.shape()[1:]...)}
	normed.along(out.Values.Data, dirs, len(pairs), pick)
	for r := range out.Constant.Data {
		out.Constant.Data[r] = constants[pick[r]]
	}
	return out, nil
}

// answers checks the tokens and finds the distinct pairs of them, {token,
// incorrect} with -1 for none, and which pair each of the stack's rows asks for.
func (s *Stack) answers(a Answers) (pick []int, pairs [][2]int, err error) {
	n := len(a.Tokens)
	if n != 1 && n != s.b && n != s.size() {
		return nil, nil, fmt.Errorf("%d tokens, want 1, %d (one a batch row) or %d (one a row and position)", n, s.b, s.size())
	}
	if a.Incorrect != nil && len(a.Incorrect) != n {
		return nil, nil, fmt.Errorf("%d incorrect tokens for %d tokens", len(a.Incorrect), n)
	}
	known := make(map[[2]int]int)
	for r := range s.size() {
		at := 0
		switch n {
		case s.b:
			at = r / s.t
		case s.size():
			at = r
		}
		pair := [2]int{a.Tokens[at], -1}
		if a.Incorrect != nil {
			pair[1] = a.Incorrect[at]
		}
		for i, id := range pair {
			if (i == 0 || a.Incorrect != nil) && (id < 0 || id >= s.m.Config.Outputs()) {
				return nil, nil, fmt.Errorf("token %d is outside the vocabulary 0..%d", id, s.m.Config.Outputs()-1)
			}
		}
		i, ok := known[pair]
		if !ok {
			i = len(pairs)
			known[pair] = i
			pairs = append(pairs, pair)
		}
		pick = append(pick, i)
	}
	return pick, pairs, nil
}
