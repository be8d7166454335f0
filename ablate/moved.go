package ablate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"orrery/models"
	"orrery/models/tensor"
)

// SeenRun is a run with what was kept of it.
type SeenRun struct {
	IDs    []int
	Cache  *models.Cache
	Logits *tensor.Dense // [T,V]
}

// Moved is two runs between which values are moved. Both run once; every try is
// a run of its own.
type Moved struct {
	// Clean gives values, Corrupted is the run that they are put into.
	Clean, Corrupted *SeenRun

	m    *models.Model
	keep models.Selector
	subs map[Giver]*substitutes
}

// MovedOptions are the options of StartMoved.
type MovedOptions struct {
	Tries [][]Move      // what will be moved, a list a try
	Keep  []models.Site // what is kept of every run
	// Reference are the prompts that means are taken over, of the same length.
	Reference [][]int
}

// StartMoved runs two prompts of equal length, keeps what the tries move and
// checks them: sites that do not exist, positions and heads outside of their
// range are errors that name the try.
func StartMoved(ctx context.Context, m *models.Model, clean, corrupted []int, opt MovedOptions) (*Moved, error) {
	if len(clean) != len(corrupted) {
		return nil, fmt.Errorf("clean has %d tokens, corrupted has %d: values are moved position by position, so both need the same length", len(clean), len(corrupted))
	}
	v := &Moved{m: m, subs: map[Giver]*substitutes{}}
	if err := v.ungroup(opt.Tries); err != nil {
		return nil, err
	}
	m = v.m
	var given []models.Site
	means := map[Giver][]models.Site{}
	for i, try := range opt.Tries {
		if len(try) == 0 {
			return nil, fmt.Errorf("try %d moves nothing", i)
		}
		for _, mv := range try {
			from, into, err := mv.Sites(m)
			if err != nil {
				return nil, fmt.Errorf("try %d: %w", i, err)
			}
			switch mv.Giver() {
			case FromZero, FromMean, FromMeanByPos:
				means[mv.Giver()] = append(means[mv.Giver()], from)
			}
			given = append(given, from, into)
		}
	}
	v.keep = models.Sites(opt.Keep...)
	var err error
	if v.Clean, err = v.see(ctx, clean, given); err != nil {
		return nil, fmt.Errorf("clean: %w", err)
	}
	v.Corrupted = v.Clean
	if !slices.Equal(clean, corrupted) {
		if v.Corrupted, err = v.see(ctx, corrupted, given); err != nil {
			return nil, fmt.Errorf("corrupted: %w", err)
		}
	}
	for giver, sites := range means {
		ref := reference{prompts: opt.Reference}
		if v.subs[giver], err = newSubstitutes(ctx, m, Ablation(giver), []Prompt{{IDs: corrupted}}, ref, sites); err != nil {
			return nil, err
		}
	}
	for i, try := range opt.Tries {
		if _, err := v.Edits(ctx, try); err != nil {
			return nil, fmt.Errorf("try %d: %w", i, err)
		}
	}
	return v, nil
}

// ungroup gives every head keys and values of its own where a try is made along an
// edge, whose ends are counted so; those of paths are not.
func (v *Moved) ungroup(tries [][]Move) (err error) {
	edges, paths := false, false
	for _, mv := range slices.Concat(tries...) {
		edges, paths = edges || mv.Freeze == "" && len(mv.ends()) > 1, paths || mv.Freeze != ""
	}
	if !edges {
		return nil
	}
	if c := v.m.Config; paths && c.KVHeads < c.Heads {
		return fmt.Errorf("edges count keys and values by head, paths by key-value head, of which this model has %d for %d: try them in two calls", c.KVHeads, c.Heads)
	}
	v.m, err = ungrouped(v.m)
	return err
}

// see runs a prompt and keeps what is kept of every run, and some sites more.
func (v *Moved) see(ctx context.Context, ids []int, more []models.Site, edits ...models.Edit) (*SeenRun, error) {
	hooks, err := v.m.Edits(edits...)
	if err != nil {
		return nil, err
	}
	r := &SeenRun{IDs: ids, Cache: models.NewCache()}
	also := models.Sites(more...)
	record := models.Record(r.Cache, func(s models.Site) bool { return v.keep(s) || also(s) })
	out, err := v.m.Run(ctx, models.Prompt(ids...), append(hooks, record)...)
	if err != nil {
		return nil, err
	}
	r.Logits = out.Logits.Sub(0)
	return r, nil
}

// Edits are the edits of the corrupted run that a try stands for. Values are
// those of the runs without edits, whatever else the try moves; what arrives along
// a path is that of a run of its own.
func (v *Moved) Edits(ctx context.Context, try []Move) ([]models.Edit, error) {
	var edits []models.Edit
	for _, mv := range try {
		if sender, end, ok, err := mv.path(v.m); err != nil {
			return nil, err
		} else if ok {
			of, err := v.pathEdits(ctx, mv, sender, end)
			if err != nil {
				return nil, err
			}
			edits = append(edits, of...)
			continue
		}
		e, err := v.edit(mv)
		if err != nil {
			return nil, err
		}
		edits = append(edits, e)
	}
	return edits, nil
}

// edit is that of a move which is not made along a path.
func (v *Moved) edit(mv Move) (models.Edit, error) {
	from, _, err := mv.Sites(v.m)
	if err != nil {
		return models.Edit{}, err
	}
	x, err := v.value(mv.Giver(), from)
	if err != nil {
		return models.Edit{}, err
	}
	source, end, ok, err := mv.edge(v.m)
	if err != nil {
		return models.Edit{}, err
	}
	if !ok {
		return mv.edit(v.m, x, len(v.Corrupted.IDs))
	}
	own, err := v.value(FromCorrupted, from)
	if err != nil {
		return models.Edit{}, err
	}
	return mv.edgeEdit(source, end, x, own)
}

// value is a giver's value at a site, without the batch axis.
func (v *Moved) value(giver Giver, site models.Site) (*tensor.Dense, error) {
	run := v.Clean
	switch giver {
	case FromZero, FromMean, FromMeanByPos:
		return v.subs[giver].value(site, 0)
	case FromCorrupted:
		run = v.Corrupted
	}
	x, ok := run.Cache.Get(site)
	if !ok {
		return nil, fmt.Errorf("site %s was not recorded", site)
	}
	return x.Sub(0), nil
}

// Run is the corrupted run with a try's values in it: a full pass under the edits.
func (v *Moved) Run(ctx context.Context, try []Move) (*SeenRun, error) {
	edits, err := v.Edits(ctx, try)
	if err != nil {
		return nil, err
	}
	return v.see(ctx, v.Corrupted.IDs, nil, edits...)
}

// Own is max |Δlogit| of the corrupted run when a try's cells get their own
// value back: 0, or the edits do more than they say.
func (v *Moved) Own(ctx context.Context, try []Move) (float64, error) {
	own := slices.Clone(try)
	for i, mv := range own {
		_, into, err := mv.Sites(v.m)
		if err != nil {
			return 0, err
		}
		own[i].Run = FromCorrupted
		if len(mv.ends()) > 1 {
			continue
		}
		own[i].Site, own[i].Into = into.String(), ""
		if mv.To != nil {
			own[i].At, own[i].To = mv.To, nil
		}
	}
	r, err := v.Run(ctx, own)
	if err != nil {
		return 0, err
	}
	return r.Logits.MaxDifference(v.Corrupted.Logits), nil
}

// Rerun counts the logits of a run of Run that differ by any bit from those of
// an exact re-run of the same edits.
func (v *Moved) Rerun(ctx context.Context, try []Move, r *SeenRun) (different int, err error) {
	edits, err := v.Edits(ctx, try)
	if err != nil {
		return 0, err
	}
	base, err := v.m.NewBase(ctx, models.Prompt(v.Corrupted.IDs...))
	if err != nil {
		return 0, err
	}
	_, err = base.Rerun(ctx, []models.Variant{{Edits: edits}}, models.Need{}, models.RerunOptions{}, func(c models.Cell) error {
		different = differing(c.Logits, r.Logits)
		return nil
	})
	return different, err
}

// Outside counts the values of streams outside of a cone (see Cone) that differ
// by any bit between two runs: 0, or the cone is not one.
func Outside(a, b *SeenRun, cone [][]bool, rows []models.Site) (different int, err error) {
	for i, row := range rows {
		x, ok := a.Cache.Get(row)
		y, also := b.Cache.Get(row)
		if !ok || !also {
			return 0, fmt.Errorf("site %s was not recorded", row)
		}
		for t, reached := range cone[i] {
			if !reached {
				different += differing(x.Sub(0, t), y.Sub(0, t))
			}
		}
	}
	return different, nil
}

// differing counts elements with different bits.
func differing(a, b *tensor.Dense) (n int) {
	for i, x := range a.Data {
		if math.Float32bits(x) != math.Float32bits(b.Data[i]) {
			n++
		}
	}
	return n
}
