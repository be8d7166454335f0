package probe_test

import (
	"context"
	"encoding/csv"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/probe"
)

// TestPublishedTable recomputes, of the two models that are in the authors' table of
// runs, the columns beyond its measures: the loss, and how the largest wrong logit
// spreads. Its columns are named after the code that wrote them; they were found to be,
// of that logit by a+b and a−b, scaled to 0..1: the mean and the median over a+b of
// its deviation over a−b, and the deviation over a−b of its mean and its median over
// a+b. The training's split is not known: the losses on its two parts, by their
// shares, are compared with that over all pairs.
func TestPublishedTable(t *testing.T) {
	for _, run := range []struct {
		name   string
		second int // added to the second operand: its own tokens
	}{{"2k4ohj6bhd", 0}, {"18c9ev5v5p", 59}} {
		const p = 59
		want := publishedRow(t, run.name)
		m, hooks := pizzaModel(t, run.name)
		var rows [][]int
		for i := range p * p {
			rows = append(rows, []int{i / p, run.second + i%p})
		}
		in, err := models.Rows(rows)
		if err != nil {
			t.Fatal(err)
		}
		out, err := m.RunFor(context.Background(), in, models.Need{Last: true}, hooks...)
		if err != nil {
			t.Fatal(err)
		}
		all := must(probe.Matrix(out.Logits.Reshape(p*p, m.Config.Vocab)))(t)
		loss := 0.0
		for i := range p * p {
			loss -= models.LogProbs(out.Logits.Data[i*m.Config.Vocab : (i+1)*m.Config.Vocab])[(i/p+i%p)%p] / (p * p)
		}
		learned := math.Floor(want["frac"]*p*p) / (p * p)
		within(t, run.name+" loss", loss, learned*want["training_loss"]+(1-learned)*want["validation_loss"], 5e-10, 0) // printed to three digits
		_, wrong, err := probe.CorrectLogits(mat.DenseCopyOf(all.Slice(0, p*p, 0, p)), p)
		if err != nil {
			t.Fatal(err)
		}
		spread := must(probe.BySumAndDifference(wrong, p))(t)
		lo, hi := mat.Min(spread), mat.Max(spread)
		var deviations, means, medians []float64
		for s := range p {
			row := mat.Row(nil, s, spread)
			for i := range row {
				row[i] = (row[i] - lo) / (hi - lo)
			}
			deviations = append(deviations, stat.PopStdDev(row, nil))
		}
		for d := range p {
			column := mat.Col(nil, d, spread)
			for i := range column {
				column[i] = (column[i] - lo) / (hi - lo)
			}
			means, medians = append(means, stat.Mean(column, nil)), append(medians, middle(column))
		}
		for name, got := range map[string]float64{
			"mean_std_row": stat.Mean(deviations, nil), "med_std_row": middle(deviations),
			"std_mean_col": stat.PopStdDev(means, nil), "std_med_col": stat.PopStdDev(medians, nil),
			"training_accuracy": must(probe.NewModularLogits(mat.DenseCopyOf(all.Slice(0, p*p, 0, p)), p))(t).Accuracy(),
		} {
			within(t, run.name+" "+name, got, want[name], 2e-5, 0) // float32
		}
	}
}

func middle(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// publishedRow is a run's numbers in the authors' table.
func publishedRow(t *testing.T, id string) map[string]float64 {
	t.Helper()
	file, err := os.Open(modeltest.Reference(t, "pizza", "1l_fixedwidth.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(rows[0], "runid")
	for _, row := range rows {
		if row[at] != id {
			continue
		}
		out := map[string]float64{}
		for i, text := range row {
			if v, err := strconv.ParseFloat(text, 64); err == nil {
				out[rows[0][i]] = v
			}
		}
		return out
	}
	t.Fatalf("no run %s in the table", id)
	return nil
}
