package models_test

import (
	"strings"
	"testing"

	"orrery/models"
)

// TestStopAtLayer: a run that stops before a block has, at every site until
// there, the bits of the whole run, and refuses what lies behind.
func TestStopAtLayer(t *testing.T) {
	in, err := models.Rows([][]int{{1, 2, 3, 4}, {1, 2, 4, 4}, {5, 2, 3, 4}})
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range subjects(t) {
		for stop := 1; stop <= m.Config.Layers; stop++ {
			early := func(s models.Site) bool { return s.Layer < stop && s.Kind < models.FinalScale }
			part, whole := models.NewCache(), models.NewCache()
			out, err := m.RunFor(t.Context(), in, models.Need{StopAtLayer: stop}, models.Record(part, early))
			if err != nil {
				t.Fatal(err)
			}
			if out.Logits != nil {
				t.Errorf("%s: logits of a run that stops at %d", name, stop)
			}
			if _, err := m.Run(t.Context(), in, models.Record(whole, early)); err != nil {
				t.Fatal(err)
			}
			if len(part.Sites()) != len(whole.Sites()) {
				t.Errorf("%s, stop %d: %d sites of %d", name, stop, len(part.Sites()), len(whole.Sites()))
			}
			for _, s := range whole.Sites() {
				x, _ := part.Get(s)
				if y, _ := whole.Get(s); x == nil || !x.EqualBits(y) {
					t.Errorf("%s, stop %d: %s differs", name, stop, s)
				}
			}
		}
	}
}

func TestStopAtLayerRefuses(t *testing.T) {
	m := subjects(t)["gpt2"]
	if m == nil {
		for _, any := range subjects(t) {
			m = any
			break
		}
	}
	in := models.Prompt(1, 2, 3)
	c := models.NewCache()
	L := m.Config.Layers
	for _, test := range []struct {
		need  models.Need
		hooks []models.Hook
		says  string
	}{
		{models.Need{StopAtLayer: L + 1}, nil, "outside 1.."},
		{models.Need{StopAtLayer: -1}, nil, "stop_at_layer is -1"},
		{models.Need{StopAtLayer: 1, Last: true}, nil, "no logits"},
		{models.Need{StopAtLayer: 1, Tokens: []int{1}}, nil, "no logits"},
		{models.Need{StopAtLayer: 1}, []models.Hook{models.Record(c, models.Sites(models.Site{Layer: -1, Kind: models.Logits}))}, "behind the end"},
		{models.Need{StopAtLayer: 1}, []models.Hook{models.Record(c, models.Sites(models.Site{Layer: L - 1, Kind: models.ResidPost}))}, "behind the end"},
	} {
		if _, err := m.RunFor(t.Context(), in, test.need, test.hooks...); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%+v: %v, want %q", test.need, err, test.says)
		}
	}
	base, err := m.NewBase(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := base.Rerun(t.Context(), []models.Variant{{}}, models.Need{StopAtLayer: 1}, models.RerunOptions{}, func(models.Cell) error { return nil }); err == nil || !strings.Contains(err.Error(), "stop_at_layer") {
		t.Errorf("a re-run that stops: %v", err)
	}
}
