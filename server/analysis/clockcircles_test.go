package analysis_test

import (
	"slices"
	"strings"
	"testing"

	"orrery/models/modeltest"
	"orrery/models/train"
	"orrery/models/zoo"
	"orrery/server/analysis"
	"orrery/viz"
)

// TestCirclesOfThePizza: the shipped pizza's circles follow the paper's formulas as its
// Model A's do, three as pizzas and the three of twice their frequencies as what
// accompanies them; parts fill the first figure.
func TestCirclesOfThePizza(t *testing.T) {
	m, err := zoo.Open("modadd-59-pizza")
	if err != nil {
		t.Fatal(err)
	}
	fig, s := run(t, "clock_or_pizza", analysis.Args{"m": m, "show": "circles", "circles": 6})
	for name, a := range fig.Arrays {
		for i := range a.Data {
			if v, state := s.shown.Arrays[name].At(i); state != viz.Done || v != a.Data[i] {
				t.Fatalf("%s[%d]: parts give %g (%v), the figure has %g", name, i, v, state, a.Data[i])
			}
		}
	}
	pizza, clock, accompanying := column(t, fig, "pizza"), column(t, fig, "clock"), column(t, fig, "accompanying")
	for i := range 3 { // the print of Model A has 98.3 to 98.4, 75.4 to 75.6 and 97.2 to 97.7 %
		if !(pizza[i] > 0.98 && clock[i] > 0.74 && clock[i] < 0.78 && accompanying[3+i] > 0.95 && accompanying[i] < -0.99 && pizza[3+i] < -0.99) {
			t.Errorf("circle %d: pizza %g, clock %g, its companion %g", i+1, pizza[i], clock[i], accompanying[3+i])
		}
	}
	if !strings.Contains(fig.Caption, "4 (k = 24) accompanying pizza, 97.5 %") {
		t.Errorf("caption %q", fig.Caption)
	}
	if got := slices.Clone(column(t, fig, "frequency")); !slices.Equal(got, []float32{12, 29, 20, 24, 1, 19}) { // 24 = 2·12, 1 = 59 − 2·29, 19 = 59 − 2·20
		t.Errorf("frequencies %v", got)
	}
	same, _ := run(t, "clock_or_pizza", analysis.Args{"m": m, "show": "circles", "circles": 1, "by": "components"})
	if got := same.Multiples.Items[0].Bars.Categories.Labels; !slices.Equal(got, []string{"1, 2"}) {
		t.Errorf("components %v", got)
	}
}

// TestCirclesNull: no formula explains the logits of an untrained network.
func TestCirclesNull(t *testing.T) {
	r, err := train.Find("modadd-59-pizza")
	if err != nil {
		t.Fatal(err)
	}
	m := modeltest.Random("untrained", r.Model, 5)
	fig, _ := run(t, "clock_or_pizza", analysis.Args{"m": m, "show": "circles"})
	for _, name := range []string{"clock", "pizza", "pizza_prime", "accompanying"} {
		for i, v := range column(t, fig, name) {
			if !(v < -0.5) {
				t.Errorf("%s explains %g of circle %d", name, v, i+1)
			}
		}
	}
	if strings.Count(fig.Caption, "none of them") != 3 {
		t.Errorf("caption %q", fig.Caption)
	}
}
