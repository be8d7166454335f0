package probe_test

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"orrery/probe"
)

// Activations that turn once in ten numbers and rise on the way: the fit finds
// the period, and says what would stand at a number.
func ExampleCompareFits() {
	x, numbers := mat.NewDense(60, 3, nil), make([]int, 60)
	for n := range numbers {
		numbers[n] = n
		sin, cos := math.Sincos(2 * math.Pi * float64(n) / 10)
		x.SetRow(n, []float64{cos, sin, float64(n) / 59})
	}
	found, err := probe.CompareFits(x, numbers, probe.CompareOptions{Periods: []float64{5, 10, 20}})
	if err != nil {
		fmt.Println(err)
		return
	}
	best, _ := found.Best(probe.HelixFamily, 3)
	line, _ := found.Best(probe.PolynomialFamily, 3)
	fmt.Printf("period %v explains %.2f, and %.2f of numbers held out; a cubic %.2f\n", best.Periods, best.All.R2, best.Test.R2, line.All.R2)

	helix, err := probe.FitHelix(x, []probe.HelixTerm{probe.HelixOf("a", numbers, best.Periods, 0)}, probe.HelixOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	at, err := helix.At(5)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("at 5: %.2f\n", at)
	// Output:
	// period [10] explains 1.00, and 1.00 of numbers held out; a cubic 0.11
	// at 5: [-1.00 0.00 0.08]
}

// A filter says how much of the model it leaves, and refuses to leave nothing.
func ExampleNewFilter() {
	basis, err := probe.DFT(21)
	if err != nil {
		fmt.Println(err)
		return
	}
	filter, err := probe.NewFilter(basis, gaussian(21, 40, 1, 1), probe.LowPass(4))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: %d of %d dimensions are left\n", filter.Band.Name, filter.Remaining, filter.Width)
	_, err = probe.NewFilter(basis, gaussian(21, 12, 1, 1), probe.LowPass(4))
	fmt.Println(err)
	// Output:
	// low-pass 4: 26 of 40 dimensions are left
	// filter low-pass 4: the 14 waves to remove span all 12 dimensions of the model: nothing would be left
}
