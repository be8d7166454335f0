package ablate

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"orrery/models"
	"orrery/models/tensor"
)

// TraceOptions are the options of CausalTrace.
type TraceOptions struct {
	Sweeps  []PatchSweep // what is restored, cell by cell
	Metrics []Metric     // their base run is the clean one: kl is KL(clean ‖ run)
	Among   []int        // ids that accuracy and margin choose from; nil for all
	// Window is how many adjacent layers are restored at once; see PatchOptions.
	Window int
	// Positions get the noise: those of the operands, of the subject. Negative ones
	// count from the end.
	Positions []int
	// Scale is the noise's standard deviation in units of that of all entries of the
	// embedding matrix; 0 for the 3 of the papers.
	Scale float64
	// Noise are the standard normal numbers, [n,T,D]; nil for those of Seed.
	Noise  *tensor.Dense
	Seed   uint64
	Budget Budget
	// Started, if not nil, is called once, when the runs with and without noise are
	// done and no cell is. Its error ends the call.
	Started func(*Trace) error
}

// Trace is the result of CausalTrace.
type Trace struct {
	Prompts []Prompt // with their answers settled
	Metrics []Metric
	Window  int
	// Sigma is the standard deviation of the embedding matrix, and Scale·Sigma that
	// of the noise.
	Sigma, Scale float64
	// Clean and Noised are the metrics of the runs without and with noise,
	// [metric][prompt].
	Clean, Noised [][]float64
	// Grids hold the metrics of the noised runs with one cell restored,
	// [metric][sweep].
	Grids [][]PatchGrid
	// CleanError is max |Δlogit| between the clean runs and those with noise whose
	// whole stream behind the first block is restored: 0 when restoring is exact.
	CleanError float64
	Report     models.Report
}

// Change is by how much restoring changes a metric of the noised runs.
func (t *Trace) Change(metric int, values []float64) Summary {
	diff := make([]float64, len(values))
	for i, v := range values {
		diff[i] = v - t.Noised[metric][i]
	}
	return Summarise(diff)
}

// CausalTrace corrupts prompts by Gaussian noise on the embeddings of some
// positions, restores the clean values of one cell after the other, and measures
// what comes back (Meng, Bau, Andonian, Belinkov, "Locating and Editing Factual
// Associations in GPT", 2022, arXiv 2202.05262, section 2). Noise pushes a model
// off its distribution and finds other places than a counterfactual prompt does;
// where there is one, take Patch (Zhang and Nanda, arXiv 2309.16042). Several
// draws for a prompt are the same prompt several times: each row has its own.
//
// It emits each cell, of every metric, when all prompts have passed it. It costs
// prompts × cells re-runs.
func CausalTrace(ctx context.Context, m *models.Model, prompts []Prompt, opt TraceOptions, emit func(KnockoutCell) error) (*Trace, error) {
	t, err := newTrace(ctx, m, prompts, opt)
	if err != nil {
		return nil, fmt.Errorf("causal trace: %w", err)
	}
	run, err := startPrompts(ctx, m, prompts, opt.Metrics)
	if err != nil {
		return nil, fmt.Errorf("causal trace: %w", err)
	}
	t.Prompts, t.Clean = run.prompts, run.measureBase(opt.Metrics, opt.Among)
	edits, err := t.noise(m, opt)
	if err != nil {
		return nil, fmt.Errorf("causal trace: %w", err)
	}
	noised, err := m.NewBase(ctx, run.base.Batch(), edits...)
	if err != nil {
		return nil, fmt.Errorf("causal trace: %w", err)
	}
	out, err := noised.Logits(ctx, models.Need{Last: true})
	if err != nil {
		return nil, fmt.Errorf("causal trace: %w", err)
	}
	for i := range opt.Metrics {
		t.Noised = append(t.Noised, make([]float64, len(prompts)))
		for row := range prompts {
			t.Noised[i][row] = run.measure(opt.Metrics[i:i+1], opt.Among, row, out.Logits.Sub(row, 0).Data)[0]
		}
	}
	if opt.Started != nil {
		if err := opt.Started(t); err != nil {
			return nil, err
		}
	}
	return t, t.restore(ctx, m, run, noised, edits, opt, emit)
}

// newTrace checks what does not depend on runs.
func newTrace(ctx context.Context, m *models.Model, prompts []Prompt, opt TraceOptions) (*Trace, error) {
	t := &Trace{Metrics: opt.Metrics, Window: max(opt.Window, 1), Scale: opt.Scale}
	if t.Scale == 0 {
		t.Scale = 3
	}
	switch {
	case len(opt.Sweeps) == 0:
		return nil, fmt.Errorf("no sweeps")
	case len(opt.Positions) == 0:
		return nil, fmt.Errorf("no positions get noise: name those whose information is looked for")
	case !(t.Scale > 0) || math.IsInf(t.Scale, 0):
		return nil, fmt.Errorf("the noise has the scale %g: it is a positive number", t.Scale)
	case t.Window > m.Config.Layers:
		return nil, fmt.Errorf("a window of %d layers is more than the model's %d", t.Window, m.Config.Layers)
	}
	w := m.Params().Embed
	sum, square, n := 0.0, 0.0, float64(w.Len())
	for _, v := range w.Data {
		sum += float64(v)
	}
	for _, v := range w.Data {
		d := float64(v) - sum/n
		square += d * d
	}
	t.Sigma = math.Sqrt(square / (n - 1))
	return t, ctx.Err()
}

// noise are the edits of the base: one for each prompt and position.
func (t *Trace) noise(m *models.Model, opt TraceOptions) (edits []models.Edit, err error) {
	T, D := len(t.Prompts[0].IDs), m.Config.Width
	if want := []int{len(t.Prompts), T, D}; opt.Noise != nil && !tensor.SameShape(opt.Noise.Shape, want) {
		return nil, fmt.Errorf("the noise has the shape %v, want %v: prompts, positions and width", opt.Noise.Shape, want)
	}
	rng := rand.New(rand.NewPCG(opt.Seed, 3))
	seen := map[int]bool{}
	for _, pos := range opt.Positions {
		at := pos
		if at < 0 {
			at += T
		}
		if at < 0 || at >= T {
			return nil, fmt.Errorf("position %d is outside 0..%d (or -%d..-1 from the end)", pos, T-1, T)
		}
		if seen[at] {
			return nil, fmt.Errorf("position %d is listed twice", pos)
		}
		seen[at] = true
		for row := range t.Prompts {
			value := make([]float32, D)
			for d := range value {
				z := 0.0
				if opt.Noise != nil {
					z = float64(opt.Noise.At(row, at, d))
				} else {
					z = rng.NormFloat64()
				}
				value[d] = float32(t.Scale * t.Sigma * z)
			}
			edits = append(edits, models.Edit{Site: models.Site{Layer: -1, Kind: models.Embed}.String(), Rows: []int{row}, Positions: []int{at}, Op: models.Add, Value: models.List(value...)})
		}
	}
	return edits, nil
}

// checkRestored restores the whole stream of a site, and compares logits.
func (t *Trace) checkRestored(ctx context.Context, m *models.Model, run *promptRun, clean *models.Cache, stream models.Site, noise []models.Edit) error {
	x, ok := clean.Get(stream)
	if !ok {
		return fmt.Errorf("site %s was not recorded", stream)
	}
	edits := slices.Clone(noise)
	for row := range t.Prompts {
		e := editOf(m, stream, x.Sub(row), selection{})
		e.Rows = []int{row}
		edits = append(edits, e)
	}
	restored, err := m.NewBase(ctx, run.base.Batch(), edits...)
	if err != nil {
		return err
	}
	out, err := restored.Logits(ctx, models.Need{Last: true})
	if err != nil {
		return err
	}
	for row, want := range run.logits {
		t.CleanError = max(t.CleanError, out.Logits.Sub(row, 0).MaxDifference(tensor.From(want, len(want))))
	}
	return nil
}

// restore computes the cells.
func (t *Trace) restore(ctx context.Context, m *models.Model, run *promptRun, noised *models.Base, noise []models.Edit, opt TraceOptions, emit func(KnockoutCell) error) error {
	var sites []models.Site
	for _, sweep := range opt.Sweeps {
		for l := range m.Config.Layers {
			site, err := sweep.site(m, l)
			if err != nil {
				return fmt.Errorf("causal trace: sweep %s: %w", sweep.Name, err)
			}
			sites = append(sites, site)
		}
	}
	clean, stream := models.NewCache(), models.Site{Layer: 0, Kind: models.ResidPost}
	if _, err := m.RunFor(ctx, run.base.Batch(), models.Need{Last: true}, models.Record(clean, models.Sites(append(slices.Clone(sites), stream)...))); err != nil {
		return fmt.Errorf("causal trace: %w", err)
	}
	if err := t.checkRestored(ctx, m, run, clean, stream, noise); err != nil {
		return fmt.Errorf("causal trace: %w", err)
	}
	w, err := newReplacement(m, noised, opt.Sweeps, t.Window, func(site models.Site, row int) (*tensor.Dense, error) {
		x, ok := clean.Get(site)
		if !ok {
			return nil, fmt.Errorf("site %s was not recorded", site)
		}
		return x.Sub(row), nil
	})
	if err != nil {
		return fmt.Errorf("causal trace: %w", err)
	}
	for range opt.Metrics {
		var grids []PatchGrid
		for i, sweep := range opt.Sweeps {
			grids = append(grids, newPatchGrid(sweep, w.shapes[i], len(t.Prompts)))
		}
		t.Grids = append(t.Grids, grids)
	}
	t.Report, err = w.sweep(ctx, models.Need{Last: true}, opt.Budget, len(opt.Metrics), func(row int, logits []float32, into []float64) {
		copy(into, run.measure(opt.Metrics, opt.Among, row, logits))
	}, func(at, cell, row int, numbers []float64) {
		for i, v := range numbers {
			t.Grids[i][at].Values[row][cell] = v
		}
	}, func(at, cell int) error {
		out := KnockoutCell{Sweep: at, Cell: cell, Index: unravel(cell, w.shapes[at])}
		for i := range opt.Metrics {
			out.Values = append(out.Values, t.Grids[i][at].Cell(cell))
		}
		return emit(out)
	})
	return err
}
