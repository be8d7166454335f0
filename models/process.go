package models

import (
	"errors"
	"fmt"
	"strings"
)

// Processing says which rewritings of the weights Process does. None of them
// changes a probability; each changes what values inside the model, logits
// included, are called. They are TransformerLens' (fold_ln and so on), with
// its results; the reasons are given in Elhage et al., "A Mathematical
// Framework for Transformer Circuits", 2021, and Nanda's notes on
// TransformerLens' weight processing.
type Processing struct {
	// FoldLN moves gain and bias of every norm that is read by projections into
	// these projections: the gain becomes 1 and the bias 0. With LayerNorm, whose
	// output has mean 0, each row of the projections is centred as well. Norms of
	// the embedding, of queries and keys and behind attention and MLP stay.
	FoldLN bool
	// CenterWritingWeights takes the mean over d_model from everything that is
	// written to the residual stream, but for an embedding that is normed first.
	// LayerNorm alone cannot see it.
	CenterWritingWeights bool
	// CenterUnembed takes the mean over the vocabulary from the unembedding and
	// its bias: logits shift by one number a position.
	CenterUnembed bool
	// FoldValueBiases moves b_V·W_O into b_O: a row of the pattern sums to 1, so
	// that a bias of the values reaches every position in full.
	FoldValueBiases bool
}

// RawBasis is the basis of a model whose weights are as they were trained.
const RawBasis = "raw"

// steps pairs the fields with TransformerLens' names, in the order in which the
// rewritings are done.
func (p *Processing) steps() []processStep {
	return []processStep{
		{"fold_ln", &p.FoldLN, Config.canFoldLN, foldLN},
		{"center_writing_weights", &p.CenterWritingWeights, Config.canCenterWriting, centerWriting},
		{"center_unembed", &p.CenterUnembed, Config.canCenterUnembed, centerUnembed},
		{"fold_value_biases", &p.FoldValueBiases, Config.canFoldValueBiases, foldValueBiases},
	}
}

type processStep struct {
	name string
	on   *bool
	can  func(Config) error           // why a config does not allow it
	do   func(cfg *Config, p *Params) // in place
}

// basis is the text form: the names of the steps joined by "+", "" for none.
func (p Processing) basis() string {
	var names []string
	for _, s := range p.steps() {
		if *s.on {
			names = append(names, s.name)
		}
	}
	return strings.Join(names, "+")
}

// parseBasis is the inverse of Processing.basis.
func parseBasis(text string) (Processing, error) {
	var p Processing
	if text == "" {
		return p, nil
	}
	steps := p.steps()
	for _, name := range strings.Split(text, "+") {
		for _, s := range steps {
			if s.name == name {
				*s.on = true
			}
		}
	}
	if p.basis() != text {
		var names []string
		for _, s := range steps {
			names = append(names, s.name)
		}
		return p, fmt.Errorf("config: basis is %q, want a part of %s in this order, or nothing", text, strings.Join(names, "+"))
	}
	return p, nil
}

// Basis names what was done to the weights since they were trained, which every
// number read from the model depends on: RawBasis, or the steps of Process
// joined by "+", such as "fold_ln+center_unembed".
func (m *Model) Basis() string {
	if m.Config.Basis == "" {
		return RawBasis
	}
	return m.Config.Basis
}

// Allowed gives every step that a model of this config allows.
func (c Config) Allowed() Processing {
	var p Processing
	for _, s := range p.steps() {
		*s.on = s.can(c) == nil
	}
	return p
}

// Process returns a model with rewritten weights, which says so in its Basis
// and has another hash. The receiver stays as it is: keep it to go back.
//
// A step that the config does not allow is an error that says why; see
// Config.Allowed. So is processing a model that is processed already, because
// the order of the steps matters: begin with the raw one.
func (m *Model) Process(p Processing) (*Model, error) {
	if m.Config.Basis != "" {
		return nil, fmt.Errorf("process: the weights are processed already (%s): process the raw model instead", m.Config.Basis)
	}
	var errs []error
	for _, s := range p.steps() {
		if *s.on {
			if err := s.can(m.Config); err != nil {
				errs = append(errs, fmt.Errorf("process: %s: %w", s.name, err))
			}
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	params, err := m.store.copied()
	if err != nil {
		return nil, fmt.Errorf("process: %w", err)
	}
	cfg := m.Config
	for _, s := range p.steps() {
		if *s.on {
			s.do(&cfg, params)
		}
	}
	cfg.Basis = p.basis()
	n, err := New(cfg, params)
	if err != nil {
		return nil, fmt.Errorf("process: %w", err)
	}
	n.Name, n.Tokenizer, n.files = m.Name, m.Tokenizer, m.files
	return n, nil
}

func (c Config) canFoldLN() error {
	switch {
	case c.Norm == NoNorm:
		return errors.New("the model has no norms")
	case c.PlainNorm:
		return errors.New("its norms have neither gain nor bias, so that there is nothing to fold")
	case !c.before():
		return fmt.Errorf("the norms of its blocks stand behind attention and MLP (placement %q), where no projection reads them", c.Placement)
	}
	return nil
}

func (c Config) canCenterWriting() error {
	switch {
	case c.Norm != LayerNorm:
		return fmt.Errorf("norm is %q, which does not take the mean away: the model reads what would be removed", c.Norm)
	case c.behind():
		return fmt.Errorf("what attention and MLP write passes a norm (placement %q), behind which no projection could be centred", c.Placement)
	}
	return nil
}

func (c Config) canCenterUnembed() error {
	if c.LogitCap > 0 {
		return fmt.Errorf("logits are capped at ±%g, so that what shifts all of them changes the probabilities", c.LogitCap)
	}
	return nil
}

func (c Config) canFoldValueBiases() error {
	if c.AttnBias && c.ClipQKV > 0 {
		return fmt.Errorf("values are clipped to ±%g with their bias", c.ClipQKV)
	}
	return nil
}
