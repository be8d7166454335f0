package probe

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"strconv"

	"gonum.org/v1/gonum/mat"
)

// IntegerProperty is something that a representation of numbers may hold.
type IntegerProperty struct {
	Name string
	// Class says whether Of names a class; otherwise it is a quantity.
	Class bool
	Of    func(n int) float64
}

// IntegerProperties are properties of n ≥ 0 after Ryskina and Knight, "Learning
// Mathematical Properties of Integers", 2021, arXiv:2109.07230.
func IntegerProperties() []IntegerProperty {
	is := func(test func(n int) bool) func(int) float64 {
		return func(n int) float64 {
			if test(n) {
				return 1
			}
			return 0
		}
	}
	properties := []IntegerProperty{{"parity", true, func(n int) float64 { return float64(n % 2) }}}
	for _, k := range []int{3, 4, 5, 7} {
		properties = append(properties, IntegerProperty{fmt.Sprintf("divisible_by_%d", k), true, is(func(n int) bool { return n%k == 0 })})
	}
	for _, k := range []int{3, 4, 5, 6, 7, 8, 9, 10, 11, 12} {
		properties = append(properties, IntegerProperty{fmt.Sprintf("mod_%d", k), true, func(n int) float64 { return float64(n % k) }})
	}
	return append(properties,
		IntegerProperty{"prime", true, is(prime)},
		IntegerProperty{"perfect_square", true, is(func(n int) bool { r := int(math.Round(math.Sqrt(float64(n)))); return r*r == n })},
		IntegerProperty{"power_of_2", true, is(func(n int) bool { return n > 0 && bits.OnesCount(uint(n)) == 1 })},
		IntegerProperty{"number_of_digits", true, func(n int) float64 { return float64(len(strconv.Itoa(n))) }},
		IntegerProperty{"digit_sum", false, func(n int) float64 {
			sum := 0
			for ; n > 0; n /= 10 {
				sum += n % 10
			}
			return float64(sum)
		}},
		IntegerProperty{"ln_magnitude", false, func(n int) float64 { return math.Log1p(float64(n)) }},
		IntegerProperty{"value", false, func(n int) float64 { return float64(n) }},
	)
}

func prime(n int) bool {
	for k := 2; k*k <= n; k++ {
		if n%k == 0 {
			return false
		}
	}
	return n > 1
}

// NearMultiple is the distance of n ≥ 0 to the nearest multiple of k ≥ 1, and
// the side on which that lies: -1 below, 1 above, 0 on it or halfway (StreetMath,
// 2025: n is near when the distance is at most a threshold).
func NearMultiple(n, k int) (distance, direction int, err error) {
	if n < 0 || k < 1 {
		return 0, 0, fmt.Errorf("near multiple: %d and %d: a number of at least 0 and a step of at least 1 are needed", n, k)
	}
	below := n % k
	above := k - below
	switch {
	case below == 0 || below == above:
		return below, 0, nil
	case below < above:
		return below, -1, nil
	}
	return above, 1, nil
}

// PropertyOptions are the options of ProbeProperty. Zero values are filled in.
type PropertyOptions struct {
	// Fold holds the fold of each row; nil means 5 folds drawn with Seed.
	Fold []int
	// Shuffle gives row i the label of row Shuffle[i] in the control; nil means
	// one drawn with Seed.
	Shuffle []int
	// Random is the control representation, [N, D]; nil means normal numbers
	// drawn with Seed.
	Random *mat.Dense
	// C is that of FitLogistic, Alpha that of FitRidge; 0 means 1.
	C, Alpha float64
	Seed     uint64
}

// PropertyScore is how well a property is read off rows that a probe has not
// seen: balanced accuracy for a class, R2 for a quantity, pooled over folds.
type PropertyScore struct {
	Property string
	Class    bool
	Probe    float64
	// Shuffled is the same with the labels exchanged, Random with the
	// representation replaced by noise; Selectivity is Probe - Shuffled.
	Shuffled, Random, Selectivity float64
	// Chance is 1/classes, what any constant answer gets; 0 for a quantity.
	// Majority is the plain accuracy of the commonest class.
	Chance, Majority float64
}

// ProbeProperty reads a property of numbers off their rows x [N, D] with a
// linear probe, cross-validated, beside its controls. A property that is the
// same for all the numbers is refused, and so is a fold whose training rows have
// one class only. The cost is three cross-validations.
func ProbeProperty(x *mat.Dense, numbers []int, property IntegerProperty, opt PropertyOptions) (PropertyScore, error) {
	fail := func(err error) (PropertyScore, error) {
		return PropertyScore{}, fmt.Errorf("property %s: %w", property.Name, err)
	}
	n, d, err := checkRows("probe", "features", x, 2)
	if err != nil {
		return fail(err)
	}
	if len(numbers) != n {
		return fail(fmt.Errorf("%d numbers for %d rows", len(numbers), n))
	}
	rng := rand.New(rand.NewPCG(opt.Seed, 5))
	if opt.Fold == nil {
		if opt.Fold, err = Folds(n, 5, opt.Seed); err != nil {
			return fail(err)
		}
	}
	if opt.Shuffle == nil {
		opt.Shuffle = rng.Perm(n)
	}
	if opt.Random == nil {
		opt.Random = mat.NewDense(n, d, nil)
		opt.Random.Apply(func(int, int, float64) float64 { return rng.NormFloat64() }, opt.Random)
	}
	if opt.C == 0 {
		opt.C = 1
	}
	if opt.Alpha == 0 {
		opt.Alpha = 1
	}
	y, shuffled := make([]float64, n), make([]float64, n)
	for i, v := range numbers {
		if v < 0 {
			return fail(fmt.Errorf("number %d is below 0", v))
		}
		y[i] = property.Of(v)
	}
	if len(opt.Shuffle) != n {
		return fail(fmt.Errorf("a shuffle of %d for %d rows", len(opt.Shuffle), n))
	}
	for i, at := range opt.Shuffle {
		if at < 0 || at >= n {
			return fail(fmt.Errorf("shuffle entry %d is outside 0..%d", at, n-1))
		}
		shuffled[i] = y[at]
	}
	s := PropertyScore{Property: property.Name, Class: property.Class}
	for _, run := range []struct {
		into *float64
		x    *mat.Dense
		y    []float64
	}{{&s.Probe, x, y}, {&s.Shuffled, x, shuffled}, {&s.Random, opt.Random, y}} {
		if *run.into, err = opt.score(run.x, run.y, property.Class); err != nil {
			return fail(err)
		}
	}
	s.Selectivity = s.Probe - s.Shuffled
	if property.Class {
		labels := toInts(y)
		classes := distinctNumbers(labels)
		s.Chance = 1 / float64(len(classes))
		for _, c := range classes {
			s.Majority = max(s.Majority, float64(count(labels, c))/float64(n))
		}
	}
	return s, nil
}

func (opt PropertyOptions) score(x *mat.Dense, y []float64, class bool) (float64, error) {
	if !class {
		r, err := CrossValidateRidge(x, mat.NewDense(len(y), 1, append([]float64(nil), y...)), opt.Alpha, opt.Fold)
		if err != nil {
			return 0, err
		}
		return r.R2.Pooled, nil
	}
	c, err := CrossValidate(x, toInts(y), opt.Fold, func(x *mat.Dense, labels []int) (*Classifier, error) {
		return FitLogistic(x, labels, opt.C)
	})
	if err != nil {
		return 0, err
	}
	return c.Balanced, nil
}

func toInts(v []float64) []int {
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(x)
	}
	return out
}
