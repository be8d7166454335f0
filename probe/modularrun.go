package probe

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/models/tensor"
)

// ModularAdder says how a model that adds modulo P is asked.
type ModularAdder struct {
	P int
	// Numbers are the tokens of 0..P-1, Tail those behind the second operand: "=",
	// or none.
	Numbers, Tail []int
}

// FindModularAdder reads off a model how it is asked: its vocabulary must be the
// numbers 0..P-1, P odd and at least 3, and besides at most an "=" and a special
// token. Without a tokenizer the ids are the numbers, and the last id stands for
// "=" where the model has three positions. Whether it has learned to add is for
// ModularLogits.Accuracy to say. Errors name what does not fit.
func FindModularAdder(m *models.Model) (ModularAdder, error) {
	var a ModularAdder
	var others []string
	if m.Tokenizer == nil {
		a.P = m.Config.Vocab
		if m.Config.Context >= 3 {
			a.P--
			a.Tail = []int{a.P}
		}
		for n := range a.P {
			a.Numbers = append(a.Numbers, n)
		}
	} else {
		for id := range m.Config.Vocab {
			token, ok := m.Tokenizer.Token(id)
			switch n, err := strconv.Atoi(strings.TrimSpace(token)); {
			case !ok || m.Tokenizer.IsSpecial(id):
			case err == nil && n == len(a.Numbers):
				a.Numbers = append(a.Numbers, id)
			case token == "=" && a.Tail == nil:
				a.Tail = []int{id}
			default:
				others = append(others, strconv.Quote(token))
			}
		}
		a.P = len(a.Numbers)
	}
	switch {
	case len(others) > 0:
		return a, fmt.Errorf("modular adder: the vocabulary of %s has %s besides the numbers 0..%d and \"=\": it is no model of a + b mod p", m.Name, firstFew(others), a.P-1)
	case a.P < 3 || a.P%2 == 0:
		return a, fmt.Errorf("modular adder: %s has %d number tokens: an odd modulus of at least 3 is needed", m.Name, a.P)
	case m.Config.Outputs() < a.P:
		return a, fmt.Errorf("modular adder: %s has %d logits for %d numbers", m.Name, m.Config.Outputs(), a.P)
	case m.Config.Context < 2+len(a.Tail):
		return a, fmt.Errorf("modular adder: %s has %d positions: two numbers and %d tokens behind them do not fit", m.Name, m.Config.Context, len(a.Tail))
	case m.Config.AttnOnly:
		return a, fmt.Errorf("modular adder: %s has no MLP, whose neurons the measures read", m.Name)
	}
	return a, nil
}

func firstFew(words []string) string {
	if len(words) <= 3 {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:3], ", "), len(words)-3)
}

// Prompt is the ids of a pair.
func (a ModularAdder) Prompt(x, y int) []int {
	return append([]int{a.Numbers[x], a.Numbers[y]}, a.Tail...)
}

// ModularRun is what a modular adder does on all pairs of numbers, at the last
// position; rows are a·P + b.
type ModularRun struct {
	Adder ModularAdder
	// Logits is [P·P, P], of the numbers alone, Neurons [P·P, F], behind the
	// nonlinearity of the last block.
	Logits, Neurons *mat.Dense
}

// modularRows is how many pairs a run takes at once: they share what the first
// block computes of one token, so more of them cost less each, and a run of so
// many keeps some 30 MB.
const modularRows = 4096

// RunModular runs all P² pairs under hooks, such as edits. The cost is one run of
// P² prompts, less what they share; 8·P²·(P + F) bytes are kept.
func RunModular(ctx context.Context, m *models.Model, a ModularAdder, hooks ...models.Hook) (*ModularRun, error) {
	pairs := a.P * a.P
	r := &ModularRun{Adder: a, Logits: mat.NewDense(pairs, a.P, nil), Neurons: mat.NewDense(pairs, m.Config.MLPWidth, nil)}
	last := 1 + len(a.Tail)
	first := 0
	keep := models.Hook{Sites: models.Sites(models.Site{Layer: m.Config.Layers - 1, Kind: models.Post}), Fn: func(_ models.Site, x *tensor.Dense) error {
		for b := range x.Dim(0) {
			widen(r.Neurons.RawRowView(first+b), x.Sub(b, last).Data)
		}
		return nil
	}}
	for first < pairs {
		var rows [][]int
		for i := first; i < min(first+modularRows, pairs); i++ {
			rows = append(rows, a.Prompt(i/a.P, i%a.P))
		}
		in, err := models.Rows(rows)
		if err != nil {
			return nil, fmt.Errorf("modular run: %w", err)
		}
		out, err := m.RunFor(ctx, in, models.Need{Last: true, Tokens: a.Numbers}, append(hooks[:len(hooks):len(hooks)], keep)...)
		if err != nil {
			return nil, fmt.Errorf("modular run: %w", err)
		}
		for b := range in.B {
			widen(r.Logits.RawRowView(first+b), out.Logits.Sub(b, 0).Data)
		}
		first += in.B
	}
	return r, nil
}

func widen(to []float64, from []float32) {
	for i, v := range from {
		to[i] = float64(v)
	}
}

// Embedding is the rows [P, D] of the embedding, and Unembedding those of the
// unembedding, that belong to the numbers.
func (a ModularAdder) Embedding(m *models.Model) (*mat.Dense, error) {
	return rowsOf(m.Params().Embed, a.Numbers)
}

// Unembedding is [P, D]: see Embedding.
func (a ModularAdder) Unembedding(m *models.Model) (*mat.Dense, error) {
	return rowsOf(m.Params().Unembedding(), a.Numbers)
}

// Readout is W_L = W_U·W_out of the last block, [P, F]: what each neuron adds to
// the logits of the numbers when it is 1, a final norm apart.
func (a ModularAdder) Readout(m *models.Model) (*mat.Dense, error) {
	u, err := a.Unembedding(m)
	if err != nil {
		return nil, err
	}
	block, err := m.Block(m.Config.Layers - 1)
	if err != nil {
		return nil, err
	}
	out, err := Matrix(block.Out.Weight)
	if err != nil {
		return nil, err
	}
	return product(u, out), nil
}

// rowsOf copies the named rows of x [N, D].
func rowsOf(x *tensor.Dense, rows []int) (*mat.Dense, error) {
	out := mat.NewDense(len(rows), x.Dim(1), nil)
	for i, r := range rows {
		if r < 0 || r >= x.Dim(0) {
			return nil, fmt.Errorf("row %d of a matrix of %d rows", r, x.Dim(0))
		}
		widen(out.RawRowView(i), x.Sub(r).Data)
	}
	return out, checkFinite("rows", "weights", out)
}
