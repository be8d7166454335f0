package ablate_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// clockPrompts are sums below 100 of the adder set by hand.
func clockPrompts(n int) (out []ablate.Prompt) {
	for i := range n {
		a, b := (7*i+3)%50, (11*i+20)%50
		out = append(out, ablate.Prompt{IDs: []int{0, modeltest.ClockFirst + a, 1, modeltest.ClockFirst + b, 3}, Answer: modeltest.ClockFirst + a + b, Other: -1, Operands: []int{a, b}})
	}
	return out
}

// neuronsOf lists the neurons of a layer.
func neuronsOf(m *models.Model, layer int) (out []ablate.Node) {
	for i := range m.Config.MLPWidth {
		out = append(out, ablate.Node{Part: ablate.NeuronPart, Layer: layer, Index: i})
	}
	return out
}

// TestKeepNeurons: the clock's products stand in layer 1 alone. All of them kept is
// the model as it is, none of them is a guess, and as many of the other layers keep
// nothing.
func TestKeepNeurons(t *testing.T) {
	m := modeltest.Clock()
	accuracy, err := ablate.MetricByName("accuracy")
	if err != nil {
		t.Fatal(err)
	}
	logit, err := ablate.MetricByName("logit")
	if err != nil {
		t.Fatal(err)
	}
	prompts := clockPrompts(12)
	order := neuronsOf(m, 1)
	keep := func(opt ablate.KeepOptions) *ablate.KeepCurves {
		t.Helper()
		opt.Metrics, opt.Seed = []ablate.Metric{accuracy, logit}, 3
		c, err := ablate.KeepNeurons(context.Background(), m, prompts, opt)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	told := map[[2]int]int{}
	c := keep(ablate.KeepOptions{Order: order, Emit: func(_ *ablate.KeepCurves, curve ablate.KeepCurve, size int) error {
		told[[2]int{int(curve), size}]++
		return nil
	}})
	for k, n := range told {
		if n != 1 {
			t.Errorf("curve %d, size %d is told %d times", k[0], k[1], n)
		}
	}
	if len(told) != 7*(1+ablate.MinDraws) {
		t.Errorf("%d points are told", len(told))
	}
	if !slices.Equal(c.Sizes, []int{0, 1, 2, 4, 8, 16, 32}) || c.Fitted != nil || len(c.Random) != ablate.MinDraws || c.Reference != 12 {
		t.Fatalf("sizes %v, %d draws, means over %d", c.Sizes, len(c.Random), c.Reference)
	}
	mean := func(v []float64) float64 { return ablate.Summarise(v).Mean }
	if first, last := mean(c.Own[0][0]), mean(c.Own[6][0]); mean(c.Base[0]) != 1 || last != 1 || !(first < 0.3) {
		t.Errorf("accuracy %g with none kept, %g with all", first, last)
	}
	for row, want := range c.Base[1] {
		if got := c.Own[6][1][row]; !(math.Abs(got-want) <= 1e-3*math.Abs(want)) {
			t.Errorf("prompt %d: logit %g with all of layer 1 kept, %g without edits", row, got, want)
		}
	}
	for d, draw := range c.Random {
		if got := mean(draw[6][0]); !(got < 1) {
			t.Errorf("draw %d: 32 neurons of any layer answer as layer 1 does, %g", d, got)
		}
		if d > 0 && slices.Equal(draw[5][1], c.Random[d-1][5][1]) {
			t.Errorf("draws %d and %d are one", d-1, d)
		}
		for row, want := range c.Own[0][1] {
			if draw[0][1][row] != want {
				t.Error("keeping none depends on the draw")
			}
		}
	}
	if c := keep(ablate.KeepOptions{Order: neuronsOf(m, 0), Sizes: []int{32}}); !(mean(c.Own[0][0]) < 0.3) {
		t.Errorf("layer 0 alone answers %g", mean(c.Own[0][0]))
	}
	if c.Report.Checked == 0 || c.Report.Different != 0 {
		t.Errorf("report %+v", c.Report)
	}
}

// TestKeepNeuronsByHand compares one set, with fits, with a full run under hooks.
func TestKeepNeuronsByHand(t *testing.T) {
	m := modeltest.Llama(3)
	logit, err := ablate.MetricByName("logit")
	if err != nil {
		t.Fatal(err)
	}
	prompts := []ablate.Prompt{{IDs: []int{1, 5, 2, 7}, Answer: 3, Other: -1}, {IDs: []int{4, 4, 9, 0}, Answer: 2, Other: -1}}
	order := []ablate.Node{{Part: ablate.NeuronPart, Layer: 1, Index: 2}, {Part: ablate.NeuronPart, Layer: 0, Index: 5}, {Part: ablate.NeuronPart, Layer: 1, Index: 0}}
	nan := float32(math.NaN())
	fits := [][]float32{{0.3, -0.2, nan}, {-0.4, 0.1, nan}}
	c, err := ablate.KeepNeurons(context.Background(), m, prompts, ablate.KeepOptions{Order: order, Sizes: []int{3}, Metrics: []ablate.Metric{logit}, Fits: fits})
	if err != nil {
		t.Fatal(err)
	}
	cache := models.NewCache()
	in, err := models.Rows([][]int{prompts[0].IDs, prompts[1].IDs})
	if err != nil {
		t.Fatal(err)
	}
	post := func(l int) models.Site { return models.Site{Layer: l, Kind: models.Post} }
	if _, err := m.Run(context.Background(), in, models.Record(cache, models.Sites(post(0), post(1)))); err != nil {
		t.Fatal(err)
	}
	kept := [2]map[int]bool{{5: true}, {2: true, 0: true}}
	means := models.Hook{Sites: models.Sites(post(0), post(1)), Fn: func(at models.Site, x *tensor.Dense) error {
		plain, _ := cache.Get(at)
		for b := range x.Dim(0) {
			for i := range x.Dim(2) {
				if !kept[at.Layer][i] {
					x.Set((plain.At(0, 3, i)+plain.At(1, 3, i))/2, b, 3, i)
				}
			}
		}
		return nil
	}}
	pre := models.Hook{Sites: models.Sites(models.Site{Layer: 0, Kind: models.Pre}, models.Site{Layer: 1, Kind: models.Pre}), Fn: func(at models.Site, x *tensor.Dense) error {
		for b := range x.Dim(0) {
			for i, n := range order[:2] {
				if n.Layer == at.Layer {
					x.Set(fits[b][i], b, 3, n.Index)
				}
			}
		}
		return nil
	}}
	for name, v := range map[string]struct {
		hooks []models.Hook
		got   []float64
	}{"own": {[]models.Hook{means}, c.Own[0][0]}, "fitted": {[]models.Hook{pre, means}, c.Fitted[0][0]}} {
		out, err := m.Run(context.Background(), in, v.hooks...)
		if err != nil {
			t.Fatal(err)
		}
		for row, p := range prompts {
			if want := float64(out.Logits.At(row, 3, p.Answer)); !(math.Abs(v.got[row]-want) < 1e-5) {
				t.Errorf("%s, prompt %d: %g, by hand %g", name, row, v.got[row], want)
			}
		}
	}
	if c.Own[0][0][0] == c.Fitted[0][0][0] || c.Own[0][0][0] == c.Base[0][0] {
		t.Error("fits or means change nothing")
	}
}

func TestKeepNeuronsRefuses(t *testing.T) {
	m := modeltest.Llama(3)
	logit, err := ablate.MetricByName("logit")
	if err != nil {
		t.Fatal(err)
	}
	prompts := []ablate.Prompt{{IDs: []int{1, 5}, Answer: 3, Other: -1}}
	one := []ablate.Node{{Part: ablate.NeuronPart}}
	for name, test := range map[string]struct {
		opt  ablate.KeepOptions
		says string
	}{
		"no neurons":       {ablate.KeepOptions{}, "no components"},
		"a head":           {ablate.KeepOptions{Order: []ablate.Node{{Part: ablate.HeadPart}}}, "head 0.0 is no neuron"},
		"a neuron twice":   {ablate.KeepOptions{Order: append(one, one...)}, "listed twice"},
		"too many":         {ablate.KeepOptions{Order: one, Sizes: []int{2}}, "sizes [2] of 1 neurons"},
		"sizes downwards":  {ablate.KeepOptions{Order: one, Sizes: []int{1, 0}}, "ascending"},
		"few draws":        {ablate.KeepOptions{Order: one, Draws: 2}, "no band"},
		"fits of others":   {ablate.KeepOptions{Order: one, Fits: [][]float32{{1}, {2}}}, "2 rows of fits for 1 prompts"},
		"fits of too many": {ablate.KeepOptions{Order: one, Fits: [][]float32{{1, 2}}}, "are of 2 neurons"},
		"an infinite fit":  {ablate.KeepOptions{Order: one, Fits: [][]float32{{float32(math.Inf(1))}}}, "is +Inf"},
	} {
		test.opt.Metrics = []ablate.Metric{logit}
		if _, err := ablate.KeepNeurons(context.Background(), m, prompts, test.opt); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
}
