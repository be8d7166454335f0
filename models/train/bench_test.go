package train

import "testing"

// One step of each shipped recipe. A step multiplies forward once and backward
// twice: 6 operations a weight of a projection and a token.
func BenchmarkStep(b *testing.B) {
	for _, recipe := range Recipes() {
		b.Run(recipe.Name, func(b *testing.B) {
			r, err := newRun(recipe, b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			tokens := recipe.Batch * len(r.learn[0].IDs)
			weights := r.params.Count() - r.params.Embed.Len()
			b.ReportAllocs()
			for b.Loop() {
				if _, _, _, err := r.step(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			flops := 6 * float64(weights) * float64(tokens) * float64(b.N)
			b.ReportMetric(flops/1e9/b.Elapsed().Seconds(), "GFLOP/s")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "steps/s")
		})
	}
}
