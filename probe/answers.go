package probe

import (
	"context"
	"fmt"

	"orrery/models"
)

// AnswerReading is what a model makes of each token of an answer, given those
// before it (teacher forcing). All of Right is what greedy generation asks for: one
// that is wrong ends it there, one after another right ones are what it would write.
type AnswerReading struct {
	Right []bool    // whether the likeliest token is the answer's
	Loss  []float64 // −ln of the answer's probability, in nats
	Said  []int     // the likeliest token
}

// Whole says whether every token is right.
func (r AnswerReading) Whole() bool {
	for _, ok := range r.Right {
		if !ok {
			return false
		}
	}
	return true
}

// answersTogether bounds how many rows pass at a time: their logits are all kept.
const answersTogether = 32

// ReadAnswers runs each prompt with its answer and reads the answer's tokens off the
// places before them. The cost is one pass of all rows; equal lengths next to each
// other go together, 32 at most. Errors: a prompt or an answer without tokens, another count.
func ReadAnswers(ctx context.Context, m *models.Model, prompts, answers [][]int) ([]AnswerReading, error) {
	if len(prompts) != len(answers) {
		return nil, fmt.Errorf("answers: %d of %d prompts", len(answers), len(prompts))
	}
	out := make([]AnswerReading, len(prompts))
	for from := 0; from < len(prompts); {
		n, l := len(prompts[from]), len(answers[from])
		if n == 0 || l == 0 {
			return nil, fmt.Errorf("answers: prompt %d has %d tokens, its answer %d; each needs one", from, n, l)
		}
		to := from
		var rows [][]int
		for ; to < len(prompts) && len(prompts[to]) == n && len(answers[to]) == l && len(rows) < answersTogether; to++ {
			rows = append(rows, append(prompts[to][:n:n], answers[to][:l-1]...))
		}
		in, err := models.Rows(rows)
		if err != nil {
			return nil, err
		}
		need := models.Need{}
		for i := range l {
			need.Positions = append(need.Positions, n-1+i)
		}
		run, err := m.RunFor(ctx, in, need)
		if err != nil {
			return nil, fmt.Errorf("answers: %w", err)
		}
		for b := range rows {
			r := &out[from+b]
			for i, id := range answers[from+b] {
				z := run.Logits.Sub(b, i).Data
				best := 0
				for v := range z {
					if z[v] > z[best] {
						best = v
					}
				}
				r.Right, r.Said = append(r.Right, best == id), append(r.Said, best)
				r.Loss = append(r.Loss, -models.LogProbs(z)[id])
			}
		}
		from = to
	}
	return out, nil
}
