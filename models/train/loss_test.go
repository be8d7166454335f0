package train_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"orrery/models/tensor"
	"orrery/models/train"
)

// Closed forms: equal logits give ln V whatever the answer; logits ln 1, ln 2,
// ln 5 are probabilities 1/8, 2/8, 5/8.
func TestAnswerLossClosedForm(t *testing.T) {
	ln := func(x float64) float32 { return float32(math.Log(x)) }
	for _, c := range []struct {
		name    string
		logits  []float32 // [2,2,3]: the first position of a row must not matter
		answers []int
		want    float64
	}{
		{"uniform", []float32{9, -9, 0, 4, 4, 4, 0, 0, 0, -7, -7, -7}, []int{0, 2}, math.Log(3)},
		{"eighths", []float32{0, 0, 0, ln(1), ln(2), ln(5), 0, 0, 0, ln(1), ln(2), ln(5)}, []int{1, 2}, (math.Log(4) + math.Log(1.6)) / 2},
		{"no overflow", []float32{0, 0, 0, 1000, 0, 0, 0, 0, 0, -1000, 0, -1000}, []int{0, 0}, 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			loss, grad, err := train.AnswerLoss(c.answers)(tensor.From(c.logits, 2, 2, 3))
			if err != nil || !(math.Abs(loss-c.want) <= 1e-6) {
				t.Errorf("loss %g (%v), want %g", loss, err, c.want)
			}
			for i, g := range grad.Data {
				if i%6 < 3 && g != 0 {
					t.Errorf("gradient %g at an earlier position", g)
				}
			}
		})
	}
}

// Two answers a prompt stand at the last two positions, and a prompt is right
// where both are.
func TestSeveralAnswers(t *testing.T) {
	ln := func(x float64) float32 { return float32(math.Log(x)) }
	logits := tensor.From([]float32{
		9, -9, 0, ln(1), ln(2), ln(5), ln(5), ln(1), ln(2),
		0, 7, 0, 0, 0, 0, ln(6), ln(1), ln(1),
	}, 2, 3, 3)
	answers := []int{2, 0, 1, 0}
	loss, grad, err := train.AnswerLoss(answers)(logits)
	want := (math.Log(8.0/5) + math.Log(8.0/5) + math.Log(3) + math.Log(8.0/6)) / 4
	if err != nil || !(math.Abs(loss-want) <= 1e-6) {
		t.Errorf("loss %g (%v), want %g", loss, err, want)
	}
	for at, want := range map[[3]int]float64{{0, 0, 0}: 0, {0, 1, 0}: 1.0 / 32, {0, 1, 2}: -3.0 / 32, {1, 1, 1}: -1.0 / 6, {1, 2, 2}: 1.0 / 32} {
		if got := grad.Data[(at[0]*3+at[1])*3+at[2]]; !(math.Abs(float64(got)-want) <= 1e-7) {
			t.Errorf("gradient at %v: %g, want %g", at, got, want)
		}
	}
	if n, err := train.Correct(logits, answers); err != nil || n != 1 {
		t.Errorf("%d prompts right (%v), want the first alone", n, err)
	}
}

func TestAnswerLossGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	logits := tensor.New(3, 2, 5)
	for i := range logits.Data {
		logits.Data[i] = float32(rng.NormFloat64())
	}
	obj := train.AnswerLoss([]int{4, 0, 2})
	_, grad, err := obj(logits)
	if err != nil || !tensor.SameShape(grad.Shape, logits.Shape) {
		t.Fatalf("gradient %v (%v)", grad, err)
	}
	const h = 1.0 / 256 // exact in float32
	for i, x := range logits.Data {
		logits.Data[i] = x + h
		up, _, _ := obj(logits)
		logits.Data[i] = x - h
		down, _, _ := obj(logits)
		logits.Data[i] = x
		if want := (up - down) / (2 * h); !(math.Abs(float64(grad.Data[i])-want) <= 2e-6) {
			t.Errorf("element %d: gradient %g, finite difference %g", i, grad.Data[i], want)
		}
	}
}

func TestAnswerLossKeepsNaN(t *testing.T) {
	loss, _, err := train.AnswerLoss([]int{0})(tensor.From([]float32{1, float32(math.NaN())}, 1, 1, 2))
	if err != nil || !math.IsNaN(loss) {
		t.Errorf("loss %g (%v), want NaN", loss, err)
	}
}

func TestAnswerLossRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		logits  *tensor.Dense
		answers []int
		says    string
	}{
		{"too few answers", tensor.New(2, 1, 3), []int{0}, "[2 1 3]"},
		{"none", tensor.New(0, 1, 3), nil, "0 answers"},
		{"one row without batch", tensor.New(1, 3), []int{0}, "[1 3]"},
		{"outside the vocabulary", tensor.New(1, 1, 3), []int{3}, "answer 3"},
		{"negative", tensor.New(1, 1, 3), []int{-1}, "answer -1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, _, err := train.AnswerLoss(c.answers)(c.logits); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("loss: got %v, want an error with %q", err, c.says)
			}
			if _, err := train.Correct(c.logits, c.answers); err == nil {
				t.Error("correct: accepted")
			}
		})
	}
}

func TestCorrect(t *testing.T) {
	logits := tensor.From([]float32{
		9, 0, 0, 0, 1, 0, // right at the last position
		0, 9, 0, 1, 0, 0, // right only at the first
		0, 0, 0, 2, 2, 0, // a tie: the lower id
	}, 3, 2, 3)
	if n, err := train.Correct(logits, []int{1, 1, 0}); err != nil || n != 2 {
		t.Errorf("%d correct (%v), want 2", n, err)
	}
}
