package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"orrery/models"
	"orrery/models/tensor"
)

// run is a training under way.
type run struct {
	recipe      Recipe
	task        Task
	dir         string
	learn, held []Example
	schedule    Schedule
	order       *order

	model   *models.Model // of the present weights
	params  *models.Params
	names   []string        // of the weights, in the order of Params.Each
	tensors []*tensor.Dense // the weights themselves, same order
	opt     *AdamW          // counts the steps
	curve   []Point
	charted tally         // since the last point of the curve
	spent   time.Duration // training time up to the last save or report
}

// Run trains a recipe in a directory, which is made when it is not there. If
// the directory holds the state of an earlier run of the same recipe that run
// goes on, and ends with the same bytes as if it had never stopped; a finished
// run is measured again. report may be nil; it is called by Run's own goroutine
// and training waits for it.
//
// When ctx is cancelled the step under way is dropped, the state saved, and
// ctx's error returned. At the end the directory holds a model that models.Load
// reads (config.json, model.safetensors, tokenizer.json), recipe.json,
// card.json with the measured accuracy, and state.safetensors.
func Run(ctx context.Context, recipe Recipe, dir string, report func(Progress)) error {
	if report == nil {
		report = func(Progress) {}
	}
	r, err := newRun(recipe, dir)
	if err != nil {
		return fmt.Errorf("train %s: %w", recipe.Name, err)
	}
	if err := r.train(ctx, report); err != nil {
		return fmt.Errorf("train %s: %w", recipe.Name, err)
	}
	card, err := r.card(ctx)
	if err != nil {
		return fmt.Errorf("train %s: card: %w", recipe.Name, err)
	}
	return writeJSON(filepath.Join(dir, "card.json"), card)
}

// newRun prepares a run, fresh or resumed.
func newRun(recipe Recipe, dir string) (*run, error) {
	if err := recipe.Validate(); err != nil {
		return nil, err
	}
	task, err := FindTask(recipe.Task)
	if err != nil {
		return nil, err
	}
	r := &run{recipe: recipe, task: task, dir: dir, params: firstParams(recipe)}
	r.schedule = Schedule{Peak: recipe.Peak, Floor: recipe.Floor, Warmup: recipe.Warmup, Steps: recipe.Steps}
	r.learn, r.held = task.Held(recipe.HeldOut, recipe.Seed)
	if len(r.learn) == 0 || len(r.held) == 0 {
		return nil, fmt.Errorf("recipe: held_out is %g, which gives %d prompts to learn from and %d held out", recipe.HeldOut, len(r.learn), len(r.held))
	}
	r.order = newOrder(len(r.learn), recipe.Batch, recipe.Seed)
	r.params.Each(func(name string, t *tensor.Dense) {
		r.names = append(r.names, name)
		r.tensors = append(r.tensors, t)
	})
	r.opt = NewAdamW(r.tensors, recipe.Beta1, recipe.Beta2, recipe.Eps, recipe.Decay)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := r.load(); err != nil {
		return nil, err
	}
	if err := writeJSON(filepath.Join(dir, "recipe.json"), recipe); err != nil {
		return nil, err
	}
	if err := writeFile(filepath.Join(dir, "tokenizer.json"), task.Tokenizer); err != nil {
		return nil, err
	}
	if r.model, err = models.New(recipe.Model, r.params); err != nil {
		return nil, err
	}
	r.model.Name = recipe.Name
	// At once, so that a full disk is found out before an hour of training, and
	// a finished run whose model was lost gets it back.
	return r, r.save()
}

// train makes the steps that are left, and saves and reports on the way.
func (r *run) train(ctx context.Context, report func(Progress)) error {
	first, began, before := r.opt.Step, time.Now(), r.spent
	var shown tally // since the last report
	progress := func(grad float64) Progress {
		r.spent = before + time.Since(began)
		step := r.opt.Step
		p := Progress{
			Step: step, Steps: r.recipe.Steps, Resumed: first,
			HeldOutAccuracy: math.NaN(), HeldOutLoss: math.NaN(),
			LearningRate: r.schedule.At(step), GradNorm: grad,
			StepsPerSecond: float64(step-first) / time.Since(began).Seconds(), Elapsed: r.spent,
		}
		if step > first {
			p.ETA = time.Duration(float64(r.recipe.Steps-step) / p.StepsPerSecond * float64(time.Second))
		}
		p.Loss, p.TrainAccuracy = shown.mean()
		shown = tally{}
		return p
	}
	if first == 0 {
		if err := r.keep(); err != nil {
			return err
		}
	} else {
		report(progress(math.NaN()))
	}
	for r.opt.Step < r.recipe.Steps {
		loss, right, grad, err := r.step(ctx)
		if err != nil && ctx.Err() != nil {
			r.spent = before + time.Since(began)
			return errors.Join(ctx.Err(), r.save())
		}
		if err != nil {
			return err
		}
		shown.add(loss, right, r.recipe.Batch)
		r.charted.add(loss, right, r.recipe.Batch)
		if err := r.keep(); err != nil {
			return err
		}
		step := r.opt.Step
		last := step == r.recipe.Steps
		measure, save := last || step%r.recipe.MeasureEvery == 0, last || step%r.recipe.SaveEvery == 0
		if !measure && !save && step%r.recipe.ReportEvery != 0 {
			continue
		}
		p := progress(grad)
		if measure {
			// Not under ctx: a stop that came during the measurement would leave
			// a hole in the curve that a resumed run does not fill.
			held, err := Measure(context.WithoutCancel(ctx), r.model, r.held)
			if err != nil {
				return err
			}
			p.HeldOutAccuracy, p.HeldOutLoss = held.Accuracy, held.Loss
			pt := Point{Step: step, HeldOutAccuracy: held.Accuracy, HeldOutLoss: held.Loss}
			pt.Loss, pt.TrainAccuracy = r.charted.mean()
			r.curve, r.charted = append(r.curve, pt), tally{}
		}
		if save {
			if err := r.save(); err != nil {
				return err
			}
			p.Saved = true
		}
		report(p)
	}
	return nil
}

// step makes one update and returns the batch's loss and right answers before
// it, and the norm of the gradients before clipping. When it returns an error
// nothing has changed.
func (r *run) step(ctx context.Context) (loss float64, right int, norm float64, err error) {
	step := r.opt.Step + 1
	batch := make([]Example, 0, r.recipe.Batch)
	for _, i := range r.order.indices(step) {
		batch = append(batch, r.learn[i])
	}
	in, answers := batchOf(batch)
	edits, err := r.model.Edits(r.recipe.edits()...)
	if err != nil {
		return 0, 0, 0, err
	}
	g, err := r.model.Gradient(ctx, in, AnswerLoss(answers), models.Want{Params: true, Need: needOf(batch)}, edits...)
	var bad models.NumericError
	if errors.As(err, &bad) {
		return 0, 0, 0, r.diverged(step, err)
	}
	if err != nil {
		return 0, 0, 0, err
	}
	var grads []*tensor.Dense
	g.Params.Each(func(_ string, t *tensor.Dense) { grads = append(grads, t) })
	norm = ClipNorm(grads, r.recipe.Clip)
	if math.IsNaN(g.Value) || math.IsNaN(norm) || math.IsInf(norm, 0) {
		return 0, 0, 0, r.diverged(step, fmt.Errorf("loss is %g and the gradients' norm %g", g.Value, norm))
	}
	if right, err = Correct(g.Output.Logits, answers); err != nil {
		return 0, 0, 0, err
	}
	r.opt.Update(grads, r.schedule.At(step))
	r.model, err = r.model.With(r.params)
	return g.Value, right, norm, err
}

// diverged says at which step the numbers went and what to try.
func (r *run) diverged(step int, err error) error {
	return fmt.Errorf("step %d: %w; the training diverged: lower peak (%g) or clip (%g)", step, err, r.recipe.Peak, r.recipe.Clip)
}
