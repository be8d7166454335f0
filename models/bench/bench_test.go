package bench

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"orrery/models"
)

// Every work of the tiny suite runs, measures something, and has the bits of
// full passes.
func TestWorks(t *testing.T) {
	s := New(Tiny())
	r, err := s.Run(context.Background(), Options{Runs: 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, x := range r.Results {
		names = append(names, x.Work)
		for what, v := range map[string]float64{"best": x.Seconds, "median": x.Median, "GFLOP/s": x.GFLOPS, "GB/s": x.GBPerSecond} {
			if !(v > 0) || math.IsInf(v, 0) {
				t.Errorf("%s: %s is %g", x.Work, what, v)
			}
		}
		if x.Runs != 2 || x.Median < x.Seconds {
			t.Errorf("%s: %d runs, best %g and median %g", x.Work, x.Runs, x.Seconds, x.Median)
		}
		if sweep := x.Sweep; sweep != nil && (sweep.Checked != sample || sweep.Different != 0 || sweep.Variants != sweep.Cells*Tiny().Pairs) {
			t.Errorf("%s: %+v, of which %+v", x.Work, sweep, sweep.Report)
		}
	}
	if !slices.Equal(names, s.Names()) {
		t.Errorf("measured %v of %v", names, s.Names())
	}
}

// The cost of a sweep counts the rows that the engine says it computed: what is
// divided by time is work that was done, no more and no less.
func TestCostCountsWhatIsComputed(t *testing.T) {
	size := Tiny()
	recorded := int64(2 * size.Pairs * size.Tokens * size.Config.Layers) // the clean and the corrupted run
	s, err := size.load()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for _, l := range []layout{apart, demo} {
		for name, p := range map[string]prepare{"resid_pre": residPre(l), "heads": heads(l), "heads_by_pos": headsByPosition(l)} {
			task, err := p(context.Background(), s)
			if err != nil {
				t.Fatal(err)
			}
			if err := task.run(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got, want := task.sweep.Computed, task.cost.rows-recorded; got != want {
				t.Errorf("%s/%s: %d row-layers computed, and the cost has %d", name, l, got, want)
			}
		}
	}
}

// The costs of GPT-2 small's sweeps are those that were derived for a sweep
// batched by hand in another language: 29.65 GFLOP a full pass, 0.90, 1.32 and
// 10.7 TFLOP, and 0.12, 0.45 and 1.4 for pairs that share their first ten tokens.
// That sweep computes two things more: the feed-forwards behind the position of
// a head's patch in its own block, and cells that patch equal embeddings. Its
// figures leave out the last block of resid_pre, which is 5 %.
func TestCostOfGPT2Small(t *testing.T) {
	size := GPT2Small()
	a := count(size.Config)
	tera := func(c Cost) float64 { return 2 * float64(c.MultiplyAdds) * float64(size.Pairs) / 1e12 }
	var resid, heads, byPos, residDemo, headsDemo, byPosDemo Cost
	for l := range size.Config.Layers {
		for p := range size.Tokens {
			resid = resid.plus(a.residCell(l, p, size.Tokens, 0))
			residDemo = residDemo.plus(a.residCell(l, p, size.Tokens, size.Differ))
			if l == 0 && p > size.Differ {
				residDemo = residDemo.plus(a.suffix(l, p, size.Tokens))
			}
			behind := Cost{MultiplyAdds: int64(size.Tokens-1-p) * a.mlp}
			for range size.Config.Heads {
				byPos = byPos.plus(a.headCell(l, p, size.Tokens, 0, true)).plus(behind)
				if p >= size.Differ {
					byPosDemo = byPosDemo.plus(a.headCell(l, p, size.Tokens, size.Differ, true)).plus(behind)
				}
			}
		}
		for range size.Config.Heads {
			heads = heads.plus(a.headCell(l, 0, size.Tokens, 0, false))
			headsDemo = headsDemo.plus(a.headCell(l, 0, size.Tokens, size.Differ, false))
		}
	}
	for name, x := range map[string][2]float64{
		"full pass": {2 * float64(a.run(size.Pairs, size.Tokens, size.Tokens, 4).MultiplyAdds) / 1e12, 0.02965},
		"resid_pre": {tera(resid), 0.90}, "heads": {tera(heads), 1.32}, "heads by position": {tera(byPos), 10.7},
		"resid_pre, demo": {tera(residDemo), 0.12}, "heads, demo": {tera(headsDemo), 0.45}, "heads by position, demo": {tera(byPosDemo), 1.4},
	} {
		if !(math.Abs(x[0]/x[1]-1) < 0.05) {
			t.Errorf("%s: %.4f TFLOP, want %.4f within 5 %%", name, x[0], x[1])
		}
	}
}

// Pairs differ at each token, or at one only.
func TestLayouts(t *testing.T) {
	s, err := Tiny().load()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for l, want := range map[layout]string{apart: "xxxxxx", demo: "....x."} {
		clean, corrupted := s.pairs(l)
		for row := range clean.B {
			got := ""
			for i := row * clean.T; i < (row+1)*clean.T; i++ {
				got += map[bool]string{true: ".", false: "x"}[clean.IDs[i] == corrupted.IDs[i]]
			}
			if got != want {
				t.Errorf("%s: row %d differs at %s, want %s", l, row, got, want)
			}
		}
	}
}

// What sums to an attribution is what the definition says.
func TestAttribute(t *testing.T) {
	s, err := Tiny().load()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	cache := models.NewCache()
	if _, err := s.m.Run(context.Background(), s.tokens(2, 3, 1), models.Record(cache, models.All)); err != nil {
		t.Fatal(err)
	}
	x, _ := cache.Get(models.Site{Layer: 0, Kind: models.Z})
	y, _ := cache.Get(models.Site{Layer: 1, Kind: models.Z})
	d, _ := cache.Get(models.Site{Layer: 2, Kind: models.Z})
	got := attribute(x, y, d)
	for pos := range 3 {
		for head := range s.Config.Heads {
			want := 0.0
			for row := range 2 {
				for k := range s.Config.HeadWidth {
					at := []int{row, pos, head, k}
					want += float64(x.At(at...)-y.At(at...)) * float64(d.At(at...))
				}
			}
			if !(math.Abs(got[pos*s.Config.Heads+head]-want) < 1e-5) {
				t.Errorf("position %d, head %d: %g, want %g", pos, head, got[pos*s.Config.Heads+head], want)
			}
		}
	}
}

func TestRunStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r, err := New(Tiny()).Run(ctx, Options{}, func(Result) { cancel() })
	if !errors.Is(err, context.Canceled) || len(r.Results) != 1 || !strings.Contains(err.Error(), r.Results[0].Work[:4]) {
		t.Errorf("%d results and the error %v", len(r.Results), err)
	}
}
