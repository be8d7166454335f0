package kernel

import "golang.org/x/sys/cpu"

//go:generate ./asm/generate.sh

// avx2 says whether the generated AVX2 and FMA code runs here. It is decided
// once, before main, from what the processor and its operating system report;
// only tests change it.
var avx2 = cpu.X86.HasAVX2 && cpu.X86.HasFMA

// Path names the implementation that this process uses: "avx2" for the
// generated vector code or "go" for the plain loops. Results are equal bit for
// bit between processes on the same path. Across paths a sum of products
// differs by at most 1e-5 of the sum of the products' magnitudes.
func Path() string {
	if avx2 {
		return "avx2"
	}
	return "go"
}
