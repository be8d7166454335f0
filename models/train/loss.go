package train

import (
	"fmt"

	"orrery/models"
	"orrery/models/internal/kernel"
	"orrery/models/tensor"
)

// AnswerLoss returns the objective that training lowers: the cross-entropy, in
// nats, of the n answers of each prompt at its last n positions, averaged over
// batch and answers,
//
//	loss = 1/(B·n) · Σ_b Σ_i −log softmax(logits[b,T−n+i])[answers[b·n+i]]
//
// Its gradient is (softmax − onehot)/(B·n) at those positions and 0 elsewhere.
// Losses are summed in float64 in order of b and i. It reads logits [B,T,V] and
// returns an error when answers are not as many for each of the B prompts, or
// outside the vocabulary.
func AnswerLoss(answers []int) models.Objective {
	return func(logits *tensor.Dense) (float64, *tensor.Dense, error) {
		r, err := answerRows(logits, answers)
		if err != nil {
			return 0, nil, err
		}
		grad, losses := tensor.New(logits.Shape...), make([]float64, len(answers))
		kernel.Do(len(answers), 1+lossGrain/r.v, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				losses[i] = kernel.CrossEntropy(r.of(grad, i), r.of(logits, i), answers[i], len(answers))
			}
		})
		loss := 0.0
		for _, l := range losses {
			loss += l
		}
		return loss / float64(len(answers)), grad, nil
	}
}

// lossGrain is the number of logits that are worth a thread of their own.
const lossGrain = 4096

// Correct counts the prompts of logits [B,T,V] whose answers all have the
// largest logit, each at its position. A tie counts for the lowest id, as greedy
// decoding has it.
func Correct(logits *tensor.Dense, answers []int) (int, error) {
	r, err := answerRows(logits, answers)
	if err != nil {
		return 0, err
	}
	right := 0
	for b := 0; b < len(answers); b += r.n {
		all := true
		for i := b; i < b+r.n; i++ {
			all = all && models.Argmax(r.of(logits, i)) == answers[i]
		}
		if all {
			right++
		}
	}
	return right, nil
}

// rowsOfAnswers finds the logits of answers in [B,T,V].
type rowsOfAnswers struct{ n, t, v int } // n answers a prompt

// of are the V values of x at the position of answer i.
func (r rowsOfAnswers) of(x *tensor.Dense, i int) []float32 {
	at := ((i/r.n+1)*r.t - r.n + i%r.n) * r.v
	return x.Data[at : at+r.v]
}

// answerRows checks answers against logits.
func answerRows(logits *tensor.Dense, answers []int) (rowsOfAnswers, error) {
	if logits.Rank() != 3 || len(answers) == 0 || logits.Dim(0) == 0 || len(answers)%logits.Dim(0) != 0 || len(answers) > logits.Dim(0)*logits.Dim(1) {
		return rowsOfAnswers{}, fmt.Errorf("answer loss: %d answers for logits of shape %v, expected [B,T,V] with as many answers, up to T, for each of the B prompts", len(answers), logits.Shape)
	}
	r := rowsOfAnswers{n: len(answers) / logits.Dim(0), t: logits.Dim(1), v: logits.Dim(2)}
	for i, a := range answers {
		if a < 0 || a >= r.v {
			return r, fmt.Errorf("answer loss: answer %d of row %d is outside the vocabulary 0..%d", a, i/r.n, r.v-1)
		}
	}
	return r, nil
}
