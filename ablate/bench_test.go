package ablate_test

import (
	"context"
	"testing"

	"orrery/ablate"
	"orrery/models/zoo"
)

// BenchmarkCAMATable averages over all 15,050 prompts of mental-2op.
func BenchmarkCAMATable(b *testing.B) {
	m, err := zoo.Open("mental-2op")
	if err != nil {
		b.Fatal(err)
	}
	all, err := ablate.Prompts(context.Background(), m, twoOperators(100), ablate.SetOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := ablate.CAMATable(context.Background(), m, all.Prompts); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPrompts makes them.
func BenchmarkPrompts(b *testing.B) {
	m, err := zoo.Open("mental-2op")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := ablate.Prompts(context.Background(), m, twoOperators(100), ablate.SetOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAllForOne runs 200 prompts through six wait modes, the grid of
// windows, and greedy pruning of two blocks' heads.
func BenchmarkAllForOne(b *testing.B) {
	m, err := zoo.Open("mental-2op")
	if err != nil {
		b.Fatal(err)
	}
	set, err := ablate.Prompts(context.Background(), m, twoOperators(100), ablate.SetOptions{N: 200, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	all, err := ablate.Prompts(context.Background(), m, twoOperators(100), ablate.SetOptions{N: 6000, Seed: 2})
	if err != nil {
		b.Fatal(err)
	}
	table, err := ablate.CAMATable(context.Background(), m, all.Prompts)
	if err != nil {
		b.Fatal(err)
	}
	a, err := ablate.StartAllForOne(context.Background(), m, set.Prompts, table, ablate.AllForOneOptions{})
	if err != nil {
		b.Fatal(err)
	}
	quiet := func(int, ablate.Outcome) error { return nil }
	var modes []ablate.Recipe
	for _, mode := range ablate.WaitModes {
		modes = append(modes, ablate.WaitSweep(m, mode)...)
	}
	for name, recipes := range map[string][]ablate.Recipe{"modes": modes, "grid": ablate.WindowGrid(m, ablate.WaitCAMA)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := a.Apply(context.Background(), recipes, false, quiet); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("prune", func(b *testing.B) {
		for b.Loop() {
			if _, err := a.Prune(context.Background(), ablate.Recipe{Wait: 0, Transfer: 2}, ablate.ScoreLogProb, func([]ablate.Head, ablate.Outcome) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPatch patches the streams and outputs of 50 pairs.
func BenchmarkPatch(b *testing.B) {
	m, err := zoo.Open("mental-2op")
	if err != nil {
		b.Fatal(err)
	}
	set, err := ablate.Prompts(context.Background(), m, twoOperators(100), ablate.SetOptions{N: 50, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	c, err := ablate.Contrasts(context.Background(), m, set, ablate.ChangeOperand, -1, 1)
	if err != nil {
		b.Fatal(err)
	}
	metric, err := ablate.MetricByName("logit_diff")
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"block_every", "attn_head_by_pos_every"} {
		sweeps, err := ablate.PatchSweepsByName(name)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := ablate.Patch(context.Background(), m, c.Contrasts, ablate.PatchOptions{Sweeps: sweeps, Metric: metric}, quiet); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
