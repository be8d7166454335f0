package probe_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/probe"
)

// residuals names the input of every block of a model.
func residuals(t testing.TB, m *models.Model) []models.Site {
	t.Helper()
	var sites []models.Site
	for _, s := range m.Sites() {
		if s.Kind == models.ResidPre || s.Kind == models.Z {
			sites = append(sites, s)
		}
	}
	return sites
}

// TestSweepIsTheRun: what a sweep keeps is what single runs record, to the bit.
func TestSweepIsTheRun(t *testing.T) {
	m := modeltest.Llama(3)
	var prompts [][]int
	for i := range 200 { // several runs of 512 tokens
		prompts = append(prompts, []int{i % 11, 3, (7 * i) % 11, 5})
	}
	sites := residuals(t, m)
	var done []int
	s, err := probe.SweepPrompts(context.Background(), m, prompts, -2, sites, func(n int) error {
		done = append(done, n)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(done) != 2 || done[1] != 200 || s.Position != 2 {
		t.Errorf("told %v done, position %d", done, s.Position)
	}
	for _, i := range []int{0, 57, 199} {
		cache := models.NewCache()
		if _, err := m.Run(context.Background(), models.Prompt(prompts[i]...), models.Record(cache, models.Sites(sites...))); err != nil {
			t.Fatal(err)
		}
		for k, site := range sites {
			x, _ := cache.Get(site)
			var want []float64
			for _, v := range x.Sub(0, 2).Data {
				want = append(want, float64(v))
			}
			allWithin(t, site.String(), s.Values[k].RawRowView(i), want, 0, 0)
		}
	}
}

func TestSweepRefuses(t *testing.T) {
	m := modeltest.GPT2(1)
	pre := residuals(t, m)[:1]
	pattern, err := m.Site("blocks.0.attn.hook_pattern")
	if err != nil {
		t.Fatal(err)
	}
	quiet := func(int) error { return nil }
	for _, test := range []struct {
		name, want string
		prompts    [][]int
		position   int
		sites      []models.Site
	}{
		{"no prompts", "0 prompts", nil, 0, pre},
		{"unequal lengths", "prompt 1 has 3 tokens", [][]int{{1, 2}, {1, 2, 3}}, 0, pre},
		{"position", "position 2 is outside 0..1", [][]int{{1, 2}}, 2, pre},
		{"position from the end", "position -3", [][]int{{1, 2}}, -3, pre},
		{"a pattern", "axes", [][]int{{1, 2}}, 0, []models.Site{pattern}},
		{"no such layer", "axes", [][]int{{1, 2}}, 0, []models.Site{{Layer: 9, Kind: models.ResidPre}}},
		{"no such token", "99", [][]int{{1, 99}}, 0, pre},
	} {
		if _, err := probe.SweepPrompts(context.Background(), m, test.prompts, test.position, test.sites, quiet); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	stop := errors.New("enough")
	if _, err := probe.SweepPrompts(context.Background(), m, [][]int{{1, 2}}, 0, pre, func(int) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("stopped with %v", err)
	}
}

// BenchmarkSweep is a sweep of 100 numbers with every residual of 6 layers.
func BenchmarkSweep(b *testing.B) {
	cfg := models.Config{
		Layers: 6, Width: 128, Heads: 4, KVHeads: 4, HeadWidth: 32, MLPWidth: 512, Vocab: 120, Context: 8,
		Norm: models.LayerNorm, NormEps: 1e-5, Positions: models.Learned, Activation: "gelu_tanh",
		AttnBias: true, OutBias: true, MLPBias: true, NormBias: true,
	}
	m := modeltest.Random("sweep", cfg, 1)
	var prompts [][]int
	for i := range 100 {
		prompts = append(prompts, []int{101, i, 102, 7, 103})
	}
	sites := residuals(b, m)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := probe.SweepPrompts(context.Background(), m, prompts, 1, sites, func(int) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
