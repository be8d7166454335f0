package analysis_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"orrery/probe"
	"orrery/server/analysis"
	"orrery/server/api"
	"orrery/viz"
)

// TestHeadCard: the card of a cell has the attention that the attention figure
// has, and what the head writes is its bar of the direct logit attribution.
func TestHeadCard(t *testing.T) {
	m := mental(t)
	grid, _ := run(t, "activation_patching", analysis.Args{"m": m, "clean": "34+57=", "corrupted": "12+57=", "sweep": "attn_head_out_all_pos"})
	begin := time.Now()
	card, err := analysis.ReadHeadCard(context.Background(), m, grid, analysis.HeadCell{Row: 2, Column: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a card of two runs takes %v", time.Since(begin))
	if card.Layer != 2 || card.Head != 1 || card.Query != 4 || card.Answer.Text != "91" || card.Other.Text != "69" || len(card.Runs) != 2 {
		t.Fatalf("card %+v", card)
	}
	for i, prompt := range []string{"34+57=", "12+57="} {
		r := card.Runs[i]
		attention, _ := run(t, "attention", analysis.Args{"m": m, "prompt": prompt, "layer": 2, "head": 1})
		got, err := viz.DecodeFloats(r.Pattern)
		if err != nil {
			t.Fatal(err)
		}
		want := attention.Arrays["L2H1"]
		for q := range 5 {
			for k := range q + 1 {
				if v, _ := want.At((4-q)*5 + k); !(math.Abs(float64(v-got[q*5+k])) <= 1e-6) {
					t.Errorf("%s: attention of %d to %d is %g, want %g", r.Name, q, k, got[q*5+k], v)
				}
			}
		}
		if best := r.Reads[0]; best.Attention != float64(got[4*5+best.Position]) || r.Reads[1].Attention > best.Attention {
			t.Errorf("%s reads %+v", r.Name, r.Reads)
		}
		bars, _ := run(t, "dla", analysis.Args{"m": m, "prompt": prompt, "answer": "91", "incorrect": "69", "by": "head"})
		for b, label := range bars.Bars.Categories.Labels {
			if v, _ := bars.Arrays["value"].At(b); label == "L2H1" && !(math.Abs(float64(v)-*r.Direct) <= 1e-5) {
				t.Errorf("%s writes %g, want %g", r.Name, *r.Direct, v)
			}
		}
		if r.Promoted[0].Logit < r.Promoted[1].Logit || r.Demoted[0].Logit > r.Demoted[1].Logit || r.Promoted[0].Logit <= 0 {
			t.Errorf("%s writes %+v and %+v", r.Name, r.Promoted, r.Demoted)
		}
	}
}

// TestHeadDirect: over all pairs, what a head writes directly is the mean of what
// the cards of the pairs say, with its standard error, and its readers are those
// of the weights.
func TestHeadDirect(t *testing.T) {
	m, ctx := mental(t), context.Background()
	f, _ := run(t, "effects", analysis.Args{"m": m, "n": 7, "show": "heads"})
	at := analysis.HeadCell{Row: 2, Column: 1}
	got, err := analysis.ReadHeadDirect(ctx, m, f, at)
	if err != nil {
		t.Fatal(err)
	}
	if got.N != 7 || len(got.Runs) != 2 {
		t.Fatalf("%+v", got)
	}
	var cards []*api.HeadCard
	for at.Prompt = range got.N {
		card, err := analysis.ReadHeadCard(ctx, m, f, at)
		if err != nil {
			t.Fatal(err)
		}
		cards = append(cards, card)
	}
	for i, r := range got.Runs {
		sum, squares, difference := 0.0, 0.0, 0.0
		for _, c := range cards {
			v := *c.Runs[i].Direct
			sum, squares, difference = sum+v, squares+v*v, difference+*c.Runs[i].Difference
		}
		mean := sum / 7
		sem := math.Sqrt((squares - 7*mean*mean) / 6 / 7)
		if r.Name != cards[0].Runs[i].Name || !(math.Abs(r.Direct-mean) <= 1e-5) || !(math.Abs(*r.SEM-sem) <= 1e-5) || !(math.Abs(r.Difference-difference/7) <= 1e-4) {
			t.Errorf("%s: %g ± %g of %g, want %g ± %g of %g", r.Name, r.Direct, *r.SEM, r.Difference, mean, sem, difference/7)
		}
	}
	readers, err := probe.ReadersOf(m, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	best := slices.IndexFunc(readers, func(r probe.HeadReader) bool { return r.Head < 0 })
	for i, r := range cards[0].Readers {
		want := readers[i]
		if i == 5 {
			want = readers[best]
		}
		if r.Layer != want.Layer || (r.Head == nil) != (want.Head < 0) || r.Head != nil && *r.Head != want.Head || r.Input != string(want.Input) || r.Score != want.Score {
			t.Errorf("reader %d is %+v, want %+v", i, r, want)
		}
	}
	if shown := len(cards[0].Readers); best < 5 && shown != 5 || best >= 5 && shown != 6 || !(math.Abs(cards[0].Chance*cards[0].Chance*float64(m.Config.Width)-1) <= 1e-12) {
		t.Errorf("%d readers, chance %g", len(cards[0].Readers), cards[0].Chance)
	}
	one, _ := run(t, "activation_patching", analysis.Args{"m": m, "clean": "34+57=", "corrupted": "12+57=", "sweep": "attn_head_out_by_pos"})
	if got, err = analysis.ReadHeadDirect(ctx, m, one, analysis.HeadCell{Row: 1, Column: 4}); err != nil || got.N != 1 || got.Runs[0].SEM != nil {
		t.Errorf("of one pair: %+v, %v", got, err)
	}
	if _, err = analysis.ReadHeadDirect(ctx, m, one, analysis.HeadCell{Row: 1, Column: 2}); err == nil || !strings.Contains(err.Error(), "query 2 is not the last position, 4") {
		t.Errorf("before the last position: %v", err)
	}
	if _, err = analysis.ReadHeadDirect(ctx, m, one, analysis.HeadCell{Row: 999}); err == nil {
		t.Error("a cell that is not there is read")
	}
}

// TestHeadCardPlaces: every kind of grid over heads says which head and which
// query each cell is about.
func TestHeadCardPlaces(t *testing.T) {
	m := mental(t)
	for _, c := range []struct {
		name string
		args analysis.Args
		cell analysis.HeadCell
		want viz.HeadPlace
	}{
		{"activation_patching", analysis.Args{"n": 2, "sweep": "attn_head_out_all_pos"}, analysis.HeadCell{Row: 3, Column: 2, Prompt: 1}, viz.HeadPlace{Layer: 3, Head: 2, Query: 4}},
		{"activation_patching", analysis.Args{"n": 2, "sweep": "attn_head_out_by_pos"}, analysis.HeadCell{Row: 3*m.Config.Heads + 1, Column: 3}, viz.HeadPlace{Layer: 3, Head: 1, Query: 3}},
		{"activation_patching", analysis.Args{"n": 2, "sweep": "attn_head_v_by_pos"}, analysis.HeadCell{Row: m.Config.Heads + 1, Column: 3}, viz.HeadPlace{Layer: 1, Head: 1, Query: 4}},
		{"activation_patching", analysis.Args{"n": 2, "sweep": "attn_head_pattern_by_pos"}, analysis.HeadCell{Row: m.Config.Heads + 1, Column: 2}, viz.HeadPlace{Layer: 1, Head: 1, Query: 2}},
		{"activation_patching", analysis.Args{"n": 2, "sweep": "attn_head_pattern_dest_src_pos"}, analysis.HeadCell{Panel: m.Config.Heads + 2, Row: 3, Column: 1}, viz.HeadPlace{Layer: 1, Head: 2, Query: 3}},
		{"knockout", analysis.Args{"n": 2, "kind": "zero"}, analysis.HeadCell{Row: 1, Column: 2, Prompt: 1}, viz.HeadPlace{Layer: 1, Head: 2, Query: 4}},
		{"effects", analysis.Args{"n": 2, "show": "heads"}, analysis.HeadCell{Panel: 1, Row: 1, Column: 2, Prompt: 1}, viz.HeadPlace{Layer: 1, Head: 2, Query: 4}},
	} {
		c.args["m"] = m
		f, _ := run(t, c.name, c.args)
		if err := f.Validate(); err != nil {
			t.Fatal(err)
		}
		card, err := analysis.ReadHeadCard(context.Background(), m, f, c.cell)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := (viz.HeadPlace{Layer: card.Layer, Head: card.Head, Query: card.Query}); got != c.want {
			t.Errorf("%s %v: %+v, want %+v", c.name, c.args["sweep"], got, c.want)
		}
		if last := len(card.Runs[0].Tokens) - 1; (card.Runs[0].Direct != nil) != (card.Query == last) {
			t.Errorf("%s: a direct path from position %d of %d", c.name, card.Query, last)
		}
		for _, bad := range []analysis.HeadCell{{Panel: 999}, {Panel: -1}, {Row: 999}, {Column: -1}, {Prompt: 2}} {
			if _, err := analysis.ReadHeadCard(context.Background(), m, f, bad); err == nil {
				t.Errorf("%s: %+v is read", c.name, bad)
			}
		}
	}
	f, _ := run(t, "activation_patching", analysis.Args{"m": m, "n": 2, "sweep": "mlp_out"})
	if _, err := analysis.ReadHeadCard(context.Background(), m, f, analysis.HeadCell{}); err == nil || !strings.Contains(err.Error(), "no attention heads") {
		t.Errorf("error %v", err)
	}
}
