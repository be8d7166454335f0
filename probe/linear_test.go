package probe_test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"orrery/probe"
)

type linearGolden struct {
	Expect struct {
		Ridge map[string]struct {
			Each   []float64 `json:"r2_each"`
			Pooled float64   `json:"r2_pooled"`
			MSE    float64
		}
		Logistic map[string]struct {
			Accuracy float64
			Loss     float64 `json:"log_loss_mean"`
		}
		CV map[string]struct {
			R2Folds  []float64 `json:"r2_per_fold_mean_over_targets"`
			Mean     float64
			R2       float64   `json:"r2_of_pooled_out_of_fold_predictions"`
			Folds    []float64 `json:"accuracy_per_fold"`
			Accuracy float64   `json:"pooled_accuracy"`
			Balanced float64   `json:"pooled_balanced_accuracy"`
		} `json:"cross_validation"`
		Control struct {
			Task, Control, Selectivity, Majority float64
		} `json:"control_task"`
		Classifiers struct {
			Midpoint float64 `json:"accuracy_threshold_at_midpoint"`
			LDA      float64 `json:"lda_accuracy"`
			LDA4     float64 `json:"lda4_accuracy"`
		}
	}
}

// The reference's own bounds.
const (
	linearAbs   = 1e-7
	logisticAbs = 1e-5
)

func TestRidgeGolden(t *testing.T) {
	var want linearGolden
	g := readGolden(t, "testdata", "linear", &want)
	x, y := g.matrix("in.X"), g.matrix("in.Y")
	for name, w := range want.Expect.Ridge {
		alpha, _ := strconv.ParseFloat(name, 64)
		l, err := probe.FitRidge(x, y, alpha)
		if err != nil {
			t.Fatal(err)
		}
		matrixWithin(t, "map, alpha "+name, l.Coef, g.matrix("out.ridge_coef_"+name), linearAbs, 0)
		allWithin(t, "intercept, alpha "+name, l.Intercept, g.vector("out.ridge_intercept_"+name), linearAbs, 0)
		p, err := l.Predict(x)
		if err != nil {
			t.Fatal(err)
		}
		r2, err := probe.ScoreR2(y, p)
		if err != nil {
			t.Fatal(err)
		}
		allWithin(t, "r2, alpha "+name, r2.Each, w.Each, linearAbs, 0)
		within(t, "pooled r2, alpha "+name, r2.Pooled, w.Pooled, linearAbs, 0)
		var off mat.Dense
		off.Sub(y, p)
		within(t, "squared error, alpha "+name, mat.Sum(product(off.T(), &off).DiagView())/float64(len(off.RawMatrix().Data)), w.MSE, linearAbs, 0)
	}
	wide := g.matrix("in.X_wide")
	target := mat.NewDense(30, 1, g.vector("in.Y_wide"))
	l, err := probe.FitRidge(wide, target, 2)
	if err != nil {
		t.Fatal(err)
	}
	allWithin(t, "map of more columns than rows", l.Coef.RawRowView(0), g.vector("out.wide_coef"), linearAbs, 0)
	allWithin(t, "intercept of more columns than rows", l.Intercept, g.vector("out.wide_intercept"), linearAbs, 0)
	for name, alpha := range map[string]float64{"ridge_1": 1, "ridge_10": 10} {
		got, err := probe.CrossValidateRidge(x, y, alpha, g.ints("in.fold"))
		if err != nil {
			t.Fatal(err)
		}
		w := want.Expect.CV[name]
		allWithin(t, name+" folds", got.PerFold, w.R2Folds, linearAbs, 0)
		within(t, name+" mean", got.Mean, w.Mean, linearAbs, 0)
		within(t, name+" pooled", floats.Sum(got.R2.Each)/2, w.R2, linearAbs, 0)
	}
}

func TestLogisticGolden(t *testing.T) {
	var want linearGolden
	g := readGolden(t, "testdata", "linear", &want)
	x := g.matrix("in.X")
	for kind, labels := range map[string][]int{"binary": g.ints("in.binary"), "multinomial": g.ints("in.classes")} {
		for _, c := range []string{"0.1", "1", "10"} {
			value, _ := strconv.ParseFloat(c, 64)
			got, err := probe.FitLogistic(x, labels, value)
			if err != nil {
				t.Fatal(err)
			}
			name := kind + " C " + c
			matrixWithin(t, name+" map", got.Coef, g.matrix("out.logistic_"+kind+"_coef_"+c), logisticAbs, 0)
			allWithin(t, name+" intercept", got.Intercept, g.vector("out.logistic_"+kind+"_intercept_"+c), logisticAbs, 0)
			p, err := got.Predict(x)
			if err != nil {
				t.Fatal(err)
			}
			within(t, name+" accuracy", probe.Accuracy(labels, p), want.Expect.Logistic[kind+"_"+c].Accuracy, 1e-12, 0)
			within(t, name+" loss", logLoss(t, got, x, labels), want.Expect.Logistic[kind+"_"+c].Loss, logisticAbs, 0)
		}
	}
	token, control := g.ints("in.token"), make([]int, 200)
	for i, m := range token {
		control[i] = g.ints("in.control_map")[m]
	}
	means := map[string]float64{}
	for kind, labels := range map[string][]int{"binary": g.ints("in.binary"), "multinomial": g.ints("in.classes"), "control": control} {
		got, err := probe.CrossValidate(x, labels, g.ints("in.fold"), func(x *mat.Dense, labels []int) (*probe.Classifier, error) {
			return probe.FitLogistic(x, labels, 1)
		})
		if err != nil {
			t.Fatal(err)
		}
		w := want.Expect.CV["logistic_"+kind]
		allWithin(t, kind+" folds", got.PerFold, w.Folds, 1e-12, 0)
		within(t, kind+" accuracy", got.Accuracy, w.Accuracy, 1e-12, 0)
		within(t, kind+" balanced accuracy", got.Balanced, w.Balanced, 1e-12, 0)
		if p := g.ints("out.cv_predictions_" + kind); !slices.Equal(p, got.Predictions) {
			t.Errorf("%s: predictions differ", kind)
		}
		means[kind] = got.Mean
		if kind == "multinomial" {
			within(t, "majority", got.Majority, want.Expect.Control.Majority, 1e-12, 0)
		}
	}
	within(t, "task", means["multinomial"], want.Expect.Control.Task, 1e-12, 0)
	within(t, "control", means["control"], want.Expect.Control.Control, 1e-12, 0)
	within(t, "selectivity", means["multinomial"]-means["control"], want.Expect.Control.Selectivity, 1e-12, 0)
}

// logLoss is the mean of −ln P of the right class by a classifier's scores, one a
// class, or one of two.
func logLoss(t *testing.T, c *probe.Classifier, x *mat.Dense, labels []int) float64 {
	t.Helper()
	scores := must(c.Scores(x))(t)
	loss := 0.0
	for i, label := range labels {
		row := slices.Clone(scores.RawRowView(i))
		if len(row) == 1 {
			row = []float64{0, row[0]}
		}
		loss += (floats.LogSumExp(row) - row[slices.Index(c.Classes, label)]) / float64(len(labels))
	}
	return loss
}

func TestDiscriminantGolden(t *testing.T) {
	var want linearGolden
	g := readGolden(t, "testdata", "linear", &want)
	x, binary, classes := g.matrix("in.X"), g.ints("in.binary"), g.ints("in.classes")
	check := func(name string, c *probe.Classifier, err error, labels []int, accuracy float64) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		p, err := c.Predict(x)
		if err != nil {
			t.Fatal(err)
		}
		within(t, name+" accuracy", probe.Accuracy(labels, p), accuracy, 1e-12, 0)
	}
	dm, err := probe.DifferenceOfMeans(x, binary)
	check("difference of means", dm, err, binary, want.Expect.Classifiers.Midpoint)
	allWithin(t, "difference of means", dm.Coef.RawRowView(0), g.vector("out.difference_of_means"), linearAbs, 0)
	two, err := probe.FitDiscriminant(x, binary)
	check("discriminant", two, err, binary, want.Expect.Classifiers.LDA)
	matrixWithin(t, "discriminant", two.Coef, g.matrix("out.lda_coef"), linearAbs, 0)
	allWithin(t, "discriminant intercept", two.Intercept, g.vector("out.lda_intercept"), linearAbs, 0)
	four, err := probe.FitDiscriminant(x, classes)
	check("four classes", four, err, classes, want.Expect.Classifiers.LDA4)
	matrixWithin(t, "four classes", four.Coef, g.matrix("out.lda4_coef"), linearAbs, 0)
	allWithin(t, "four intercepts", four.Intercept, g.vector("out.lda4_intercept"), linearAbs, 0)
}

func TestIntegersGolden(t *testing.T) {
	var want struct {
		Expect struct {
			Properties map[string]struct {
				Probe       float64
				Shuffled    float64 `json:"shuffled_labels"`
				Random      float64 `json:"random_embedding"`
				Selectivity *float64
				Chance      float64 `json:"majority_balanced"`
				Majority    float64
			}
			Near map[string]struct {
				Share     float64 `json:"positive_share"`
				Majority  float64 `json:"majority"`
				Distance  []int   `json:"distance_of_0_to_19"`
				Direction []int   `json:"direction_of_0_to_19"`
			} `json:"near_k"`
			Rank struct {
				Ridge struct {
					Spearman, Pearson, MAE, RMSE float64
					Kendall                      float64 `json:"kendall_tau_b"`
					Pairwise                     float64 `json:"pairwise_accuracy"`
				} `json:"ridge_alpha_1"`
				Two struct{ Spearman float64 } `json:"two_extremes_5_each"`
			} `json:"rank_axis"`
			Addition struct {
				Pairs int     `json:"train_pairs"`
				RMSE  float64 `json:"test_rmse"`
			} `json:"addition_ridge"`
		}
	}
	g := probesCase(t, "07-linear", "integers", &want)
	e := g.matrix("in.E")
	numbers := make([]int, 200)
	for i := range numbers {
		numbers[i] = i
	}
	opt := probe.PropertyOptions{Fold: g.ints("in.fold"), Shuffle: g.ints("in.shuffle"), Random: g.matrix("in.R")}
	seen := 0
	for _, p := range probe.IntegerProperties() {
		w, ok := want.Expect.Properties[p.Name]
		if !ok {
			continue
		}
		seen++
		if p.Class {
			for n, label := range g.ints("out.label." + p.Name) {
				if int(p.Of(n)) != label {
					t.Fatalf("%s of %d is %v, want %d", p.Name, n, p.Of(n), label)
				}
			}
		}
		got, err := probe.ProbeProperty(e, numbers, p, opt)
		if err != nil {
			t.Fatal(err)
		}
		within(t, p.Name, got.Probe, w.Probe, 1e-6, 0)
		within(t, p.Name+" shuffled", got.Shuffled, w.Shuffled, 1e-6, 0)
		within(t, p.Name+" on noise", got.Random, w.Random, 1e-6, 0)
		if p.Class {
			within(t, p.Name+" selectivity", got.Selectivity, *w.Selectivity, 1e-6, 0)
			within(t, p.Name+" chance", got.Chance, w.Chance, 1e-12, 0)
			within(t, p.Name+" majority", got.Majority, w.Majority, 1e-12, 0)
		}
	}
	if seen != len(want.Expect.Properties) {
		t.Errorf("%d properties compared, the reference has %d", seen, len(want.Expect.Properties))
	}
	for name, w := range want.Expect.Near {
		k, tau, _ := strings.Cut(strings.TrimPrefix(name, "k"), "_tau")
		step, _ := strconv.Atoi(k)
		most, _ := strconv.Atoi(tau)
		near := 0
		for n := range 10000 {
			distance, direction, err := probe.NearMultiple(n, step)
			if err != nil {
				t.Fatal(err)
			}
			if distance <= most {
				near++
			}
			if n < 20 && (distance != w.Distance[n] || direction != w.Direction[n]) {
				t.Errorf("%s: %d is %d away on side %d, want %d and %d", name, n, distance, direction, w.Distance[n], w.Direction[n])
			}
		}
		within(t, name, float64(near)/10000, w.Share, 1e-12, 0)
		within(t, name+" majority", math.Max(float64(near), 10000-float64(near))/10000, w.Majority, 1e-12, 0)
	}

	train := g.ints("in.train")
	known := map[int]bool{}
	var value, rest []float64
	var test []int
	for _, n := range train {
		known[n] = true
		value = append(value, float64(n))
	}
	for n := range 200 {
		if !known[n] {
			test, rest = append(test, n), append(rest, float64(n))
		}
	}
	axis, err := probe.RankAxis(rows(e, train), value, 1)
	if err != nil {
		t.Fatal(err)
	}
	allWithin(t, "rank axis", axis, g.vector("out.rank_axis"), 1e-6, 0)
	score := func(axis []float64) probe.RankScore {
		t.Helper()
		s, err := probe.ScoreRank(product(rows(e, test), mat.NewDense(24, 1, axis)).RawMatrix().Data, rest)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s, w := score(axis), want.Expect.Rank.Ridge
	within(t, "spearman", s.Spearman, w.Spearman, 1e-6, 0)
	within(t, "kendall", s.Kendall, w.Kendall, 1e-6, 0)
	within(t, "pearson", s.Pearson, w.Pearson, 1e-6, 0)
	within(t, "pairwise", s.Pairwise, w.Pairwise, 1e-6, 0)
	ridge, err := probe.FitRidge(rows(e, train), mat.NewDense(len(train), 1, value), 1)
	if err != nil {
		t.Fatal(err)
	}
	read := must(ridge.Predict(rows(e, test)))(t)
	absolute, square := 0.0, 0.0
	for i, n := range rest {
		d := read.At(i, 0) - n
		absolute, square = absolute+math.Abs(d)/float64(len(rest)), square+d*d/float64(len(rest))
	}
	within(t, "absolute error", absolute, w.MAE, 1e-6, 0)
	within(t, "root of the squared error", math.Sqrt(square), w.RMSE, 1e-6, 0)
	two, err := probe.ExtremesAxis(rows(e, train), value, 5)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "two extremes", score(two).Spearman, want.Expect.Rank.Two.Spearman, 1e-6, 0)
	within(t, "addition", addition(t, g, e, known, want.Expect.Addition.Pairs), want.Expect.Addition.RMSE, 1e-6, 0)
}

// addition reads the sum off two embeddings side by side, as the reference does.
func addition(t *testing.T, g golden, e *mat.Dense, known map[int]bool, pairs int) float64 {
	t.Helper()
	ab := g.ints("in.pairs")
	x, y := mat.NewDense(400, 48, nil), mat.NewDense(400, 1, nil)
	var train, test []int
	for i := range 400 {
		a, b := ab[2*i], ab[2*i+1]
		copy(x.RawRowView(i), e.RawRowView(a))
		copy(x.RawRowView(i)[24:], e.RawRowView(b))
		y.Set(i, 0, float64(a+b))
		if known[a] && known[b] {
			train = append(train, i)
		} else {
			test = append(test, i)
		}
	}
	if len(train) != pairs {
		t.Errorf("%d training pairs, want %d", len(train), pairs)
	}
	l, err := probe.FitRidge(rows(x, train), rows(y, train), 1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.Predict(rows(x, test))
	if err != nil {
		t.Fatal(err)
	}
	p.Sub(p, rows(y, test))
	return floats.Norm(p.RawMatrix().Data, 2) / math.Sqrt(float64(len(test)))
}

func rows(x *mat.Dense, at []int) *mat.Dense {
	_, d := x.Dims()
	out := mat.NewDense(len(at), d, nil)
	for i, r := range at {
		out.SetRow(i, x.RawRowView(r))
	}
	return out
}

// TestLinearPlanted: what is linear is found, also where classes can be
// separated; noise is not told apart on rows that were not seen.
func TestLinearPlanted(t *testing.T) {
	x := gaussian(60, 5, 1, 1)
	y := product(x, mat.NewDense(5, 1, []float64{1, -2, 0, 0, 3}))
	l, err := probe.FitRidge(x, y, 0)
	if err != nil {
		t.Fatal(err)
	}
	allWithin(t, "map", l.Coef.RawRowView(0), []float64{1, -2, 0, 0, 3}, 1e-10, 0)
	labels, noise := make([]int, 60), make([]int, 60)
	for i := range labels {
		if y.At(i, 0) > 0 {
			labels[i] = 7
		}
		noise[i] = i % 2
	}
	fold, err := probe.Folds(60, 5, 1)
	if err != nil {
		t.Fatal(err)
	}
	fit := func(x *mat.Dense, labels []int) (*probe.Classifier, error) { return probe.FitLogistic(x, labels, 100) }
	found, err := probe.CrossValidate(x, labels, fold, fit)
	if err != nil {
		t.Fatal(err)
	}
	if !(found.Balanced > 0.9) {
		t.Errorf("balanced accuracy on a linear rule %.2f", found.Balanced)
	}
	none, err := probe.CrossValidate(x, noise, fold, fit)
	if err != nil {
		t.Fatal(err)
	}
	if !(none.Balanced < 0.7) {
		t.Errorf("balanced accuracy on noise %.2f", none.Balanced)
	}
	// Features that all share a large part, as a stream with massive activations.
	moved := mat.DenseCopyOf(x)
	moved.Apply(func(i, j int, v float64) float64 { return v + 1000*float64(j+1) }, moved)
	near, far := must(fit(x, labels))(t), must(fit(moved, labels))(t)
	matrixWithin(t, "map of moved features", far.Coef, near.Coef, 1e-6, 0)
	control, err := probe.ControlLabels([]int{3, 8, 3, 9, 8}, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	if control[0] != control[2] || control[1] != control[4] {
		t.Errorf("control labels %v: one token has two", control)
	}
}

func TestLinearRefuses(t *testing.T) {
	x, wide := gaussian(20, 4, 1, 1), gaussian(6, 10, 1, 1)
	same := make([]int, 20)
	two := make([]int, 20)
	two[3] = 1
	fit := func(x *mat.Dense, l []int) (*probe.Classifier, error) { return probe.FitLogistic(x, l, 1) }
	property := probe.IntegerProperties()[0]
	for name, err := range map[string]error{
		"fewer rows than features": second(probe.FitRidge(wide, gaussian(6, 1, 1, 2), 0)),
		"constant target":          second(probe.FitRidge(x, mat.NewDense(20, 1, ones(20)), 1)),
		"negative penalty":         second(probe.FitRidge(x, gaussian(20, 1, 1, 2), -1)),
		"rows that do not match":   second(probe.FitRidge(x, gaussian(19, 1, 1, 2), 1)),
		"one class":                second(probe.FitLogistic(x, same, 1)),
		"C of 0":                   second(probe.FitLogistic(x, two, 0)),
		"singular covariance":      second(probe.FitDiscriminant(wide, []int{0, 0, 0, 1, 1, 1})),
		"dependent features":       second(probe.FitDiscriminant(product(gaussian(20, 2, 1, 1), gaussian(2, 4, 1, 2)), two)),
		"three means":              second(probe.DifferenceOfMeans(x, append([]int{2, 1}, same[2:]...))),
		"a fold of one class":      second(probe.CrossValidate(x, two, append([]int{1, 1, 1, 0}, ones2(16)...), fit)),
		"one fold":                 second(probe.CrossValidate(x, two, same, fit)),
		"too many folds":           second(probe.Folds(3, 4, 1)),
		"no order":                 second(probe.ScoreRank([]float64{1, 1}, []float64{1, 2})),
		"all even":                 second(probe.ProbeProperty(x, same, property, probe.PropertyOptions{})),
		"one class of control":     second(probe.ControlLabels([]int{1}, 1, 1)),
		"too many shots":           second(probe.ExtremesAxis(x, make([]float64, 20), 11)),
	} {
		if err == nil {
			t.Errorf("%s passes", name)
		} else if strings.Contains(err.Error(), "NaN") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := probe.NearMultiple(3, 0); err == nil {
		t.Error("a step of 0 passes")
	}
}

func second[T any](_ T, err error) error { return err }

func ones2(n int) []int {
	v := make([]int, n)
	for i := range v {
		v[i] = 1
	}
	return v
}
