package ablate

import (
	"fmt"

	"orrery/models"
)

// Prompt is one prompt with its answer. Its JSON form is a line of a file of
// prompts.
type Prompt struct {
	Text string `json:"text,omitempty"` // "" when it was given as ids
	IDs  []int  `json:"ids,omitempty"`  // nil until a model has read the text
	// AnswerText and OtherText are the answers as they stand in a file that knows
	// no model; "" where Answer and Other say them.
	AnswerText string `json:"answer_text,omitempty"`
	OtherText  string `json:"other_text,omitempty"`
	// Answer is the token that is right, -1 for the model's own top token, and
	// Other one that it is compared with, -1 for none.
	Answer int `json:"answer"`
	Other  int `json:"other"`
	// Group names the prompts whose means are taken together: the operators of a
	// template's prompt, "+" or "+-".
	Group string `json:"group,omitempty"`
	// Operands are a template's numbers, in its order.
	Operands []int `json:"operands,omitempty"`
	// Roles says what each token is, [T]; empty without a template.
	Roles []Role `json:"roles,omitempty"`

	operators []int // indices of the template's operators
	result    int   // the number that the answer spells
}

// Role is a token's part in its prompt. It is written as "bos", "operand0",
// "operator1", "equals", "answer", and "-" for a word of the template.
type Role struct {
	Kind RoleKind
	// Index counts operands and operators, from 0.
	Index int
}

// RoleKind is what a token does in a prompt.
type RoleKind string

// The roles.
const (
	Constant RoleKind = ""         // a word of the template
	BOS      RoleKind = "bos"      // what the tokenizer adds in front
	Operand  RoleKind = "operand"  // a number, or a part of one
	Operator RoleKind = "operator" // what is done with the operands
	Equals   RoleKind = "equals"   // the sign behind which the answer stands
	Answer   RoleKind = "answer"   // what stands behind it
)

// positions are the places of some roles in a prompt.
func (p Prompt) positions(kind RoleKind, index ...int) (at []int) {
	for i, r := range p.Roles {
		if r.Kind != kind {
			continue
		}
		if len(index) == 0 {
			at = append(at, i)
		}
		for _, want := range index {
			if r.Index == want {
				at = append(at, i)
			}
		}
	}
	return at
}

// checkPrompts refuses what cannot be compared position by position.
func checkPrompts(m *models.Model, prompts []Prompt) error {
	if len(prompts) == 0 {
		return fmt.Errorf("there are no prompts")
	}
	for i, p := range prompts {
		if len(p.IDs) != len(prompts[0].IDs) {
			return fmt.Errorf("prompt %d has %d tokens, prompt 0 has %d: positions are averaged, so all need the same length", i, len(p.IDs), len(prompts[0].IDs))
		}
		for _, a := range []struct {
			name string
			id   int
		}{{"answer", p.Answer}, {"other answer", p.Other}} {
			if a.id < -1 || a.id >= m.Config.Outputs() {
				return fmt.Errorf("prompt %d: %s %d is outside the vocabulary 0..%d", i, a.name, a.id, m.Config.Outputs()-1)
			}
		}
	}
	return nil
}

// batch is the prompts' ids, one row each.
func batch(prompts []Prompt) (models.Batch, error) {
	rows := make([][]int, len(prompts))
	for i, p := range prompts {
		rows[i] = p.IDs
	}
	return models.Rows(rows)
}

// Contrast is two prompts that differ in what is to be located.
//
// Its JSON form is a line of a file of pairs.
type Contrast struct {
	Clean     Prompt `json:"clean"`
	Corrupted Prompt `json:"corrupted"`
}

// Direction says which of two runs is edited.
type Direction string

// The directions. They are not mirror images: denoising asks what suffices,
// noising what is needed.
const (
	Denoise Direction = "denoise" // the clean run's values are put into the corrupted run
	Noise   Direction = "noise"   // the corrupted run's values are put into the clean run
)

// Pair is the contrast as a base run and the source of values. Its answers are
// those of its own prompts.
func (c Contrast) Pair(d Direction) (Pair, error) {
	clean, corrupted := c.Clean, c.Corrupted
	switch d {
	case Denoise:
		return Pair{Base: corrupted.IDs, Source: clean.IDs, BaseAnswer: corrupted.Answer, SourceAnswer: clean.Answer}, nil
	case Noise:
		return Pair{Base: clean.IDs, Source: corrupted.IDs, BaseAnswer: clean.Answer, SourceAnswer: corrupted.Answer}, nil
	}
	return Pair{}, fmt.Errorf("direction is %q, want %q or %q", d, Denoise, Noise)
}
