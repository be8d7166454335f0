package analysis_test

import (
	"math"
	"strings"
	"testing"

	"orrery/server/analysis"
	"orrery/viz"
)

// TestPatchingOfAPair: before the prompts differ nothing can matter, and the
// stream behind the last block is the whole answer at the last position.
func TestPatchingOfAPair(t *testing.T) {
	for _, direction := range []string{"denoise", "noise"} {
		fig, _ := run(t, "activation_patching", analysis.Args{"m": mental(t), "clean": "34+57=", "corrupted": "34+12=", "sweep": "resid_post", "direction": direction})
		a := fig.Arrays["resid_post"]
		layers, T := a.Shape[0], a.Shape[1]
		for l := range layers {
			for pos := range T {
				v, state := a.At(l*T + pos)
				if state != viz.Done {
					t.Fatalf("%s: layer %d position %d is not there", direction, l, pos)
				}
				want := math.NaN()
				switch {
				case pos < 3:
					want = 0
				case l == layers-1:
					want = float64(pos / (T - 1))
				}
				if want == want && !(math.Abs(float64(v)-want) <= 1e-6) {
					t.Errorf("%s: layer %d position %d: %g, want %g", direction, l, pos, v, want)
				}
			}
		}
		s := fig.Scales["effect"]
		if s.Kind != viz.ScaleDiverging || s.Lo != -s.Hi {
			t.Errorf("scale %+v is not centred at 0", s)
		}
		if labels := fig.Heatmap.Panels[0].Columns.Labels; labels[3] != map[string]string{"denoise": "12←57", "noise": "57←12"}[direction] {
			t.Errorf("%s: columns %v", direction, labels)
		}
		if !strings.Contains(fig.Subtitle, direction[:4]) || !strings.Contains(fig.Caption, "equal to the bit") {
			t.Errorf("subtitle %q, caption %q", fig.Subtitle, fig.Caption)
		}
	}
}

// TestPatchingOfASet runs every sweep on prompts of a template.
func TestPatchingOfASet(t *testing.T) {
	m := mental(t)
	for _, sweep := range []string{"block_every", "attn_head_by_pos_every", "attn_head_all_pos_every", "attn_head_pattern_dest_src_pos"} {
		t.Run(sweep, func(t *testing.T) {
			fig, s := run(t, "activation_patching", analysis.Args{"m": m, "sweep": sweep, "n": 6, "hi": 20, "change": "operand", "window": 2})
			if err := fig.Validate(); err != nil {
				t.Fatal(err)
			}
			cells := 0
			for _, p := range fig.Heatmap.Panels {
				for _, name := range []string{p.Values, p.Errors} {
					a := fig.Arrays[name]
					for i := range a.Data {
						if v, state := a.At(i); state != viz.Done || v != v {
							t.Fatalf("%s[%d] is %g (%v)", name, i, v, state)
						}
					}
				}
				cells += len(fig.Arrays[p.Values].Data)
			}
			if cells != s.parts {
				t.Errorf("%d cells and %d parts", cells, s.parts)
			}
			if fig.Provenance.Seed == nil || *fig.Provenance.Seed != 1 || !strings.Contains(fig.Subtitle, "n = ") || !strings.Contains(fig.Subtitle, "windows of 2 layers") {
				t.Errorf("subtitle %q, seed %v", fig.Subtitle, fig.Provenance.Seed)
			}
		})
	}
}

// TestNormalisedPatching: a normalised cell is the raw one over one and the same
// number, and where nothing changes both are 0 without an error.
func TestNormalisedPatching(t *testing.T) {
	m := mental(t)
	args := func(normalise bool) analysis.Args {
		return analysis.Args{"m": m, "sweep": "attn_out", "n": 8, "normalise": normalise}
	}
	norm, _ := run(t, "activation_patching", args(true))
	raw, _ := run(t, "activation_patching", args(false))
	whole := math.NaN()
	x, y, xs, ys := norm.Arrays["attn_out"].Data, raw.Arrays["attn_out"].Data, norm.Arrays["attn_out_sem"].Data, raw.Arrays["attn_out_sem"].Data
	for i := range x {
		if x[i] == 0 {
			if y[i] != 0 || xs[i] != 0 || ys[i] != 0 {
				t.Errorf("cell %d: %g ± %g, raw %g ± %g", i, x[i], xs[i], y[i], ys[i])
			}
			continue
		}
		if whole != whole {
			whole = float64(y[i] / x[i])
		}
		if want := whole * float64(x[i]); !(math.Abs(float64(y[i])-want) <= 1e-4*(1+math.Abs(want))) {
			t.Errorf("cell %d: raw %g, normalised %g, and their ratio is to be %g", i, y[i], x[i], whole)
		}
	}
	if !(whole > 1) || x[0] != 0 {
		t.Errorf("the runs differ by %g, and the first token's output changes %g", whole, x[0])
	}
}
