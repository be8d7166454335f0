package analysis

import (
	"context"
	"fmt"

	"orrery/ablate"
	"orrery/viz"
)

// A first look at a grid is over so many of its prompts, with means over a sample of
// so many contexts. It is taken where the contexts are at least lookFrom: then their
// means alone take longer than a reader should wait for a number.
const (
	lookPrompts  = 20
	lookContexts = 1000
	lookFrom     = 4 * lookContexts
)

// look fills the grid for the time until the means over all contexts are there: with
// the same windows, over a few of the prompts and a sample of the contexts. The
// figure says so, and its cells have no errors before their own numbers come. forget
// takes the words away when all have come.
func (r *camaRun) look(ctx context.Context, recipes []ablate.Recipe) (forget func(), err error) {
	forget = func() {}
	contexts := r.a["contexts"].(int)
	if contexts == 0 {
		contexts = r.set.Candidates
	}
	if r.set.Listed() || contexts < lookFrom || len(r.set.Prompts) <= lookPrompts {
		return forget, nil
	}
	sample, err := r.sample(ctx, lookContexts)
	if err != nil {
		return forget, err
	}
	table, err := ablate.NewTable(r.m, sample.Prompts)
	if err != nil {
		return forget, err
	}
	var prompts []ablate.Prompt
	there := tokensOf(sample.Prompts)
	for _, p := range r.set.Prompts {
		if len(prompts) < lookPrompts && there.cover(p, table.First) {
			prompts = append(prompts, p)
		}
	}
	if len(prompts) < lookPrompts {
		return forget, nil
	}
	few, err := ablate.StartAllForOne(ctx, r.m, prompts, table, ablate.AllForOneOptions{Seed: r.from.seed(), Metric: r.metric})
	if err != nil {
		return forget, err
	}
	if _, _, err := r.value(few, few.Base); err != nil {
		return forget, nil // none of the few is right: those that are come later
	}
	subtitle, scale := r.fig.Subtitle, r.fig.Scales["effect"]
	r.fig.Subtitle += fmt.Sprintf(" · cells without an error are a first look, over %d prompts and a sample of %s contexts", len(prompts), thousands(int64(len(sample.Prompts))))
	r.emit.Figure(r.fig)
	L := r.m.Config.Layers
	_, err = r.follow(ctx, few, recipes, func(i int, o ablate.Outcome) error {
		v, _, err := r.value(few, o)
		if err != nil {
			return err
		}
		return r.glance(viz.Part{
			Arrays: []viz.ArrayRun{{Name: "grid", Offset: recipes[i].Transfer*L + recipes[i].Wait, F32: viz.EncodeFloats([]float32{float32(v.Mean)})}},
			Scales: map[string]viz.Scale{"effect": r.stretch("effect", r.fig.Scales["effect"], v.Mean, v.SEM)},
		})
	})
	if err != nil {
		return forget, err
	}
	// The colours are those of the numbers that stay.
	return func() { r.fig.Subtitle = subtitle }, r.glance(viz.Part{Scales: map[string]viz.Scale{"effect": scale}})
}

// glance adds what does not count as done.
func (r *camaRun) glance(part viz.Part) error {
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.emit.Part(part)
	return nil
}
