package modeltest

import (
	"context"
	"math"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/tensor"
)

func TestSuiteOnToys(t *testing.T) {
	for _, m := range append(Kinds(1), Copy(), Clock()) {
		t.Run(m.Name, func(t *testing.T) { Suite(t, m) })
	}
}

func TestCompare(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	row := func(v ...float32) *tensor.Dense { return tensor.From(v, len(v)) }
	tests := []struct {
		name      string
		got, want *tensor.Dense
		message   string // "" for close
	}{
		{"equal", row(1, 2), row(1, 2), ""},
		{"within the absolute part", row(1e-6), row(0), ""},
		{"within the relative part", row(100.0005), row(100), ""},
		{"equal infinities", row(inf, 1), row(inf, 1), ""},
		{"too far", row(1, 2.1), row(1, 2), "1 of 2 elements off"},
		{"a NaN got", row(nan), row(1), "1 of 1 elements off"},
		{"a NaN wanted", row(1), row(nan), "1 of 1 elements off"},
		{"two NaNs", row(nan), row(nan), "1 of 1 elements off"},
		{"an infinity got", row(inf), row(1), "1 of 1 elements off"},
		{"an infinity wanted", row(1), row(inf), "1 of 1 elements off"},
		{"another shape", row(1, 2), tensor.New(2, 1), "shape [2], want [2 1]"},
		{"a missing tensor", nil, row(1), "missing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := compare(test.got, test.want, 1e-5, 1e-5)
			if (got == "") != (test.message == "") || !strings.Contains(got, test.message) {
				t.Errorf("compare says %q, want %q", got, test.message)
			}
		})
	}
}

func TestClockAdds(t *testing.T) {
	m := Clock()
	var rows [][]int
	for a := range 50 {
		for b := range 50 {
			rows = append(rows, []int{0, ClockFirst + a, 1, ClockFirst + b, 3})
		}
	}
	in, err := models.Rows(rows)
	if err != nil {
		t.Fatal(err)
	}
	out, err := m.RunFor(context.Background(), in, models.Need{Last: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, ids := range rows {
		row, want := out.Logits.Sub(i, 0).Data, ids[1]+ids[3]-ClockFirst
		for v, logit := range row {
			if v != want && !(logit < row[want]-1) {
				t.Fatalf("%v: id %d has %g, the sum's %g", ids, v, logit, row[want])
			}
		}
	}
}

func TestCopyPredictsTheFirstToken(t *testing.T) {
	m := Copy()
	for first := range CopyVocab {
		ids := []int{first, 1, 5, 0, 3}
		out, err := m.Run(context.Background(), models.Prompt(ids...))
		if err != nil {
			t.Fatal(err)
		}
		for p := range ids {
			row := out.Logits.Sub(0, p).Data
			for v, logit := range row {
				if v != first && !(row[first] > logit+1) {
					t.Errorf("prompt %v position %d: logits %v, want the largest at %d", ids, p, row, first)
				}
			}
		}
	}
}
