package ablate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"orrery/models"
)

// Unfinished holds the finished runs of a call's sweeps, so that the same call goes
// on from them after it was cut short. A sweep is named by its content and its place
// in the call; who implements this keeps those of other calls apart. The methods are
// called from one goroutine.
type Unfinished interface {
	// Kept returns the runs that are there, in the order in which Keep took them.
	Kept(sweep string) []FinishedRun
	// Keep takes one more run. It must return soon.
	Keep(sweep string, r FinishedRun)
	// Forget drops the runs of a sweep, which Keep then takes again from the first.
	Forget(sweep string)
}

// FinishedRun is an edited run of a sweep.
type FinishedRun struct {
	Cell, Row int
	Numbers   []float64 // all that the sweep reads off the run, to the bit
}

// Resumption counts the runs that the sweeps of a call did not compute.
type Resumption struct {
	from     Unfinished
	sweeps   int // begun so far
	runs     int // of sweeps that took any
	kept     int
	repeated int
	taking   bool
}

// resumptionKey is the context key of a Resumption.
type resumptionKey struct{}

// Resume returns a context in which every sweep of exact re-runs takes the finished
// runs of an unfinished call, computes the others and gives them to it. Results, and
// the order in which they are emitted, are those of an uninterrupted call to the bit;
// reports count what was computed. Of the runs to take, as many as Budget.Check says,
// evenly spread, are computed again: where one differs, none of its sweep is taken.
func Resume(ctx context.Context, from Unfinished) (context.Context, *Resumption) {
	r := &Resumption{from: from}
	return context.WithValue(ctx, resumptionKey{}, r), r
}

// Kept is how many runs were taken, of how many that their sweeps have, and how many
// of them were computed again and gave the same bits.
func (r *Resumption) Kept() (kept, of, repeated int) { return r.kept, r.runs, r.repeated }

// Taking reports whether what is emitted now was taken.
func (r *Resumption) Taking() bool { return r.taking }

// namedVariants is how many edited runs, evenly spread, the name of a sweep is made
// from; with the call's key, its place in the call and its sizes that is plenty.
const namedVariants = 16

// resumedSweep is a sweep of an unfinished call; nil for one of another.
type resumedSweep struct {
	grid grid
	of   *Resumption
	name string
	kept []FinishedRun
	have []bool // [cell·rows + row], nil where nothing is kept
}

// resumed finds the finished runs of a sweep. Sweeps of a call come in a fixed order.
func (g grid) resumed(ctx context.Context) (*resumedSweep, error) {
	r, _ := ctx.Value(resumptionKey{}).(*Resumption)
	if r == nil || g.whole {
		return nil, nil
	}
	rows := g.base.Batch().B
	content := []any{r.sweeps, g.cells, rows, g.width, g.base.Batch()}
	r.sweeps++
	for _, i := range spread(g.cells*rows, namedVariants) {
		edits, err := g.edits(i/rows, i%rows)
		if err != nil {
			return nil, err
		}
		content = append(content, edits)
	}
	data, err := json.Marshal(content)
	if err != nil {
		return nil, nil // an edit that is no JSON has no content to know it by
	}
	sum := sha256.Sum256(data)
	s := &resumedSweep{grid: g, of: r, name: hex.EncodeToString(sum[:])}
	if s.kept = r.from.Kept(s.name); len(s.kept) == 0 {
		return s, nil
	}
	s.have = make([]bool, g.cells*rows)
	for _, p := range s.kept {
		if p.Cell < 0 || p.Cell >= g.cells || p.Row < 0 || p.Row >= rows || len(p.Numbers) != g.width || s.have[p.Cell*rows+p.Row] {
			s.forget()
			break
		}
		s.have[p.Cell*rows+p.Row] = true
	}
	return s, nil
}

// forget drops all finished runs.
func (s *resumedSweep) forget() {
	s.of.from.Forget(s.name)
	s.kept, s.have = nil, nil
}

// has reports whether a run is kept.
func (s *resumedSweep) has(cell, row int) bool {
	return s != nil && s.have != nil && s.have[cell*s.grid.base.Batch().B+row]
}

// keep takes a run that was computed.
func (s *resumedSweep) keep(cell, row int, numbers []float64) {
	if s != nil {
		s.of.from.Keep(s.name, FinishedRun{cell, row, slices.Clone(numbers)})
	}
}

// repeat computes some of the kept runs again, and forgets all of them unless every
// number has the same bits.
func (s *resumedSweep) repeat(ctx context.Context, opt models.RerunOptions) (models.Report, error) {
	if s == nil || len(s.kept) == 0 {
		return models.Report{}, nil
	}
	var sample []FinishedRun
	var variants []models.Variant
	for _, i := range spread(len(s.kept), opt.Check) {
		p := s.kept[i]
		edits, err := s.grid.edits(p.Cell, p.Row)
		if err != nil {
			return models.Report{}, err
		}
		sample, variants = append(sample, p), append(variants, models.Variant{Row: p.Row, Edits: edits})
	}
	if len(sample) == 0 {
		return models.Report{}, nil
	}
	same, numbers := true, make([]float64, s.grid.width)
	report, err := s.grid.rerun(ctx, variants, opt, func(i int, logits []float32) error {
		s.grid.measure(sample[i].Cell, sample[i].Row, logits, numbers)
		same = same && slices.EqualFunc(numbers, sample[i].Numbers, sameBits)
		return ctx.Err()
	})
	if err != nil {
		return report, err
	}
	if !same {
		s.forget()
		return report, nil
	}
	s.of.repeated += len(sample)
	return report, nil
}

func sameBits(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

// take puts the kept runs where they belong; each goes to put.
func (s *resumedSweep) take(ctx context.Context, put func(cell, row int, numbers []float64) error) error {
	if s == nil || len(s.kept) == 0 {
		return nil
	}
	s.of.runs, s.of.kept = s.of.runs+len(s.have), s.of.kept+len(s.kept)
	s.of.taking = true
	defer func() { s.of.taking = false }()
	for _, p := range s.kept {
		if err := put(p.Cell, p.Row, p.Numbers); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// wrong is the error of runs that are not those of full passes.
func (s *resumedSweep) wrong(r models.Report) error {
	if r.Different == 0 {
		return nil
	}
	if s != nil {
		s.forget()
	}
	return fmt.Errorf("%d of %d runs that were compared with full passes are not equal to the bit: the program is at fault", r.Different, r.Checked)
}

// spread chooses k of n indices, evenly.
func spread(n, k int) (at []int) {
	k = min(k, n)
	for i := range k {
		at = append(at, (2*i+1)*n/(2*k))
	}
	return at
}
