package analysis

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

func digits() Analysis {
	return Analysis{
		Name: "digit_addition", Title: "Sums digit by digit", Version: 1,
		Summary: "how a model that writes digits adds: which column of a sum it gets wrong, in which format it answers, and the waves over 0 to 9 in its weights",
		Paper:   "Quirke, Barez, Understanding Addition in Transformers, ICLR 2024, arXiv 2310.13121; Lee et al., Teaching Arithmetic to Small Transformers, 2023, arXiv 2307.03381; Bai et al., Why Can't Transformers Learn Multiplication?, 2025, arXiv 2510.00184",
		Example: `digit_addition(load("add-5digit"))`,
		Params: []Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "a model whose tokens are digits"},
			{Name: "show", Type: TypeChoice, Default: "columns", Choices: []string{"columns", "formats", "waves"},
				Help: "columns: share right and loss of each digit of the sum, by what its column asks for (Quirke and Barez) and by how far a carry runs; formats: sums written in five ways, their tokens, how many are answered, and the positions that Abacus embeddings and position coupling give; waves: how much of each channel over the digits 0 to 9 stands in few frequencies (Bai et al.)"},
			{Name: "digits", Type: TypeInt, Default: 5, Bounds: between(1, 9), Unit: "digits", Help: "of the longer operand"},
			{Name: "n", Type: TypeInt, Default: 400, Bounds: between(1, 20000), Unit: "sums", Help: "how many sums are drawn"},
			{Name: "nines", Type: TypeFloat, Default: 0.4, Bounds: between(0, 1), Help: "the chance that a column is made to add up to 9, so that carries run far; 0 draws evenly"},
			{Name: "seed", Type: TypeInt, Default: 1, Bounds: atLeast(0), Help: "of the draw"},
		},
		Run: runDigits,
	}
}

// digitsRun is one call on its way.
type digitsRun struct {
	m      *models.Model
	a      Args
	emit   Emit
	digits int
	seed   uint64
	sums   []sum
	fig    *viz.Figure
}

// sum is two numbers to be added.
type sum struct{ a, b int }

func runDigits(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &digitsRun{m: a["m"].(*models.Model), a: a, emit: emit, digits: a["digits"].(int), seed: seedOf(a)}
	if r.m.Tokenizer == nil {
		return nil, &hintError{fmt.Sprintf("model %s has no tokenizer: its digits are not known", r.m.Name), "take a model with a tokenizer, such as add-5digit"}
	}
	r.draw(a["n"].(int), a["nines"].(float64))
	switch a["show"].(string) {
	case "formats":
		return r.formats(ctx)
	case "waves":
		return r.waves()
	}
	return r.columns(ctx)
}

// draw draws n sums whose longer operand, the first, has so many digits.
func (r *digitsRun) draw(n int, nines float64) {
	rng := rand.New(rand.NewPCG(r.seed, 0))
	for range n {
		var s sum
		for place := range r.digits {
			x, y := rng.IntN(10), rng.IntN(10)
			if place == 0 { // the leading one, so that no format pads the first
				x = 1 + rng.IntN(9)
			}
			if rng.Float64() < nines {
				y = 9 - x
			}
			s.a, s.b = 10*s.a+x, 10*s.b+y
		}
		r.sums = append(r.sums, s)
	}
}

// written is a sum as tokens: what is asked and what is to be answered.
type written struct {
	text           string
	prompt, answer []int
}

// write writes a sum as tokens. What is answered begins behind "=", its closing sign
// included. It is refused where the model has no token for a character, and where
// the answer would change the tokens of the question.
func (r *digitsRun) write(s sum, f probe.AdditionFormat) (written, error) {
	text, err := probe.FormatAddition(s.a, s.b, f)
	if err != nil {
		return written{}, err
	}
	prompt, err := r.m.Encode(text[:strings.Index(text, "=")+1])
	if err != nil {
		return written{}, err
	}
	all, err := r.m.Encode(text)
	if err != nil {
		return written{}, err
	}
	for i, id := range prompt {
		if i >= len(all) || all[i] != id {
			return written{}, fmt.Errorf("the tokens of %q change when its answer follows", text)
		}
	}
	if len(all) == len(prompt) {
		return written{}, fmt.Errorf("the answer of %q has no token", text)
	}
	if len(all) > r.m.Config.Context && r.m.Config.Context > 0 {
		return written{}, fmt.Errorf("%q is %d tokens, the model reads %d", text, len(all), r.m.Config.Context)
	}
	return written{text, prompt, all[len(prompt):]}, nil
}

// what says which sums were drawn.
func (r *digitsRun) what() string {
	drawn := "drawn evenly"
	if nines := r.a["nines"].(float64); nines > 0 {
		drawn = fmt.Sprintf("each column made to add up to 9 with chance %g", nines)
	}
	return fmt.Sprintf("%s of %d digits, %s, seed %d", counted(len(r.sums), "sum"), r.digits, drawn, r.seed)
}

// begin shows the empty figure.
func (r *digitsRun) begin(total int, unit string) {
	r.fig.Provenance = provenance(r.m, "digit_addition", 1, r.a)
	r.fig.Provenance.Seed = &r.seed
	r.emit.Figure(r.fig)
	r.emit.Progress(0, total, unit)
}
