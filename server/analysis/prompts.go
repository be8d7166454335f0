package analysis

import (
	"context"
	"fmt"
	"strings"

	"orrery/ablate"
	"orrery/models"
)

// Prompts is the argument prompts=: which prompts, or pairs of them, an analysis
// is run on. It knows no model, and so no tokens, until Bind. It is immutable.
type Prompts struct {
	// Template makes the prompts, chosen by Options; List gives them instead.
	Template ablate.Template
	List     []ablate.Prompt
	Options  ablate.SetOptions // of a list, Keep and the Seed of later draws
	Pairs    *Pairing          // nil for single prompts
}

// Pairing says how the prompts, as the clean ones, get their partners.
type Pairing struct {
	Change  ablate.Change
	Operand int    // the one that changes; -1 for any
	Seed    uint64 // of the draw
	// Partners are given, one a prompt; nil for partners that are drawn.
	Partners []ablate.Prompt
	// Control adds partners with the same result to those of Change.
	Control bool
}

// BoundPrompts is Prompts as the tokens of one model. It is immutable.
type BoundPrompts struct {
	Prompts
	Model *models.Model
	Set   *ablate.PromptSet
	// Contrasts are the pairs, nil for single prompts; Control those that keep the
	// result, where they were asked for.
	Contrasts, Control *ablate.ContrastSet
}

// Bind tokenizes and filters the prompts under a model. It asks the model for
// its accuracy, one run a prompt.
func (p Prompts) Bind(ctx context.Context, m *models.Model) (*BoundPrompts, error) {
	b := &BoundPrompts{Prompts: p, Model: m}
	var err error
	switch {
	case p.List != nil && p.Pairs != nil && p.Pairs.Partners != nil:
		rows := make([]ablate.Contrast, len(p.List))
		for i, clean := range p.List {
			rows[i] = ablate.Contrast{Clean: clean, Corrupted: p.Pairs.Partners[i]}
		}
		if b.Set, b.Contrasts, err = ablate.ContrastList(ctx, m, rows, p.Options.Keep); err != nil {
			return nil, err
		}
		b.Set.Options.Seed = p.Options.Seed
		return b, b.Set.Ask(ctx, m)
	case p.List != nil:
		if b.Set, err = ablate.PromptList(ctx, m, p.List, p.Options.Keep); err == nil {
			b.Set.Options.Seed = p.Options.Seed
		}
	default:
		b.Set, err = ablate.Prompts(ctx, m, p.Template, p.Options)
	}
	if err != nil {
		return nil, emptySet(err)
	}
	if err := b.Set.Ask(ctx, m); err != nil {
		return nil, err
	}
	return b, b.pair(ctx)
}

// emptySet adds what to do about a set of which nothing is left.
func emptySet(err error) error {
	if strings.Contains(err.Error(), "is left:") {
		if strings.HasPrefix(err.Error(), "no prompt of the list") {
			return &hintError{err.Error(), `mend the rows as the reasons say; keep="all" also takes what the model gets wrong`}
		}
		return &hintError{err.Error(), `take other ranges or a larger n, or keep="all"`}
	}
	return err
}

// WithPairs is the same prompts with partners.
func (b *BoundPrompts) WithPairs(ctx context.Context, p Pairing) (*BoundPrompts, error) {
	c := *b
	c.Pairs = &p
	return &c, c.pair(ctx)
}

// pair finds the partners.
func (b *BoundPrompts) pair(ctx context.Context) (err error) {
	p := b.Pairs
	switch {
	case p == nil:
		return nil
	case p.Partners != nil:
		b.Contrasts, err = ablate.ContrastsWith(ctx, b.Model, b.Set, p.Partners)
	default:
		b.Contrasts, err = ablate.Contrasts(ctx, b.Model, b.Set, p.Change, p.Operand, p.Seed)
	}
	if err != nil || !p.Control {
		return err
	}
	b.Control, err = ablate.Contrasts(ctx, b.Model, b.Set, ablate.KeepResult, -1, p.Seed)
	return err
}

// Fits refuses another model than the one that read the prompts; the same model
// with processed weights, or one with the same tokenizer, will do.
func (b *BoundPrompts) Fits(m *models.Model) error {
	if b.Model == m || b.Model.Hash() == m.Hash() || b.Model.Tokenizer == m.Tokenizer && m.Tokenizer != nil {
		return nil
	}
	return &hintError{fmt.Sprintf("these prompts were read by model %s, not by %s", b.Model.Name, m.Name), "make them again with p.on(m), or leave m out of prompts(...)"}
}

// Report says how the prompts and pairs came about.
func (b *BoundPrompts) Report() string {
	text := b.Set.Report()
	if b.Contrasts != nil {
		text += "; " + b.Contrasts.Report(b.Set.Template)
	}
	if b.Control != nil {
		text += "; as the control " + b.Control.Report(b.Set.Template)
	}
	return text
}

// Describe is the recipe for provenance.
func (p Prompts) Describe() map[string]any {
	out := map[string]any{"keep": string(p.Options.Keep), "seed": p.Options.Seed}
	if p.List != nil {
		out["list"] = len(p.List)
	} else {
		var operands []string
		for _, r := range p.Template.Operands {
			operands = append(operands, r.String())
		}
		out["template"], out["operands"], out["n"] = p.Template.Text, operands, p.Options.N
		if len(p.Template.Operators) > 0 {
			out["operators"] = p.Template.Operators
		}
		if p.Template.Expression != "" {
			out["answer"] = p.Template.Expression
		}
		if p.Template.Lo != 0 || p.Template.Hi != MaxAnswer {
			out["answers"] = []int{p.Template.Lo, p.Template.Hi}
		}
	}
	switch q := p.Pairs; {
	case q == nil:
	case q.Partners != nil:
		out["partners"] = "given"
	default:
		out["change"], out["partner_seed"] = string(q.Change), q.Seed
		if q.Operand >= 0 {
			out["operand"] = q.Operand
		}
	}
	return out
}
