package train

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"orrery/models"
	"orrery/models/nearest"
)

// Recipe is everything that decides a training, as data: a recipe and a release
// of this program give the same model. Rates are per step.
type Recipe struct {
	Name  string        `json:"name"`
	About string        `json:"about"` // one sentence
	Task  string        `json:"task"`  // a name of Tasks
	Model models.Config `json:"model"`

	Steps   int     `json:"steps"`
	Batch   int     `json:"batch"`    // prompts a step
	Peak    float64 `json:"peak"`     // the highest learning rate
	Floor   float64 `json:"floor"`    // the last learning rate
	Warmup  int     `json:"warmup"`   // steps to the peak
	Decay   float64 `json:"decay"`    // AdamW's λ, on matrices
	Beta1   float64 `json:"beta1"`    // decay of AdamW's first moment
	Beta2   float64 `json:"beta2"`    // decay of AdamW's second moment
	Eps     float64 `json:"eps"`      // AdamW's ε
	Clip    float64 `json:"clip"`     // largest joint norm of the gradients, 0 for none
	HeldOut float64 `json:"held_out"` // share of the task's groups that are held out
	Seed    uint64  `json:"seed"`     // of split, first weights and order

	Init        string   `json:"init,omitempty"`        // of the first weights: "width" for 1/sqrt(D), none for GPT-2's
	Zero        []string `json:"zero,omitempty"`        // names of weights that begin at 0 instead
	Checkpoints []int    `json:"checkpoints,omitempty"` // steps whose weights are kept, in float16; 0 is before the first

	Edits  []models.Edit `json:"edits,omitempty"`  // interventions that are trained under; without rows
	Edited float64       `json:"edited,omitempty"` // share of each batch's prompts that Edits are made to

	ReportEvery  int `json:"report_every"`  // steps between reports of the loss
	MeasureEvery int `json:"measure_every"` // steps between measurements on the held-out prompts
	SaveEvery    int `json:"save_every"`    // steps between checkpoints
}

// Find returns the recipe of that name; an unknown one is an error that lists the names.
func Find(name string) (Recipe, error) {
	var names []string
	for _, r := range Recipes() {
		if r.Name == name {
			return r, nil
		}
		names = append(names, r.Name)
	}
	return Recipe{}, fmt.Errorf("unknown recipe %q; there is %s", name, strings.Join(nearest.Names(name, names, len(names)), ", "))
}

// Validate reports every field that no run can have, each with its value, the
// model's included.
func (r Recipe) Validate() error {
	errs := []error{r.Model.Validate()}
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("recipe: "+format, args...)) }
	for _, f := range []struct {
		name  string
		value int
		least int
	}{
		{"steps", r.Steps, 1}, {"batch", r.Batch, 1}, {"warmup", r.Warmup, 0},
		{"report_every", r.ReportEvery, 1}, {"measure_every", r.MeasureEvery, 1}, {"save_every", r.SaveEvery, 1},
	} {
		if f.value < f.least {
			bad("%s is %d, want at least %d", f.name, f.value, f.least)
		}
	}
	for _, f := range []struct {
		name          string
		value         float64
		least, before float64 // [least, before)
	}{
		{"peak", r.Peak, 0, math.Inf(1)}, {"floor", r.Floor, 0, math.Inf(1)}, {"decay", r.Decay, 0, math.Inf(1)},
		{"beta1", r.Beta1, 0, 1}, {"beta2", r.Beta2, 0, 1}, {"eps", r.Eps, 0, math.Inf(1)},
		{"clip", r.Clip, 0, math.Inf(1)}, {"held_out", r.HeldOut, 0, 1},
	} {
		if !(f.value >= f.least && f.value < f.before) {
			bad("%s is %g, want a number in [%g,%g)", f.name, f.value, f.least, f.before)
		}
	}
	task, err := FindTask(r.Task)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	if want := len(task.Tokens); r.Model.Vocab != want {
		bad("vocab of the model is %d, task %s has %d tokens", r.Model.Vocab, task.Name, want)
	}
	if want := len(task.Examples[0].IDs); r.Model.Context < want {
		bad("context of the model is %d, prompts of task %s have %d tokens", r.Model.Context, task.Name, want)
	}
	errs = append(errs, r.validateStart()...)
	errs = append(errs, r.validateEdits()...)
	return errors.Join(append(errs, r.validateCheckpoints()...)...)
}
