package probe_test

import (
	"context"
	"math"
	"strconv"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/zoo"
	"orrery/probe"
)

// TestModularCircuitGolden: the heads' frequencies and shares of the reference's
// adder are those that NumPy found, through the engine in float32.
func TestModularCircuitGolden(t *testing.T) {
	m := ribModel(t)
	a, err := probe.FindModularAdder(m)
	if err != nil {
		t.Fatal(err)
	}
	var want progressGolden
	g := probesCase(t, "03-progress", "rib_progress", &want)
	opt := probe.GrokOptions{Keys: want.WE.Keys, Train: g.ints("in.subset"), Threshold: 0.85}
	frame, err := probe.MeasureGrok(context.Background(), m, a, opt)
	if err != nil {
		t.Fatal(err)
	}
	c, err := probe.MeasureCircuit(context.Background(), m, a, frame, opt, 1)
	if err != nil {
		t.Fatal(err)
	}
	heads := want.Attention.([]any)
	if len(c.Heads) != len(heads) {
		t.Fatalf("%d heads, want %d", len(c.Heads), len(heads))
	}
	for i, entry := range heads {
		w, got := entry.(map[string]any), c.Heads[i]
		within(t, "share of head "+strconv.Itoa(i), got.Share, w["fve"].(float64), 0, 1e-4)
		within(t, "variance of head "+strconv.Itoa(i), got.Variance, w["score_difference_variance"].(float64), 0, 1e-4)
		if float64(got.Frequency) != w["freq"] {
			t.Errorf("head %d follows %d, want %v", i, got.Frequency, w["freq"])
		}
	}
	within(t, "restricted loss", c.Part(probe.SumWavesOnly).All, want.Restricted["W_E"].All, 1e-7, 1e-4)
	within(t, "excluded loss", c.Part(probe.WithoutSumWaves).All, want.Excluded["W_E"].All, 1e-7, 1e-4)
	in := 0
	for _, n := range want.Neurons.Clusters {
		in += n
	}
	if c.Neurons != in {
		t.Errorf("%d neurons are replaced, want %d", c.Neurons, in)
	}
}

// TestModularCircuitOfAGrokkedNetwork: what the paper finds of its network holds of
// ours as an order: the algorithm's parts keep the loss small, as many random
// directions and the parts left out do not; all of one network at once is the network.
func TestModularCircuitOfAGrokkedNetwork(t *testing.T) {
	m, err := zoo.Open("modadd-59-clock")
	if err != nil {
		t.Fatal(err)
	}
	a, err := probe.FindModularAdder(m)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := probe.DFT(a.P)
	w, err := a.Embedding(m)
	if err != nil {
		t.Fatal(err)
	}
	s, err := probe.EmbeddingSpectrum(f, w)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := s.KeysByFrequency(0.25)
	if err != nil {
		t.Fatal(err)
	}
	opt := probe.GrokOptions{Keys: keys, Threshold: 0.85}
	frame, err := probe.MeasureGrok(context.Background(), m, a, opt)
	if err != nil {
		t.Fatal(err)
	}
	c, err := probe.MeasureCircuit(context.Background(), m, a, frame, opt, 1)
	if err != nil {
		t.Fatal(err)
	}
	guess := math.Log(float64(a.P))
	for _, part := range []probe.ReplacedPart{probe.SumWavesOnly, probe.ProductsOnly, probe.ReadoutOnly, probe.QuadraticNeurons} {
		if l := c.Part(part).All; !(l < guess/20) {
			t.Errorf("%s: a loss of %g", part, l)
		}
	}
	for _, part := range []probe.ReplacedPart{probe.RandomReadoutOnly, probe.WithoutReadout, probe.WithoutSumWaves} {
		if l := c.Part(part).All; !(l > guess/2) {
			t.Errorf("%s: a loss of %g", part, l)
		}
	}
	if len(c.Readout) != 2*len(keys) || !(c.ReadoutShare > 0.5 && c.ReadoutShare <= 1) || c.Part(probe.WholeNetwork) != frame.Loss {
		t.Errorf("%d directions that hold %g of the read-out, loss %v", len(c.Readout), c.ReadoutShare, c.Part(probe.WholeNetwork))
	}
	for _, r := range c.Readout {
		if !(r.Share > 0.3 && r.Share <= 1) {
			t.Errorf("direction %+v", r)
		}
	}
	// With every frequency as a key the directions hold all waves of the read-out but
	// its constant, which no softmax sees: nothing is lost.
	opt.Keys = nil
	for k := 1; k <= (a.P-1)/2; k++ {
		opt.Keys = append(opt.Keys, k)
	}
	if frame, err = probe.MeasureGrok(context.Background(), m, a, opt); err != nil {
		t.Fatal(err)
	}
	if c, err = probe.MeasureCircuit(context.Background(), m, a, frame, opt, 1); err != nil {
		t.Fatal(err)
	}
	within(t, "loss on every wave's directions", c.Part(probe.ReadoutOnly).All, frame.Loss.All, 1e-9, 1e-6)
	even := modeltest.Random("untrained", m.Config, 2)
	even.Tokenizer = m.Tokenizer
	normed := m.Config
	normed.Norm, normed.NormEps = models.LayerNorm, 1e-5
	other := modeltest.Random("normed", normed, 2)
	other.Tokenizer = m.Tokenizer
	if _, err := probe.MeasureCircuit(context.Background(), other, a, frame, opt, 1); err == nil || !strings.Contains(err.Error(), "final norm") {
		t.Errorf("a final norm: %v", err)
	}
	opt.Keys = nil
	if _, err := probe.MeasureCircuit(context.Background(), even, a, frame, opt, 1); err == nil || !strings.Contains(err.Error(), "no key") {
		t.Errorf("no keys: %v", err)
	}
}
