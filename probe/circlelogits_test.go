package probe_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"orrery/models/modeltest"
	"orrery/probe"
)

// TestCircleLogitsPublished compares with the percentages that the authors'
// notebook prints of Model A, to two digits behind the point: circles 1 to 3 of
// its embedding, alone, follow the pizza's formulas and the clock's hardly, and
// circles 4 to 6 accompany them.
func TestCircleLogitsPublished(t *testing.T) {
	var want struct {
		Clock        []float64 `json:"Qclock_pct"`
		Pizza        []float64 `json:"Qpizza_pct"`
		Prime        []float64 `json:"Qpizza_prime_pct"`
		Accompanying []float64 `json:"Qpizza_acomp_circles4_5_6_pct"`
	}
	modeltest.ReadJSON(t, modeltest.Reference(t, "pizza", "expected_notebook_ModelA_p99zdpze5l.json"), &want)
	m, hooks := pizzaModel(t, "p99zdpze5l")
	a, err := probe.FindModularAdder(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := probe.MeasureCircleLogits(context.Background(), m, a, 6, probe.CirclesByComponents, nil, hooks...)
	if err != nil {
		t.Fatal(err)
	}
	const digits = 0.005 + 0.002 // of the print, and of float32 through the model
	for i := range 3 {
		within(t, "clock", 100*got[i].Explained[probe.ClockPattern], want.Clock[i], digits, 0)
		within(t, "pizza", 100*got[i].Explained[probe.PizzaPattern], want.Pizza[i], digits, 0)
		within(t, "pizza'", 100*got[i].Explained[probe.PizzaPrimePattern], want.Prime[i], digits, 0)
		within(t, "accompanying", 100*got[3+i].Explained[probe.AccompanyingPattern], want.Accompanying[i], digits, 0)
		// The accompanying circle turns twice as fast as its pizza.
		if k, twice := got[i].Frequency, got[3+i].Frequency; (2*k-twice)%59 != 0 && (2*k+twice)%59 != 0 {
			t.Errorf("circle %d has frequency %d, the one that accompanies it %d", i+1, k, twice)
		}
	}
}

// TestCircleLogitsByFrequency: told apart by frequency, Model A's circles are what the
// paper says of its components, three pizzas and the three that accompany them, of
// twice their frequencies; in Model B, the paper's clock, the two strongest are more of
// a clock than a pizza, and nothing explains the third well.
func TestCircleLogitsByFrequency(t *testing.T) {
	best := func(name string, n int) (patterns []probe.LogitPattern, circles []probe.CircleLogits) {
		m, hooks := pizzaModel(t, name)
		circles = must(probe.MeasureCircleLogits(context.Background(), m, must(probe.FindModularAdder(m))(t), n, probe.CirclesByFrequency, nil, hooks...))(t)
		for _, c := range circles {
			top := probe.ClockPattern
			for _, q := range probe.LogitPatterns {
				if c.Explained[q] > c.Explained[top] && q != probe.PizzaPrimePattern {
					top = q
				}
			}
			if c.Explained[top] < 0 {
				top = ""
			}
			patterns = append(patterns, top)
		}
		return patterns, circles
	}
	pizza, a := best("p99zdpze5l", 6)
	counts := map[probe.LogitPattern]int{}
	for i, q := range pizza {
		counts[q]++
		twice := slices.ContainsFunc(a, func(c probe.CircleLogits) bool {
			return (2*c.Frequency-a[i].Frequency)%59 == 0 || (2*c.Frequency+a[i].Frequency)%59 == 0
		})
		if q == probe.AccompanyingPattern && !twice {
			t.Errorf("k = %d accompanies nothing among %v", a[i].Frequency, a)
		}
	}
	if counts[probe.PizzaPattern] != 3 || counts[probe.AccompanyingPattern] != 3 {
		t.Errorf("Model A: %v", pizza)
	}
	if clock, _ := best("l8k1hzciux", 3); !slices.Equal(clock, []probe.LogitPattern{probe.ClockPattern, probe.ClockPattern, ""}) {
		t.Errorf("Model B: %q", clock)
	}
}

// TestCircleLogitsPlanted: logits that are a pattern are explained by it whole,
// however scaled and shifted, and by none of another frequency; noise by none.
func TestCircleLogitsPlanted(t *testing.T) {
	const p, k = 11, 3
	logits := func(of func(a, b, c float64) float64) *mat.Dense {
		x := mat.NewDense(p*p, p, nil)
		for i := range p * p {
			for c := range p {
				x.Set(i, c, 4+3*of(float64(i/p), float64(i%p), float64(c)))
			}
		}
		return x
	}
	w, h := 2*math.Pi*k/p, 2*math.Pi*7/p // 2·7 ≡ 3
	for q, of := range map[probe.LogitPattern]func(a, b, c float64) float64{
		probe.ClockPattern: func(a, b, c float64) float64 { return math.Cos(w * (a + b - c)) },
		probe.PizzaPattern: func(a, b, c float64) float64 { // the inner product with the half angles, as the notebook has it
			x, y := math.Cos(w*a)+math.Cos(w*b), math.Sin(w*a)+math.Sin(w*b)
			return math.Abs(math.Cos(w*c/2)*x+math.Sin(w*c/2)*y) - math.Abs(math.Cos(w*c/2)*y-math.Sin(w*c/2)*x)
		},
		probe.AccompanyingPattern: func(a, b, c float64) float64 {
			return -math.Cos(h*c)*(math.Cos(2*h*a)+math.Cos(2*h*b)) - math.Sin(h*c)*(math.Sin(2*h*a)+math.Sin(2*h*b))
		},
	} {
		within(t, string(q), must(probe.ExplainedByPatterns(logits(of), p, k))(t)[q], 1, 1e-9, 0)
		if other := must(probe.ExplainedByPatterns(logits(of), p, 5))(t)[q]; !(other <= -0.7) {
			t.Errorf("%s of another frequency explains %g", q, other)
		}
	}
	for q, v := range must(probe.ExplainedByPatterns(gaussian(p*p, p, 1, 1), p, k))(t) {
		if !(math.Abs(v+1) <= 0.25) { // 2ρ−1, ρ of 1331 random pairs below 0.12
			t.Errorf("%s explains %g of noise, want about -1", q, v)
		}
	}
	for want, err := range map[string]error{
		"frequency 6 modulo 11": second(probe.ExplainedByPatterns(gaussian(p*p, p, 1, 1), p, 6)),
		"[3, 11]":               second(probe.ExplainedByPatterns(gaussian(3, p, 1, 1), p, 1)),
		"follow no pattern":     second(probe.ExplainedByPatterns(mat.NewDense(p*p, p, nil), p, 1)),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for _, by := range []probe.CircleChoice{probe.CirclesByFrequency, "size"} {
		if _, err := probe.MeasureCircleLogits(context.Background(), ribModel(t), must(probe.FindModularAdder(ribModel(t)))(t), 57, by, nil); err == nil {
			t.Errorf("57 circles by %s pass", by)
		}
	}
	if _, err := probe.MeasureCircleLogits(context.Background(), ribModel(t), must(probe.FindModularAdder(ribModel(t)))(t), 0, probe.CirclesByComponents, nil); err == nil {
		t.Error("0 circles pass")
	}
}
