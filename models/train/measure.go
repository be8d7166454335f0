package train

import (
	"context"

	"orrery/models"
)

// Score is how well a model answers a set of prompts.
type Score struct {
	Prompts  int     `json:"prompts"`
	Correct  int     `json:"correct"`  // largest logit at the last position is the answer's
	Accuracy float64 `json:"accuracy"` // Correct/Prompts
	Loss     float64 `json:"loss"`     // mean cross-entropy of the answer, in nats
}

// measureBatch is the number of prompts that Measure runs at once. It bounds
// the memory and, as kernels are batch-invariant, changes no bit of the result.
const measureBatch = 512

// Measure runs the model on examples and scores its answers. The score of no
// examples is zero.
func Measure(ctx context.Context, m *models.Model, examples []Example) (Score, error) {
	s := Score{Prompts: len(examples)}
	for lo := 0; lo < len(examples); lo += measureBatch {
		part := examples[lo:min(lo+measureBatch, len(examples))]
		in, answers := batchOf(part)
		out, err := m.RunFor(ctx, in, models.Need{Last: true})
		if err != nil {
			return Score{}, err
		}
		right, err := Correct(out.Logits, answers)
		if err != nil {
			return Score{}, err
		}
		loss, _, err := AnswerLoss(answers)(out.Logits)
		if err != nil {
			return Score{}, err
		}
		s.Correct += right
		s.Loss += loss * float64(len(part)) / float64(len(examples))
	}
	if s.Prompts > 0 {
		s.Accuracy = float64(s.Correct) / float64(s.Prompts)
	}
	return s, nil
}

// batchOf lays examples of one length out as the input of a run.
func batchOf(examples []Example) (in models.Batch, answers []int) {
	in.B, in.T = len(examples), len(examples[0].IDs)
	for _, e := range examples {
		in.IDs = append(in.IDs, e.IDs...)
		answers = append(answers, e.Answer)
	}
	return in, answers
}
