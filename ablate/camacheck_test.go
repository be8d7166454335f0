package ablate_test

import (
	"context"
	"testing"

	"orrery/ablate"
	"orrery/models"
)

// TestCAMAChecks: the identities hold on every model, streams and masks of nothing
// to the bit.
func TestCAMAChecks(t *testing.T) {
	eachGolden(t, "03_cama.safetensors", func(t *testing.T, g golden) {
		c, err := g.start(t, true).Check(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !(c.Embedding <= 1e-7) || c.Later != 0 || c.NoOp != 0 || !(c.Rows <= 1e-6) || c.Prompts != 16 {
			t.Errorf("%+v", c)
		}
		own, err := ablate.OwnValue(context.Background(), g.model, g.cleanPrompts(t, "pairs5"))
		if err != nil || own != 0 {
			t.Errorf("own values change a logit by %g, %v", own, err)
		}
	})
	m, prompts, table := copyTask(t)
	a, err := ablate.StartAllForOne(context.Background(), m, prompts, table, ablate.AllForOneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := a.Check(context.Background()); err != nil || c.Later != 0 || c.NoOp != 0 || c.Embedding != 0 || c.Prompts != len(prompts) {
		t.Errorf("the circuit: %+v, %v", c, err)
	}
}

// TestCAMAChecksOfEveryFamily: what the badges say holds on every architecture.
func TestCAMAChecksOfEveryFamily(t *testing.T) {
	for name, dir := range randomModels(t) {
		t.Run(name, func(t *testing.T) {
			m, err := models.Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			V := m.Config.Vocab
			var prompts []ablate.Prompt
			for i := range 9 {
				prompts = append(prompts, ablate.Prompt{IDs: []int{3 % V, (4 + i/3) % V, 9 % V, (15 + i%3) % V, 8 % V}, Answer: 1, Other: 2})
			}
			table, err := ablate.CAMATable(context.Background(), m, prompts)
			if err != nil {
				t.Fatal(err)
			}
			a, err := ablate.StartAllForOne(context.Background(), m, prompts, table, ablate.AllForOneOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if c, err := a.Check(context.Background()); err != nil || !(c.Embedding <= 1e-7) || c.Later != 0 || c.NoOp != 0 || !(c.Rows <= 1e-6) {
				t.Errorf("%+v, %v", c, err)
			}
			if own, err := ablate.OwnValue(context.Background(), m, prompts); err != nil || own != 0 {
				t.Errorf("own values change a logit by %g, %v", own, err)
			}
		})
	}
}
