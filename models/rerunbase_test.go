package models_test

import (
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// TestBaseEditsHoldOnce scales each site in the base and adds to the same site,
// and to the next one, in variants: where a re-run begins from a value that the
// base recorded, the base's edit is in it already.
func TestBaseEditsHoldOnce(t *testing.T) {
	in := models.Prompt(1, 5, 2, 7)
	for name, m := range subjects(t) {
		sites := m.Sites()
		t.Run(name, func(t *testing.T) {
			for i, site := range sites {
				if !strings.HasPrefix(name, "toy") && site.Layer > 0 {
					continue
				}
				base := []models.Edit{{Site: site.String(), Op: models.Scale, Value: models.Number(1.5)}}
				var variants []models.Variant
				for _, at := range sites[i:min(i+2, len(sites))] {
					e := models.Edit{Site: at.String(), Op: models.Add, Value: models.Number(0.25)}
					if at.Kind == models.AttnScores || at.Kind == models.Pattern {
						e.Queries = []int{1}
					} else {
						e.Positions = []int{1}
					}
					if axes := m.Axes(at); axes[len(axes)-1] != "one" && axes[len(axes)-1] != "key" {
						e.Neurons = []int{0} // what a LayerNorm does not take away
					}
					variants = append(variants, models.Variant{Edits: []models.Edit{e}})
				}
				compare(t, m, in, base, variants, models.Need{}, models.RerunOptions{})
			}
		})
	}
}

// TestVariantsThatDifferInOneField runs edits that are alike but for one field
// in one sweep, of all rows: none is taken for another.
func TestVariantsThatDifferInOneField(t *testing.T) {
	m := modeltest.Llama(5)
	in, err := models.Rows([][]int{{1, 5, 2, 7}, {3, 5, 2, 7}})
	if err != nil {
		t.Fatal(err)
	}
	basis := func(v ...float32) *models.Value { return models.Tensor(tensor.From(v, 1, len(v))) }
	edit := func(site string, change func(e *models.Edit)) models.Edit {
		e := models.Edit{Site: site, Op: models.Scale, Value: models.Number(2)}
		change(&e)
		return e
	}
	const stream, scores, z = "blocks.0.hook_resid_post", "blocks.0.attn.hook_attn_scores", "blocks.0.attn.hook_z"
	plain := func(*models.Edit) {}
	keep := func(v ...float32) func(e *models.Edit) {
		return func(e *models.Edit) { e.Op, e.Value, e.Basis, e.Neurons = models.Keep, nil, basis(v...), []int{0, 1} }
	}
	var variants []models.Variant
	for _, e := range []models.Edit{
		edit(stream, plain), edit("blocks.1.hook_resid_pre", plain),
		edit(stream, func(e *models.Edit) { e.Op = models.Set }),
		edit(stream, func(e *models.Edit) { e.Value = models.Number(3) }),
		edit(stream, func(e *models.Edit) { e.Positions = []int{1} }),
		edit(stream, func(e *models.Edit) { e.Positions = []int{2} }),
		edit(stream, func(e *models.Edit) { e.Neurons = []int{1} }),
		edit(stream, func(e *models.Edit) { e.Neurons = []int{2} }),
		edit(stream, keep(1, 0)), edit(stream, keep(0, 1)),
		edit(stream, func(e *models.Edit) { keep(0, 1)(e); e.Op = models.ProjectOut }),
		edit(stream, func(e *models.Edit) { keep(0, 1)(e); e.Value = models.Number(1) }),
		edit(z, plain), edit(z, func(e *models.Edit) { e.Heads = []int{0} }), edit(z, func(e *models.Edit) { e.Heads = []int{1} }),
		edit(scores, plain),
		edit(scores, func(e *models.Edit) { e.Queries = []int{2} }), edit(scores, func(e *models.Edit) { e.Queries = []int{3} }),
		edit(scores, func(e *models.Edit) { e.Keys = []int{1} }), edit(scores, func(e *models.Edit) { e.Keys = []int{2} }),
		edit(scores, func(e *models.Edit) { e.Keys, e.Heads = []int{1}, []int{1} }),
	} {
		for row := range in.B {
			variants = append(variants, models.Variant{Row: row, Edits: []models.Edit{e}})
		}
	}
	compare(t, m, in, nil, variants, models.Need{}, models.RerunOptions{})
}

// TestHooksOfVariantsStayTheirOwn runs variants that differ in their functions
// alone.
func TestHooksOfVariantsStayTheirOwn(t *testing.T) {
	m, in := modeltest.Llama(5), models.Prompt(1, 5, 2, 7)
	b, err := m.NewBase(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	site, err := m.Site("blocks.1.hook_mlp_out")
	if err != nil {
		t.Fatal(err)
	}
	var variants []models.Variant
	for _, by := range []float32{1.5, 3, -2} {
		variants = append(variants, models.Variant{Hooks: []models.Hook{{Sites: models.Sites(site), Fn: func(_ models.Site, x *tensor.Dense) error {
			for i := range x.Data {
				x.Data[i] *= by
			}
			return nil
		}}}})
	}
	if _, err := b.Rerun(t.Context(), variants, models.Need{}, models.RerunOptions{}, func(c models.Cell) error {
		if full := logits(t, m, in, models.Need{}, variants[c.Variant].Hooks...); !full.Sub(0).EqualBits(c.Logits) {
			t.Errorf("variant %d differs from its full run", c.Variant)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
