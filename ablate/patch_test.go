package ablate_test

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

func metric(t *testing.T, name string) ablate.Metric {
	t.Helper()
	m, err := ablate.MetricByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func quiet(ablate.PatchCell) error { return nil }

// goldenSweeps are the reference's names of the sweeps.
var goldenSweeps = map[string]string{
	"resid_pre": "resid_pre", "resid_mid": "resid_mid", "attn_out": "attn_out", "mlp_out": "mlp_out",
	"attn_head_out_by_pos": "head_z_by_pos", "attn_head_q_by_pos": "head_q_by_pos", "attn_head_k_by_pos": "head_k_by_pos", "attn_head_v_by_pos": "head_v_by_pos",
	"attn_head_out_all_pos": "head_z_all_pos", "attn_head_q_all_pos": "head_q_all_pos", "attn_head_k_all_pos": "head_k_all_pos", "attn_head_v_all_pos": "head_v_all_pos",
	"attn_head_pattern_all_pos": "head_pattern_all_pos", "attn_head_pattern_by_pos": "head_pattern_by_pos", "attn_head_pattern_dest_src_pos": "head_pattern_dest_src",
}

// TestPatchGolden compares every function of transformer_lens.patching, in both
// directions, raw, normalised and as a ratio of means, on pairs of 5 and of 9
// tokens.
func TestPatchGolden(t *testing.T) {
	eachGolden(t, "01_patching.safetensors", func(t *testing.T, g golden) {
		for set, name := range map[string]string{"t5": "pairs5", "t9": "pairs9"} {
			if _, ok := g.values.Info(set + ".ld_clean"); !ok {
				continue // the part in testdata has one set
			}
			for _, direction := range []ablate.Direction{ablate.Denoise, ablate.Noise} {
				var sweeps []ablate.PatchSweep
				for _, s := range ablate.PatchSweeps() {
					if _, ok := g.values.Info(set + "." + string(direction) + "." + goldenSweeps[s.Name] + ".raw"); ok {
						sweeps = append(sweeps, s)
					}
				}
				if len(sweeps) < 14 {
					t.Fatalf("the reference has %d sweeps", len(sweeps))
				}
				p, err := ablate.Patch(context.Background(), g.model, g.contrasts(t, name), ablate.PatchOptions{Sweeps: sweeps, Direction: direction, Metric: metric(t, "logit_diff")}, quiet)
				if err != nil {
					t.Fatal(err)
				}
				if p.OwnError != 0 || p.SourceError != 0 || p.Report.Checked == 0 || p.Report.Different != 0 {
					t.Errorf("own value %g, whole stream %g, report %+v", p.OwnError, p.SourceError, p.Report)
				}
				base, source := set+".ld_corrupted", set+".ld_clean"
				if direction == ablate.Noise {
					base, source = source, base
				}
				modeltest.Close(t, base, vector(p.Base), g.read(t, base), plainBound, plainBound)
				modeltest.Close(t, source, vector(p.Source), g.read(t, source), plainBound, plainBound)
				for i := range p.Grids {
					g.checkGrid(t, p, &p.Grids[i], set+"."+string(direction)+"."+goldenSweeps[p.Grids[i].Sweep.Name])
				}
				g.checkEvery(t, p, set+"."+string(direction))
			}
		}
	})
}

// checkGrid compares one sweep. The reference has a pattern's head before its
// destination.
func (g golden) checkGrid(t *testing.T, p *ablate.Patching, grid *ablate.PatchGrid, key string) {
	t.Helper()
	shape := append([]int{len(grid.Values)}, grid.Shape...)
	raw, norm, ratio := tensor.New(shape...), tensor.New(shape...), tensor.New(grid.Shape...)
	for c := range grid.Cells() {
		for i := range grid.Values {
			v, err := p.NormalisedPair(i, grid.Values[i][c])
			if err != nil {
				t.Fatal(err)
			}
			raw.Data[i*grid.Cells()+c], norm.Data[i*grid.Cells()+c] = float32(grid.Values[i][c]), float32(v)
		}
		v, err := p.Normalised(grid.Cell(c))
		if err != nil {
			t.Fatal(err)
		}
		ratio.Data[c] = float32(v)
	}
	want := map[string]*tensor.Dense{"raw": g.read(t, key+".raw"), "norm": g.read(t, key+".norm"), "ratio_of_means": g.read(t, key+".ratio_of_means")}
	if grid.Sweep.Name == "attn_head_pattern_by_pos" {
		for name, x := range want {
			want[name] = swapLast(x)
		}
	}
	modeltest.Close(t, key+".raw", raw, want["raw"], plainBound, plainBound)
	modeltest.Close(t, key+".norm", norm, want["norm"], ratioBound, ratioBound)
	modeltest.Close(t, key+".ratio_of_means", ratio, want["ratio_of_means"], ratioBound, ratioBound)
}

// checkEvery compares the stacked helpers, whose keys and values are padded with
// zeros to all heads.
func (g golden) checkEvery(t *testing.T, p *ablate.Patching, prefix string) {
	t.Helper()
	for name, key := range map[string]string{"block_every": "block_every", "attn_head_all_pos_every": "head_all_pos_every", "attn_head_by_pos_every": "head_by_pos_every"} {
		members, err := ablate.PatchSweepsByName(name)
		if err != nil {
			t.Fatal(err)
		}
		want := g.read(t, prefix+"."+key+".mean_raw")
		for i, member := range members {
			for at := range p.Grids {
				grid := &p.Grids[at]
				if grid.Sweep.Name != member.Name {
					continue
				}
				last := grid.Shape[len(grid.Shape)-1]
				got := tensor.New(want.Shape[1:]...)
				for c := range grid.Cells() {
					got.Data[c/last*got.Dim(-1)+c%last] = float32(ablate.Summarise(grid.Cell(c)).Mean)
				}
				modeltest.Close(t, prefix+"."+key+" "+member.Name, got, want.Sub(i), plainBound, plainBound)
			}
		}
	}
}

// swapLast exchanges the last two axes.
func swapLast(x *tensor.Dense) *tensor.Dense {
	n := x.Rank()
	a, b := x.Dim(n-2), x.Dim(n-1)
	shape := append([]int(nil), x.Shape...)
	shape[n-2], shape[n-1] = b, a
	y := tensor.New(shape...)
	for i, v := range x.Data {
		block, r, c := i/(a*b), i/b%a, i%b
		y.Data[block*a*b+c*a+r] = v
	}
	return y
}

// copyContrasts are prompts of the circuit that is set by hand: only the first
// token decides.
func copyContrasts() (out []ablate.Contrast) {
	for i := range 4 {
		out = append(out, ablate.Contrast{
			Clean:     ablate.Prompt{IDs: []int{i, 1, 2, 3}, Answer: i},
			Corrupted: ablate.Prompt{IDs: []int{i + 1, 1, 2, 3}, Answer: i + 1},
		})
	}
	return out
}

// TestPatchFindsThePlantedHead: in the circuit, head 0 of layer 1 moves the first
// token to the last position, and nothing else does anything.
func TestPatchFindsThePlantedHead(t *testing.T) {
	for _, direction := range []ablate.Direction{ablate.Denoise, ablate.Noise} {
		var sweeps []ablate.PatchSweep
		for _, name := range []string{"attn_head_out_by_pos", "resid_pre", "mlp_out"} {
			s, err := ablate.PatchSweepsByName(name)
			if err != nil {
				t.Fatal(err)
			}
			sweeps = append(sweeps, s...)
		}
		p, err := ablate.Patch(context.Background(), modeltest.Copy(), copyContrasts(), ablate.PatchOptions{Sweeps: sweeps, Direction: direction, Metric: metric(t, "logit_diff")}, quiet)
		if err != nil {
			t.Fatal(err)
		}
		for at := range p.Grids {
			g := &p.Grids[at]
			for c := range g.Cells() {
				v, err := p.Normalised(g.Cell(c))
				if err != nil {
					t.Fatal(err)
				}
				want := 0.0
				layer, pos := c/(g.Cells()/2), c/(g.Cells()/8)%4
				if at == 0 && layer == 1 && pos == 3 && c%2 == 0 || at == 1 && pos == 0 {
					want = 1
				}
				if !(math.Abs(v-want) <= 1e-5) {
					t.Errorf("%s %s layer %d position %d: %g, want %g", direction, g.Sweep.Name, layer, pos, v, want)
				}
			}
		}
	}
}

// TestPatchNull: where both prompts are the same, every run is the base run to
// the bit, and a normalised effect is refused.
func TestPatchNull(t *testing.T) {
	g := toy(t)
	c := g.contrasts(t, "pairs5")[0]
	c.Corrupted.IDs = c.Clean.IDs
	sweeps, err := ablate.PatchSweepsByName("block_every")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ablate.Patch(context.Background(), g.model, []ablate.Contrast{c}, ablate.PatchOptions{Sweeps: sweeps, Metric: metric(t, "logit_diff")}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if p.Report.Same != p.Report.Variants {
		t.Errorf("%d of %d runs are the base run", p.Report.Same, p.Report.Variants)
	}
	if v, err := p.Normalised(p.Grids[0].Cell(0)); err == nil || !strings.Contains(err.Error(), "nothing to divide by") {
		t.Errorf("a normalised effect of nothing is %g, %v", v, err)
	}
}

// TestPatchWindow: a window of three layers replaces more than one layer.
func TestPatchWindow(t *testing.T) {
	g := toy(t)
	sweep := ablate.PatchSweep{Name: "mlp_out of all positions", Site: "hook_mlp_out", Axes: []string{"layer"}}
	run := func(window int) *ablate.Patching {
		p, err := ablate.Patch(context.Background(), g.model, g.contrasts(t, "pairs5"), ablate.PatchOptions{Sweeps: []ablate.PatchSweep{sweep}, Metric: metric(t, "logit_diff"), Window: window}, quiet)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	three, one := run(3), run(1)
	if three.Window != 3 || one.Window != 1 {
		t.Errorf("windows %d and %d", three.Window, one.Window)
	}
	if a, b := three.Grids[0].Cell(1)[0], one.Grids[0].Cell(1)[0]; a == b {
		t.Error("a window of three layers does what one layer does")
	}
}

// TestPatchInParts: a sweep that is written down in small parts gives the same
// numbers to the bit.
func TestPatchInParts(t *testing.T) {
	g := toy(t)
	sweeps, err := ablate.PatchSweepsByName("block_every")
	if err != nil {
		t.Fatal(err)
	}
	run := func(budget ablate.Budget) *ablate.Patching {
		emitted := 0
		p, err := ablate.Patch(context.Background(), g.model, g.contrasts(t, "pairs5"), ablate.PatchOptions{Sweeps: sweeps, Metric: metric(t, "prob"), Budget: budget}, func(ablate.PatchCell) error {
			emitted++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if emitted != 45 || p.Report.Variants != 360 || p.Report.Checked != 9 {
			t.Errorf("%d cells, report %+v", emitted, p.Report)
		}
		return p
	}
	whole, parts := run(ablate.Budget{Check: 9}), run(ablate.Budget{Check: 9, Variants: 30})
	if !reflect.DeepEqual(whole.Grids, parts.Grids) || parts.Report.Chunks <= whole.Report.Chunks {
		t.Errorf("in %d chunks instead of %d the numbers differ", parts.Report.Chunks, whole.Report.Chunks)
	}
}

func TestPatchStops(t *testing.T) {
	g := toy(t)
	ctx, cancel := context.WithCancel(context.Background())
	sweeps, err := ablate.PatchSweepsByName("resid_pre")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	p, err := ablate.Patch(ctx, g.model, g.contrasts(t, "pairs5"), ablate.PatchOptions{Sweeps: sweeps, Metric: metric(t, "prob")}, func(ablate.PatchCell) error {
		if n++; n == 3 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || p == nil {
		t.Fatalf("cancelled: %v, %v", p, err)
	}
	done := 0
	for c := range p.Grids[0].Cells() {
		if v := ablate.Summarise(p.Grids[0].Cell(c)).Mean; v == v {
			done++
		}
	}
	if done != 3 {
		t.Errorf("%d cells are there, want the 3 that were emitted", done)
	}
}

func TestPatchRefuses(t *testing.T) {
	g := toy(t)
	pairs := g.contrasts(t, "pairs5")
	fixed := g.contrasts(t, "pairs_fixed")
	resid, err := ablate.PatchSweepsByName("resid_pre")
	if err != nil {
		t.Fatal(err)
	}
	own := func(site string, axes ...string) []ablate.PatchSweep {
		return []ablate.PatchSweep{{Name: "own", Site: site, Axes: axes}}
	}
	ld := metric(t, "logit_diff")
	for _, test := range []struct {
		name  string
		pairs []ablate.Contrast
		opt   ablate.PatchOptions
		want  string
	}{
		{"no pairs", nil, ablate.PatchOptions{Sweeps: resid, Metric: ld}, "no pairs"},
		{"no sweeps", pairs, ablate.PatchOptions{Metric: ld}, "no sweeps"},
		{"direction", pairs, ablate.PatchOptions{Sweeps: resid, Metric: ld, Direction: "noising"}, `"noising"`},
		{"equal answers", fixed, ablate.PatchOptions{Sweeps: resid, Metric: ld}, "both are token"},
		{"no metric", pairs, ablate.PatchOptions{Sweeps: resid}, "no function"},
		{"window", pairs, ablate.PatchOptions{Sweeps: resid, Metric: ld, Window: 9}, "9 layers"},
		{"site", pairs, ablate.PatchOptions{Sweeps: own("hook_resid", "layer"), Metric: ld}, "hook_resid"},
		{"axis", pairs, ablate.PatchOptions{Sweeps: own("hook_mlp_out", "layer", "head"), Metric: ld}, `no axis "head"`},
		{"first axis", pairs, ablate.PatchOptions{Sweeps: own("hook_mlp_out", "pos"), Metric: ld}, "first axis"},
		{"axis twice", pairs, ablate.PatchOptions{Sweeps: own("hook_mlp_out", "layer", "pos", "pos"), Metric: ld}, "twice"},
		{"unequal length", []ablate.Contrast{{Clean: ablate.Prompt{IDs: []int{1, 2}}, Corrupted: ablate.Prompt{IDs: []int{1}}}}, ablate.PatchOptions{Sweeps: resid, Metric: ld}, "same length"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := ablate.Patch(context.Background(), g.model, test.pairs, test.opt, quiet); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v does not say %q", err, test.want)
			}
		})
	}
	if _, err := ablate.PatchSweepsByName("resid_pr"); err == nil || !strings.Contains(err.Error(), "one of resid_pre") {
		t.Errorf("unknown sweep: %v", err)
	}
}
