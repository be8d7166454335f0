package train

import (
	"fmt"
	"math"

	"orrery/models"
	"orrery/models/tensor"
)

// AnswerLoss returns the objective that training lowers: the cross-entropy, in
// nats, of the answer at the last position, averaged over the batch,
//
//	loss = 1/B · Σ_b −log softmax(logits[b,T−1])[answers[b]]
//
// Its gradient is (softmax − onehot)/B at the last position and 0 elsewhere.
// Rows are summed in float64 in order of b. It reads logits [B,T,V] and returns
// an error when B is not len(answers) or an answer is outside the vocabulary.
func AnswerLoss(answers []int) models.Objective {
	return func(logits *tensor.Dense) (float64, *tensor.Dense, error) {
		b, t, v, err := answerShape(logits, answers)
		if err != nil {
			return 0, nil, err
		}
		grad := tensor.New(b, t, v)
		loss := 0.0
		for i, answer := range answers {
			at := ((i+1)*t - 1) * v
			x, dx := logits.Data[at:at+v], grad.Data[at:at+v]
			top := math.Inf(-1)
			for _, l := range x {
				top = max(top, float64(l)) // max hands on a NaN, and the loss becomes one
			}
			sum := 0.0
			for _, l := range x {
				sum += math.Exp(float64(l) - top)
			}
			lse := top + math.Log(sum)
			loss += lse - float64(x[answer])
			for j, l := range x {
				dx[j] = float32(math.Exp(float64(l)-lse) / float64(b))
			}
			dx[answer] = float32((math.Exp(float64(x[answer])-lse) - 1) / float64(b))
		}
		return loss / float64(b), grad, nil
	}
}

// Correct counts the rows of logits [B,T,V] whose largest logit at the last
// position is the answer's. A tie counts for the lowest id, as greedy decoding has it.
func Correct(logits *tensor.Dense, answers []int) (int, error) {
	_, t, v, err := answerShape(logits, answers)
	if err != nil {
		return 0, err
	}
	right := 0
	for i, answer := range answers {
		at := ((i+1)*t - 1) * v
		best := 0
		row := logits.Data[at : at+v]
		for j, l := range row {
			if l > row[best] {
				best = j
			}
		}
		if best == answer {
			right++
		}
	}
	return right, nil
}

// answerShape returns the sizes of logits after checking the answers against them.
func answerShape(logits *tensor.Dense, answers []int) (b, t, v int, err error) {
	if logits.Rank() != 3 || logits.Dim(0) != len(answers) || len(answers) == 0 {
		return 0, 0, 0, fmt.Errorf("answer loss: %d answers for logits of shape %v, expected [%d,T,V]", len(answers), logits.Shape, len(answers))
	}
	b, t, v = logits.Dim(0), logits.Dim(1), logits.Dim(2)
	for i, a := range answers {
		if a < 0 || a >= v {
			return 0, 0, 0, fmt.Errorf("answer loss: answer %d of row %d is outside the vocabulary 0..%d", a, i, v-1)
		}
	}
	return b, t, v, nil
}
