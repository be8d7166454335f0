package probe_test

import (
	"testing"

	"orrery/probe"
)

// BenchmarkProgress is what a slider over checkpoints asks for at each stop, at
// the size of the grokking paper: p = 113, 5 key frequencies, 512 neurons.
func BenchmarkProgress(b *testing.B) {
	const p = 113
	f, err := probe.DFT(p)
	if err != nil {
		b.Fatal(err)
	}
	logits, neurons := gaussian(p*p, p+1, 3, 1), gaussian(p*p, 512, 1, 2)
	keys := []int{14, 35, 41, 42, 52}
	b.Run("losses", func(b *testing.B) {
		for b.Loop() {
			m := must(probe.NewModularLogits(logits, p))(b)
			must(m.RestrictedLoss(keys, nil))(b)
			must(m.ExcludedLoss(keys, nil))(b)
			must(m.FitCosines(keys))(b)
		}
	})
	b.Run("clusters", func(b *testing.B) {
		for b.Loop() {
			must(probe.ClusterNeurons(f, neurons, 0.85))(b)
		}
	})
	b.Run("embedding", func(b *testing.B) {
		w := gaussian(p, 128, 1, 3)
		for b.Loop() {
			must(probe.EmbeddingSpectrum(f, w))(b)
		}
	})
}

// BenchmarkFilter builds the paper's low-pass filter for GPT-2's width.
func BenchmarkFilter(b *testing.B) {
	f, err := probe.NumberSpace(521)
	if err != nil {
		b.Fatal(err)
	}
	w := gaussian(521, 768, 1, 1)
	b.Run("build", func(b *testing.B) {
		for b.Loop() {
			must(probe.NewFilter(f, w, probe.LowPass(50)))(b)
		}
	})
	filter := must(probe.NewFilter(f, w, probe.LowPass(50)))(b)
	h := gaussian(100, 768, 1, 2)
	b.Run("apply", func(b *testing.B) {
		for b.Loop() {
			must(filter.Apply(h))(b)
		}
	})
}
