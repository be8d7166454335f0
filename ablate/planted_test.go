package ablate_test

import (
	"context"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
)

// copyTask is the circuit set by hand as a task: the answer is the first token,
// which head 0 of layer 1 alone moves to the last position. Its prompts have no
// BOS, so that a token that may not peek reads itself alone.
func copyTask(t *testing.T) (*models.Model, []ablate.Prompt, *ablate.Table) {
	t.Helper()
	m := modeltest.Copy()
	var prompts []ablate.Prompt
	for i := range modeltest.CopyVocab {
		prompts = append(prompts, ablate.Prompt{IDs: []int{i, 1, 2, 3}, Answer: i, Other: -1})
	}
	table, err := ablate.CAMATable(context.Background(), m, prompts)
	if err != nil {
		t.Fatal(err)
	}
	if table.First != 0 {
		t.Fatalf("the first varying position is %d, want 0", table.First)
	}
	return m, prompts, table
}

func faithfulness(t *testing.T, a *ablate.AllForOne, recipes ...ablate.Recipe) (out []float64) {
	t.Helper()
	for _, o := range apply(t, a, recipes) {
		f, err := a.Faithfulness(o)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f.Mean)
	}
	return out
}

// TestAllForOneFindsThePlantedWindow: block 0 may wait, block 1 has to transfer;
// the edge removal hurts there alone, and head 0 is the one to keep.
func TestAllForOneFindsThePlantedWindow(t *testing.T) {
	m, prompts, table := copyTask(t)
	a, err := ablate.StartAllForOne(context.Background(), m, prompts, table, ablate.AllForOneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if f := faithfulness(t, a, ablate.WaitSweep(m, ablate.WaitCAMA)...); f[0] != 1 || f[1] > 0.5 {
		t.Errorf("faithfulness by wait is %v, want 1 and a collapse", f)
	}
	if f := faithfulness(t, a, ablate.Recipe{Wait: 0, Transfer: 1}, ablate.Recipe{Wait: 0, Transfer: 0}, ablate.Recipe{Wait: 0, Transfer: 1, Peek: ablate.PeekNone}); f[0] != 1 || f[1] > 0.5 || f[2] > 0.5 {
		t.Errorf("with a transfer, without one, and without peeking: %v", f)
	}
	if f := faithfulness(t, a, ablate.EdgeRemoval(m, false)...); f[0] != 1 || f[1] > 0.5 {
		t.Errorf("faithfulness without the last token's edges is %v, want 1 and a collapse", f)
	}
	for _, mode := range ablate.WaitModes {
		if f := faithfulness(t, a, ablate.Recipe{Wait: 0, Mode: mode, Transfer: 1}); f[0] != 1 {
			t.Errorf("block 0 does nothing, and with wait mode %s faithfulness is %g", mode, f[0])
		}
	}
	p, err := a.Prune(context.Background(), ablate.Recipe{Wait: 0, Transfer: 1}, ablate.ScoreFaithfulness, func([]ablate.Head, ablate.Outcome) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if kept := p.Kept(m, 1); len(kept) != 1 || kept[0] != (ablate.Head{Layer: 1}) {
		t.Errorf("pruning keeps %v, want head 1.0", kept)
	}
	rows, err := a.Attention(context.Background(), ablate.Recipe{Wait: 0, Transfer: 1}, p.Kept(m, 1))
	if err != nil {
		t.Fatal(err)
	}
	if !(rows[0][0].Mean > 0.999) {
		t.Errorf("the planted head gives the first token %g", rows[0][0].Mean)
	}
	s, err := ablate.Search(context.Background(), m, prompts, table, ablate.WindowGrid(m, ablate.WaitCAMA), 0.95, ablate.AllForOneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !s.Found || !s.Confirmed || s.Best.Wait != 0 || s.Best.Transfer != 1 || s.HeldOut.Mean != 1 || s.HeldOut.N != 3 {
		t.Errorf("the search finds %+v", s)
	}
}

// TestSearchPrefersFewTransfersThenLongWaits: of several windows that do, the one
// with the fewest transfer blocks is taken, and of those the one that waits
// longest, whatever their order.
func TestSearchPrefersFewTransfersThenLongWaits(t *testing.T) {
	m, prompts, table := copyTask(t)
	idle := ablate.Recipe{Wait: -1, Transfer: 1, FreeCompute: true} // block 1 reads everything
	for _, recipes := range [][]ablate.Recipe{{{Wait: -1, Transfer: 2}, idle, {Wait: 0, Transfer: 1}}, {{Wait: 0, Transfer: 1}, idle, {Wait: -1, Transfer: 2}}} {
		s, err := ablate.Search(context.Background(), m, prompts, table, recipes, 0.95, ablate.AllForOneOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Best.Wait != 0 || s.Best.Transfer != 1 {
			t.Errorf("the search takes wait %d and transfer %d, want 0 and 1", s.Best.Wait, s.Best.Transfer)
		}
	}
}

// TestAllForOneNull: where the model knows nothing, faithfulness is refused and no
// window is named, and without a BOS the last token is not blinded wholly.
func TestAllForOneNull(t *testing.T) {
	m, prompts, table := copyTask(t)
	for i := range prompts {
		prompts[i].Answer = (i + 1) % modeltest.CopyVocab
	}
	if s, err := ablate.Search(context.Background(), m, prompts, table, ablate.WindowGrid(m, ablate.WaitCAMA), 0.95, ablate.AllForOneOptions{}); err == nil || !strings.Contains(err.Error(), "gets none of the 3 prompts right") {
		t.Errorf("a model that is always wrong: %+v, %v", s, err)
	}
	a, err := ablate.StartAllForOne(context.Background(), m, prompts, table, ablate.AllForOneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Apply(context.Background(), ablate.EdgeRemoval(m, true), false, func(int, ablate.Outcome) error { return nil }); err == nil || !strings.Contains(err.Error(), "nothing at all") {
		t.Errorf("a blind query: %v", err)
	}
	for _, threshold := range []float64{0, 1.5} {
		if _, err := ablate.Search(context.Background(), m, prompts, table, ablate.WindowGrid(m, ablate.WaitCAMA), threshold, ablate.AllForOneOptions{}); err == nil {
			t.Errorf("a threshold of %g was taken", threshold)
		}
	}
}

// TestEverythingAllowedIsANoOp: masks that remove nothing, and waiting for nothing,
// leave every logit as it is.
func TestEverythingAllowedIsANoOp(t *testing.T) {
	g := toy(t)
	a := g.start(t, false)
	out := apply(t, a, []ablate.Recipe{{Wait: -1, Transfer: g.model.Config.Layers, Peek: ablate.PeekEveryone}, {Wait: -1, Transfer: ablate.NoMasks}})
	base := apply(t, a, []ablate.Recipe{{Wait: 2, Mode: ablate.WaitFree, Transfer: 0}})
	for i, o := range append(out, base...) {
		for row := range o.P {
			if o.P[row] != a.Base.P[row] {
				t.Fatalf("recipe %d changes P of prompt %d from %g to %g", i, row, a.Base.P[row], o.P[row])
			}
		}
	}
}
