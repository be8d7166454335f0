package script_test

import (
	"testing"

	"orrery/server/script"
)

// BenchmarkRun times what guarding operators and the rest of a run cost.
func BenchmarkRun(b *testing.B) {
	for _, c := range []struct{ name, source string }{
		{"empty", "1"},
		{"fib20", "def fib(n):\n  return n if n < 2 else fib(n - 1) + fib(n - 2)\nfib(20)"},
		{"products", "x = 0.0\nfor i in range(10000):\n  x = x + i * i"},
		{"lens", "logit_lens(load('toy'), [1, 2, 3])"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			p, err := script.Compile("c", c.source)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := script.Run(b.Context(), p, nil, newHost(b), script.Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	const source = "m = load(\"mental-2op\")\nlens = logit_lens(m, \"34+57=\", metric=\"prob\")\nxs = [x * 2 for x in lens.values(\"prob\")[-1]]\n"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := script.Compile("c", source); err != nil {
			b.Fatal(err)
		}
	}
}
