package viz_test

import (
	"io"
	"testing"

	"orrery/viz"
)

func BenchmarkExport(b *testing.B) {
	for name, f := range map[string]*viz.Figure{"tokens 7x5": sampleTokens(), "heatmap 30x60": wideHeatmap(30, 60)} {
		for _, format := range viz.Formats {
			b.Run(name+" "+format.Name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := viz.Export(io.Discard, f, format.Name, viz.Options{}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
