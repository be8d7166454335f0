package ablate

import (
	"context"
	"fmt"
	"math"

	"orrery/models"
	"orrery/models/tensor"
)

// CAMAChecks are identities that CAMA and peeking rest on, measured on a model and
// prompts of its task. All are 0 but for rounding; NaN would mean that a query was
// left with nothing to read.
type CAMAChecks struct {
	// Embedding is max |E[x | own token] − x| of the stream before the first block:
	// there a token says nothing but itself, so that CAMA changes nothing.
	Embedding float64
	// Later is max |Δ| of the stream behind any block, at and before a token, when the
	// tokens behind it are another prompt's: means cannot hang on them, and at the
	// first varying token CAMA changes nothing.
	Later float64
	// NoOp is max |Δlogit| under masks that remove no edge.
	NoOp float64
	// Rows is max |1 − Σ| of the rows of all patterns where every token behind the
	// first varying one reads BOS and itself alone.
	Rows float64
	// Prompts is how many prompts were looked at.
	Prompts int
}

// checkedPrompts is how many prompts Check looks at, at most.
const checkedPrompts = 16

// Check measures the identities. It costs T + 3 runs of at most 16 prompts.
func (a *AllForOne) Check(ctx context.Context) (CAMAChecks, error) {
	if a.Table == nil {
		return CAMAChecks{}, errNoTable
	}
	prompts := a.Prompts[:min(checkedPrompts, len(a.Prompts))]
	c := CAMAChecks{Prompts: len(prompts)}
	in, err := batch(prompts)
	if err != nil {
		return c, err
	}
	own := models.NewCache()
	if _, err := a.m.Run(ctx, in, models.Record(own, func(s models.Site) bool {
		return s.Kind == models.ResidPost || s == models.Site{Kind: models.ResidPre}
	})); err != nil {
		return c, err
	}
	if c.Embedding, err = a.embeddingChange(prompts, own); err != nil {
		return c, err
	}
	for at := a.Table.First; at < a.Table.T-1; at++ {
		change, err := a.laterChange(ctx, prompts, own, at)
		if err != nil {
			return c, err
		}
		c.Later = max(c.Later, change)
	}
	free := Recipe{Wait: -1, Mode: WaitFree, Transfer: a.m.Config.Layers, Peek: PeekEveryone}
	out, _, err := a.Apply(ctx, []Recipe{free}, true, func(int, Outcome) error { return nil })
	if err != nil {
		return c, err
	}
	for row, z := range out[0].Logits {
		for i, v := range z {
			c.NoOp = max(c.NoOp, math.Abs(float64(v)-float64(a.run.logits[row][i])))
		}
	}
	c.Rows, err = a.maskedRows(ctx, prompts[0], in)
	return c, err
}

// embeddingChange compares the stream before the first block with its mean over
// prompts that have the same token there.
func (a *AllForOne) embeddingChange(prompts []Prompt, own *models.Cache) (worst float64, err error) {
	x, ok := own.Get(models.Site{Kind: models.ResidPre})
	if !ok {
		return 0, fmt.Errorf("check of CAMA: %s was not recorded", models.Site{Kind: models.ResidPre})
	}
	means := map[tableKey]*moments{}
	row := make([]float64, a.Table.Width)
	each := func(do func(key tableKey)) {
		for i, p := range prompts {
			for pos := a.Table.First + 1; pos < a.Table.T; pos++ {
				for d, v := range x.Sub(i, pos).Data {
					row[d] = float64(v)
				}
				do(tableKey{p.Group, pos, p.IDs[pos]})
			}
		}
	}
	each(func(key tableKey) {
		if means[key] == nil {
			means[key] = &moments{}
		}
		means[key].add(row)
	})
	each(func(key tableKey) {
		for d, v := range means[key].mean {
			worst = max(worst, math.Abs(v-row[d]))
		}
	})
	return worst, nil
}

// laterChange gives the tokens behind at to the prompts of the same group in turn,
// and compares the streams up to there.
func (a *AllForOne) laterChange(ctx context.Context, prompts []Prompt, own *models.Cache, at int) (worst float64, err error) {
	mixed := make([]Prompt, len(prompts))
	for i, p := range prompts {
		mixed[i] = p
		mixed[i].IDs = append([]int(nil), p.IDs...)
		for j := range prompts[1:] {
			if q := prompts[(i+1+j)%len(prompts)]; q.Group == p.Group {
				copy(mixed[i].IDs[at+1:], q.IDs[at+1:])
				break
			}
		}
	}
	in, err := batch(mixed)
	if err != nil {
		return 0, err
	}
	compare := models.Hook{Sites: func(s models.Site) bool { return s.Kind == models.ResidPost }, Fn: func(s models.Site, x *tensor.Dense) error {
		y, ok := own.Get(s)
		if !ok {
			return fmt.Errorf("check of CAMA: %s was not recorded", s)
		}
		for i := range prompts {
			for pos := range at + 1 {
				worst = max(worst, x.Sub(i, pos).MaxDifference(y.Sub(i, pos)))
			}
		}
		return nil
	}}
	_, err = a.m.Run(ctx, in, compare)
	return worst, err
}

// maskedRows sums up the rows of all patterns under the strictest masks.
func (a *AllForOne) maskedRows(ctx context.Context, p Prompt, in models.Batch) (worst float64, err error) {
	edits, err := Recipe{Wait: -1, Mode: WaitFree}.masks(a.m, p, a.Table.First)
	if err != nil {
		return 0, err
	}
	hooks, err := a.m.Edits(edits...)
	if err != nil {
		return 0, err
	}
	sum := models.Hook{Sites: func(s models.Site) bool { return s.Kind == models.Pattern }, Fn: func(_ models.Site, x *tensor.Dense) error {
		keys := x.Dim(-1)
		for lo := 0; lo < len(x.Data); lo += keys {
			total := 0.0
			for _, v := range x.Data[lo : lo+keys] {
				total += float64(v)
			}
			if off := math.Abs(total - 1); worst == worst && !(off <= worst) {
				worst = off // a NaN, too
			}
		}
		return nil
	}}
	_, err = a.m.Run(ctx, in, append(hooks, sum)...)
	return worst, err
}

// OwnValue is max |Δlogit| of prompts in which every head's z and every MLP's
// output is replaced by its own: what a knock-out changes where nothing is put in.
// It is 0 when edits are exact, and costs two runs of at most 16 prompts.
func OwnValue(ctx context.Context, m *models.Model, prompts []Prompt) (worst float64, err error) {
	in, err := batch(prompts[:min(checkedPrompts, len(prompts))])
	if err != nil {
		return 0, err
	}
	own := models.NewCache()
	outputs := func(s models.Site) bool { return s.Kind == models.Z || s.Kind == models.MLPOut }
	before, err := m.RunFor(ctx, in, models.Need{Last: true}, models.Record(own, outputs))
	if err != nil {
		return 0, err
	}
	var edits []models.Edit
	for _, s := range m.Sites() {
		if x, ok := own.Get(s); ok {
			edits = append(edits, models.Edit{Site: s.String(), Op: models.Set, Value: models.Tensor(x)})
		}
	}
	hooks, err := m.Edits(edits...)
	if err != nil {
		return 0, err
	}
	after, err := m.RunFor(ctx, in, models.Need{Last: true}, hooks...)
	if err != nil {
		return 0, err
	}
	return before.Logits.MaxDifference(after.Logits), nil
}
