package probe

import (
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Folds deals n rows out into k folds of nearly equal size, at random.
func Folds(n, k int, seed uint64) ([]int, error) {
	if k < 2 || k > n {
		return nil, fmt.Errorf("folds: %d folds of %d rows: between 2 and %d are possible", k, n, n)
	}
	fold := rand.New(rand.NewPCG(seed, 3)).Perm(n)
	for i := range fold {
		fold[i] %= k
	}
	return fold, nil
}

// eachFold calls fn with the training and the test rows of every fold.
func eachFold(op string, fold []int, rows int, fn func(at int, train, test []int) error) error {
	if len(fold) != rows {
		return fmt.Errorf("%s: %d fold numbers for %d rows", op, len(fold), rows)
	}
	names := distinctNumbers(fold)
	if len(names) < 2 {
		return fmt.Errorf("%s: all rows are in one fold: nothing is left to train on", op)
	}
	for at, name := range names {
		var train, test []int
		for i, f := range fold {
			if f == name {
				test = append(test, i)
			} else {
				train = append(train, i)
			}
		}
		if err := fn(at, train, test); err != nil {
			return fmt.Errorf("%s: fold %d: %w", op, name, err)
		}
	}
	return nil
}

// ClassScores is how well a classifier does on rows that it has not seen.
type ClassScores struct {
	// Predictions holds each row's class as its own fold predicts it.
	Predictions []int
	// PerFold is the accuracy of each fold; Mean its mean.
	PerFold []float64
	Mean    float64
	// Accuracy and Balanced are over the pooled predictions; Balanced is the mean
	// over classes of the share of their rows that are right. Majority is what
	// the commonest class alone achieves.
	Accuracy, Balanced, Majority float64
}

// CrossValidate fits a classifier to all folds but one and predicts the one, for
// each: row i is tested in fold fold[i]. fit is FitLogistic with its C,
// FitDiscriminant, or another. A fold whose training rows have one class only
// is an error that names it.
func CrossValidate(x *mat.Dense, labels, fold []int, fit func(x *mat.Dense, labels []int) (*Classifier, error)) (*ClassScores, error) {
	n, _, err := checkRows("cross-validation", "features", x, 2)
	if err != nil {
		return nil, err
	}
	if _, _, err := classIndex("cross-validation", labels, n); err != nil {
		return nil, err
	}
	s := &ClassScores{Predictions: make([]int, n)}
	err = eachFold("cross-validation", fold, n, func(_ int, train, test []int) error {
		c, err := fit(selectRows(x, train), pick(labels, train))
		if err != nil {
			return err
		}
		got, err := c.Predict(selectRows(x, test))
		if err != nil {
			return err
		}
		for i, row := range test {
			s.Predictions[row] = got[i]
		}
		s.PerFold = append(s.PerFold, Accuracy(pick(labels, test), got))
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, a := range s.PerFold {
		s.Mean += a / float64(len(s.PerFold))
	}
	s.Accuracy = Accuracy(labels, s.Predictions)
	s.Balanced = BalancedAccuracy(labels, s.Predictions)
	for _, c := range distinctNumbers(labels) {
		s.Majority = max(s.Majority, float64(count(labels, c))/float64(n))
	}
	return s, nil
}

// RidgeScores is how well a ridge regression does on rows that it has not seen.
type RidgeScores struct {
	// Predictions is [N, M], each row as its own fold predicts it.
	Predictions *mat.Dense
	// PerFold is R2 of each fold, about the fold's own mean, averaged over
	// targets; Mean its mean. R2 is of the pooled predictions.
	PerFold []float64
	Mean    float64
	R2      R2Score
}

// CrossValidateRidge is CrossValidate for FitRidge with a penalty.
func CrossValidateRidge(x, y *mat.Dense, alpha float64, fold []int) (*RidgeScores, error) {
	n, _, err := checkRows("cross-validation", "features", x, 2)
	if err != nil {
		return nil, err
	}
	ny, m, err := checkRows("cross-validation", "targets", y, 2)
	if err != nil {
		return nil, err
	}
	if n != ny {
		return nil, fmt.Errorf("cross-validation: %d rows of features for %d of targets", n, ny)
	}
	s := &RidgeScores{Predictions: mat.NewDense(n, m, nil)}
	err = eachFold("cross-validation", fold, n, func(_ int, train, test []int) error {
		l, err := FitRidge(selectRows(x, train), selectRows(y, train), alpha)
		if err != nil {
			return err
		}
		got, err := l.Predict(selectRows(x, test))
		if err != nil {
			return err
		}
		for i, row := range test {
			s.Predictions.SetRow(row, got.RawRowView(i))
		}
		r2, err := ScoreR2(selectRows(y, test), got)
		if err != nil {
			return err
		}
		mean := 0.0
		for _, v := range r2.Each {
			mean += v / float64(m)
		}
		s.PerFold = append(s.PerFold, mean)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, v := range s.PerFold {
		s.Mean += v / float64(len(s.PerFold))
	}
	s.R2, err = ScoreR2(y, s.Predictions)
	return s, err
}

// Accuracy is the share of predictions that are right; 0 for none.
func Accuracy(labels, predictions []int) float64 {
	right := 0
	for i, l := range labels {
		if predictions[i] == l {
			right++
		}
	}
	return float64(right) / float64(max(len(labels), 1))
}

// BalancedAccuracy is the mean over classes of the share of their rows that are
// right: 1/classes for any constant answer.
func BalancedAccuracy(labels, predictions []int) float64 {
	classes := distinctNumbers(labels)
	mean := 0.0
	for _, c := range classes {
		right := 0
		for i, l := range labels {
			if l == c && predictions[i] == c {
				right++
			}
		}
		mean += float64(right) / float64(count(labels, c)) / float64(len(classes))
	}
	return mean
}

// ControlLabels gives every kind of token a fixed random class: what a probe
// reaches on them it owes to its own power, not to the representation, and its
// accuracy on the task less that is its selectivity (Hewitt and Liang,
// "Designing and Interpreting Probes with Control Tasks", 2019,
// arXiv:1909.03368).
func ControlLabels(tokens []int, classes int, seed uint64) ([]int, error) {
	if classes < 2 {
		return nil, fmt.Errorf("control labels: %d classes: at least 2 are needed", classes)
	}
	rng := rand.New(rand.NewPCG(seed, 4))
	of := map[int]int{}
	for _, t := range distinctNumbers(tokens) {
		of[t] = rng.IntN(classes)
	}
	out := make([]int, len(tokens))
	for i, t := range tokens {
		out[i] = of[t]
	}
	return out, nil
}

func pick(values, at []int) []int {
	out := make([]int, len(at))
	for i, a := range at {
		out[i] = values[a]
	}
	return out
}

func count(values []int, v int) int {
	n := 0
	for _, x := range values {
		if x == v {
			n++
		}
	}
	return n
}
