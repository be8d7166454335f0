package models_test

import (
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// TestEditsOfPatternsByRow writes another number into the patterns of each row.
func TestEditsOfPatternsByRow(t *testing.T) {
	m := modeltest.GPT2(1)
	in, err := models.Rows([][]int{{1, 2, 3}, {4, 5, 6}})
	if err != nil {
		t.Fatal(err)
	}
	hooks, err := m.Edits(models.Edit{Site: "pattern1", Op: models.Set, Value: models.Tensor(tensor.From([]float32{0.25, 0.5}, 2, 1, 1, 1))})
	if err != nil {
		t.Fatal(err)
	}
	c := models.NewCache()
	run(t, m, in, append(hooks, models.Record(c, models.All))...)
	x, _ := c.Get(models.Site{Layer: 1, Kind: models.Pattern})
	for b, want := range []float32{0.25, 0.5} {
		for i, got := range x.Sub(b).Data {
			if got != want {
				t.Fatalf("row %d has %g at %d, want %g everywhere", b, got, i, want)
			}
		}
	}
}

// TestGradientsThroughProjections holds x ↦ x − BBᵀ(x − v) and its counterpart
// against their transposes by hand: v moves the value and not the gradient. With
// B = (3, 4, 0 ...)/5, d y₀ / d x is (1 − 9/25, −12/25, 0 ...), and what is kept
// the rest of (1, 0 ...).
func TestGradientsThroughProjections(t *testing.T) {
	m := modeltest.GPT2(1)
	basis := make([]float32, m.Config.Width)
	basis[0], basis[1] = 3, 4
	obj, err := models.ParseScalar(m, "resid_post0[0,-1,0]")
	if err != nil {
		t.Fatal(err)
	}
	from := models.Site{Layer: 0, Kind: models.MLPOut}
	for _, op := range []models.Op{models.ProjectOut, models.Keep} {
		for _, value := range []*models.Value{nil, models.Number(0.7)} {
			hooks, err := m.Edits(models.Edit{Site: "resid_post0", Op: op, Value: value, Basis: models.Tensor(tensor.From(basis, 1, len(basis)))})
			if err != nil {
				t.Fatal(err)
			}
			g, err := m.GradientOf(t.Context(), models.Prompt(1, 2, 3), obj, models.Want{Sites: models.Sites(from)}, hooks...)
			if err != nil {
				t.Fatal(err)
			}
			want := tensor.New(1, 3, m.Config.Width)
			if last := want.Sub(0, 2).Data; op == models.Keep {
				last[0], last[1] = 9.0/25, 12.0/25
			} else {
				last[0], last[1] = 1-9.0/25, -12.0/25
			}
			x, _ := g.Sites.Get(from)
			modeltest.Close(t, from.String(), x, want, 1e-6, 1e-6)
		}
	}
}
