package analysis_test

import (
	"testing"

	"orrery/models/zoo"
	"orrery/server/analysis"
	"orrery/viz"
)

// nobody listens.
var nobody = analysis.Emit{Progress: func(int, int, string) {}, Figure: func(*viz.Figure) {}, Part: func(viz.Part) {}}

// BenchmarkFourier is the calls of the gallery's three notebooks; "every sweep
// below 10 s" is about these.
func BenchmarkFourier(b *testing.B) {
	for _, call := range []struct {
		name, model string
		args        analysis.Args
	}{
		{"fourier_spectrum", "mental-2op", analysis.Args{"numbers": 100}},
		{"fourier_filter", "mental-2op", analysis.Args{"numbers": 100}},
		{"grokking", "modadd-113", analysis.Args{"tiles": 2}},
		{"clock_or_pizza", "modadd-59-pizza", analysis.Args{}},
	} {
		b.Run(call.name, func(b *testing.B) {
			m, err := zoo.Open(call.model)
			if err != nil {
				b.Fatal(err)
			}
			call.args["m"] = m
			a, err := analysis.Find(call.name)
			if err != nil {
				b.Fatal(err)
			}
			bound, err := a.Bind(call.args)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := a.Run(b.Context(), bound, nobody); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
