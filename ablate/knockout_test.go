package ablate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// cleanPrompts are the clean prompts of a set of pairs.
func (g golden) cleanPrompts(t *testing.T, set string) (out []ablate.Prompt) {
	t.Helper()
	for _, c := range g.contrasts(t, set) {
		out = append(out, c.Clean)
	}
	return out
}

// reference are the prompts that the reference's means are over.
func (g golden) reference(t *testing.T) (out [][]int) {
	t.Helper()
	if err := json.Unmarshal(g.prompts["reference"], &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestKnockoutGolden compares four ablations of heads, MLPs and the stream, by
// position and whole, with the reference.
func TestKnockoutGolden(t *testing.T) {
	sweeps := []ablate.PatchSweep{
		{Name: "head", Site: "attn.hook_z", Axes: []string{"layer", "head"}},
		{Name: "head_by_pos", Site: "attn.hook_z", Axes: []string{"layer", "head", "pos"}},
		{Name: "mlp", Site: "hook_mlp_out", Axes: []string{"layer"}},
		{Name: "mlp_by_pos", Site: "hook_mlp_out", Axes: []string{"layer", "pos"}},
		{Name: "position", Site: "hook_resid_pre", Axes: []string{"layer", "pos"}}, // that of layer 0
		{Name: "resid_post_by_pos", Site: "hook_resid_post", Axes: []string{"layer", "pos"}},
	}
	names := map[string]string{"logit_diff": "ld", "loss": "loss", "kl": "kl"}
	eachGolden(t, "07_knockouts.safetensors", func(t *testing.T, g golden) {
		for _, kind := range ablate.Ablations {
			opt := ablate.KnockoutOptions{Sweeps: sweeps, Kind: kind, Reference: g.reference(t), Partner: g.ints(t, "partner"), Sequence: true}
			for name := range names {
				opt.Metrics = append(opt.Metrics, metric(t, name))
			}
			k, err := ablate.Knockout(context.Background(), g.model, g.cleanPrompts(t, "pairs5"), opt, func(ablate.KnockoutCell) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			if k.Report.Checked == 0 || k.Report.Different != 0 {
				t.Errorf("report %+v", k.Report)
			}
			compareSequence(t, g, k)
			for i, m := range k.Metrics {
				modeltest.Close(t, "base "+m.Name, vector(k.Base[i]), g.read(t, "base."+names[m.Name]), plainBound, plainBound)
				for at, s := range sweeps {
					grid := k.Grids[i][at]
					if !g.has(t, string(kind)+"."+s.Name+"."+names[m.Name]) {
						continue
					}
					want := g.read(t, string(kind)+"."+s.Name+"."+names[m.Name])
					got := tensor.New(want.Shape...)
					for row := range grid.Values {
						copy(got.Sub(row).Data, vector(grid.Values[row]).Data)
					}
					modeltest.Close(t, string(kind)+" "+s.Name+" "+m.Name, got, want, plainBound, plainBound)
				}
			}
		}
	})
}

// TestMeansGolden compares the means by position that stand in for what is knocked
// out, those of the stream also with the table of means.
func TestMeansGolden(t *testing.T) {
	eachReference(t, "07_knockouts.safetensors", func(t *testing.T, g golden) {
		prompts, T := g.reference(t), len(g.reference(t)[0])
		if got := g.ints(t, "reference.tokens"); !slices.Equal(got, slices.Concat(prompts...)) {
			t.Fatalf("the prompts of the means are %v, want %v", prompts, got)
		}
		in, err := models.Rows(prompts)
		if err != nil {
			t.Fatal(err)
		}
		_, cache, err := g.model.RunWithCache(context.Background(), in, models.CacheOptions{})
		if err != nil {
			t.Fatal(err)
		}
		mean := func(name string) *tensor.Dense {
			site, err := g.model.Site(name)
			if err != nil {
				t.Fatal(err)
			}
			x, ok := cache.Get(site)
			if !ok {
				t.Fatalf("no %s", site)
			}
			sum := tensor.New(x.Shape[1:]...)
			for row := range prompts {
				for i, v := range x.Sub(row).Data {
					sum.Data[i] += v / float32(len(prompts))
				}
			}
			return sum
		}
		modeltest.Close(t, "means of the embedding", mean("blocks.0.hook_resid_pre"), g.read(t, "means.embedding_output.by_pos"), plainBound, plainBound)
		for key, name := range map[string]string{"z": "attn.hook_z", "mlp": "hook_mlp_out", "resid_post": "hook_resid_post"} {
			for l := range g.model.Config.Layers {
				modeltest.Close(t, "means of "+name, mean(fmt.Sprintf("blocks.%d.%s", l, name)), g.read(t, "means."+key+".by_pos").Sub(l), plainBound, plainBound)
			}
		}
		var contexts []ablate.Prompt
		for _, ids := range prompts {
			contexts = append(contexts, ablate.Prompt{IDs: ids, Answer: -1, Other: -1})
		}
		table, err := ablate.CAMATable(context.Background(), g.model, contexts)
		if err != nil {
			t.Fatal(err)
		}
		for pos := range T {
			place, err := table.Place("", pos)
			if err != nil {
				t.Fatal(err)
			}
			for l := range table.Layers {
				modeltest.Close(t, "the table's mean", place.Mean.Sub(l), g.read(t, "means.resid_post.by_pos").Sub(l, pos), plainBound, plainBound)
			}
		}
	})
}

// compareSequence compares the losses over whole prompts, which the reference has
// of sites whole.
func compareSequence(t *testing.T, g golden, k *ablate.Knockouts) {
	t.Helper()
	if g.has(t, "base.sequence_loss") {
		modeltest.Close(t, "base sequence loss", vector(k.BaseSequence), g.read(t, "base.sequence_loss"), plainBound, plainBound)
	}
	for _, grid := range k.Sequence {
		name := grid.Sweep.Name
		key := string(k.Kind) + "." + name + ".sequence_loss"
		if strings.HasSuffix(name, "_by_pos") || !g.has(t, key) {
			continue
		}
		want := g.read(t, key)
		got := tensor.New(want.Shape...)
		for row, values := range grid.Values { // of position, the layers behind the first are no part of it
			copy(got.Sub(row).Data, vector(values).Data)
		}
		modeltest.Close(t, key, got, want, plainBound, plainBound)
	}
}

func vector(x []float64) *tensor.Dense {
	y := tensor.New(len(x))
	for i, v := range x {
		y.Data[i] = float32(v)
	}
	return y
}

// TestKnockoutFindsThePlantedHead: of the circuit's heads, only head 0 of layer 1
// costs anything, under every ablation.
func TestKnockoutFindsThePlantedHead(t *testing.T) {
	var prompts []ablate.Prompt
	for i := range 5 {
		prompts = append(prompts, ablate.Prompt{IDs: []int{i, 1, 2, 3}, Answer: i, Other: i + 1})
	}
	for _, kind := range ablate.Ablations {
		opt := ablate.KnockoutOptions{Sweeps: []ablate.PatchSweep{{Name: "head", Site: "attn.hook_z", Axes: []string{"layer", "head"}}}, Kind: kind, Metrics: []ablate.Metric{metric(t, "margin")}}
		k, err := ablate.Knockout(context.Background(), modeltest.Copy(), prompts, opt, func(ablate.KnockoutCell) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		for c := range 4 {
			lost := ablate.Summarise(k.Base[0]).Mean - ablate.Summarise(k.Grids[0][0].Cell(c)).Mean
			if c == 2 && !(lost > 1) || c != 2 && lost != 0 {
				t.Errorf("%s of head %d.%d costs %g", kind, c/2, c%2, lost)
			}
		}
	}
}

func TestKnockoutRefuses(t *testing.T) {
	g := toy(t)
	prompts := g.cleanPrompts(t, "pairs5")
	heads := []ablate.PatchSweep{{Name: "head", Site: "attn.hook_z", Axes: []string{"layer", "head"}}}
	pattern := []ablate.PatchSweep{{Name: "pattern", Site: "attn.hook_pattern", Axes: []string{"layer", "head"}}}
	prob := []ablate.Metric{metric(t, "prob")}
	short := []ablate.Prompt{{IDs: []int{1}, Answer: 1, Other: -1}}
	alone := []ablate.Prompt{{IDs: []int{1, 2, 3, 4, 5}, Answer: 1, Other: -1}}
	for _, test := range []struct {
		name    string
		prompts []ablate.Prompt
		opt     ablate.KnockoutOptions
		want    string
	}{
		{"no prompts", nil, ablate.KnockoutOptions{Sweeps: heads, Kind: ablate.Zero, Metrics: prob}, "no prompts"},
		{"no metrics", prompts, ablate.KnockoutOptions{Sweeps: heads, Kind: ablate.Zero}, "no metrics"},
		{"no sweeps", prompts, ablate.KnockoutOptions{Kind: ablate.Zero, Metrics: prob}, "no sweeps"},
		{"unknown ablation", prompts, ablate.KnockoutOptions{Sweeps: heads, Kind: "noise", Metrics: prob}, `"noise"`},
		{"one prompt to resample", alone, ablate.KnockoutOptions{Sweeps: heads, Kind: ablate.Resample, Metrics: prob}, "only one"},
		{"partner outside", prompts, ablate.KnockoutOptions{Sweeps: heads, Kind: ablate.Resample, Metrics: prob, Partner: []int{0, 1, 2, 3, 4, 5, 6, 8}}, "partner 8"},
		{"reference of another length", prompts, ablate.KnockoutOptions{Sweeps: heads, Kind: ablate.MeanAll, Metrics: prob, Reference: [][]int{{1, 2}}}, "2 tokens"},
		{"mean of patterns", prompts, ablate.KnockoutOptions{Sweeps: pattern, Kind: ablate.MeanAll, Metrics: prob}, "mean_by_pos"},
		{"no next token", short, ablate.KnockoutOptions{Sweeps: heads, Kind: ablate.Zero, Metrics: prob, Sequence: true}, "no next token"},
		{"no other answer", alone, ablate.KnockoutOptions{Sweeps: heads, Kind: ablate.Zero, Metrics: []ablate.Metric{metric(t, "logit_diff")}}, "no other"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ablate.Knockout(context.Background(), g.model, test.prompts, test.opt, func(ablate.KnockoutCell) error { return nil })
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v does not say %q", err, test.want)
			}
		})
	}
}

// TestKnockoutNull: among prompts that are all one, what another prompt has there
// is what was there, and their mean is that but for rounding: nothing is lost, and
// random heads lose as much as those of any order.
func TestKnockoutNull(t *testing.T) {
	g := toy(t)
	one := g.cleanPrompts(t, "pairs5")[0]
	prompts := []ablate.Prompt{one, one, one, one}
	bound := map[ablate.Ablation]float64{ablate.Resample: 0, ablate.MeanByPos: 1e-5}
	for kind, most := range bound {
		c, err := ablate.KnockoutCurve(context.Background(), g.model, prompts, ablate.KnockoutCurveOptions{Order: partsOf(t, g.model, ablate.HeadPart), Kind: kind, Metric: metric(t, "logit_diff")})
		if err != nil {
			t.Fatal(err)
		}
		for _, curve := range append(c.Random, c.Ranked) {
			for k, s := range curve.Means() {
				if !(math.Abs(s.Mean-curve.Means()[0].Mean) <= most) {
					t.Errorf("%s of %d heads changes the metric from %g to %g", kind, k, curve.Means()[0].Mean, s.Mean)
				}
			}
		}
	}
}
