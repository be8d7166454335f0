package models_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// FuzzChunks feeds chunks as they come from elsewhere: whatever the bytes say,
// there is an error, or each variant's cell has the bits of a full run.
func FuzzChunks(f *testing.F) {
	m := modeltest.GPT2(1) // V 11, 2 layers
	in, err := models.Pad([][]int{{1, 2, 3}, {4, 5}}, models.Left, 0)
	if err != nil {
		f.Fatal(err)
	}
	base := []models.Edit{{Site: "blocks.0.hook_mlp_out", Positions: []int{-1}, Op: models.Scale, Value: models.Number(0.5)}}
	b, err := m.NewBase(context.Background(), in, base...)
	if err != nil {
		f.Fatal(err)
	}
	chunks, err := b.Chunks([]models.Variant{
		{Row: 1, Edits: []models.Edit{{Site: "z1", Heads: []int{0}, Op: models.Set, Value: models.Number(0)}}},
		{Edits: []models.Edit{{Site: "resid_pre0", Positions: []int{1}, Op: models.Add, Value: models.Number(1)}}},
		{Row: 1},
	}, models.Need{Last: true, Tokens: []int{3, 1}}, models.RerunOptions{})
	if err != nil {
		f.Fatal(err)
	}
	whole, err := json.Marshal(chunks[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(whole))
	f.Add(`{"index":[0],"variants":[{"row":2}]}`)
	f.Add(`{"index":[5],"need":{"Positions":[-9]},"variants":[{"row":0,"edits":[{"site":"embed","rows":[1],"op":"set","value":1}]}]}`)
	f.Add(`{"index":[0,1],"need":{"Tokens":[11]},"variants":[{},{}]}`)
	hash := m.Hash()
	f.Fuzz(func(t *testing.T, text string) {
		var c models.Chunk
		if json.Unmarshal([]byte(text), &c) != nil || len(c.Variants) > 50 {
			return
		}
		c.Model, c.Batch, c.Base = hash, in, base // which no bytes would hit upon
		cells := map[int]*tensor.Dense{}
		if _, err := b.RunChunk(context.Background(), &c, func(cell models.Cell) error { cells[cell.Variant] = cell.Logits; return nil }); err != nil {
			return
		}
		if len(cells) != len(c.Variants) {
			t.Fatalf("%d cells of %d variants", len(cells), len(c.Variants))
		}
		for i, v := range c.Variants {
			one := models.Batch{IDs: in.IDs[v.Row*in.T : (v.Row+1)*in.T], B: 1, T: in.T, Start: in.Start[v.Row : v.Row+1], End: in.End[v.Row : v.Row+1]}
			hooks, err := m.Edits(slices.Concat(base, v.Edits)...)
			if err != nil {
				t.Fatal(err)
			}
			out, err := m.RunFor(context.Background(), one, c.Need, hooks...)
			if err != nil {
				t.Fatalf("variant %d: %v", i, err)
			}
			if !out.Logits.Sub(0).EqualBits(cells[c.Index[i]]) {
				t.Errorf("variant %d of %s differs from a full run", i, text)
			}
		}
	})
}
