package train

import (
	"context"

	"orrery/models"
)

// Score is how well a model answers a set of prompts.
type Score struct {
	Prompts  int     `json:"prompts"`
	Correct  int     `json:"correct"`  // every answer has the largest logit at its position
	Accuracy float64 `json:"accuracy"` // Correct/Prompts
	Loss     float64 `json:"loss"`     // mean cross-entropy of the answers, in nats
}

// measureBatch is the number of prompts that Measure runs at once. It bounds
// the memory and, as kernels are batch-invariant, changes no bit of the result.
const measureBatch = 512

// Measure runs the model on examples, under edits if any are given, and scores
// its answers. The score of no examples is zero.
func Measure(ctx context.Context, m *models.Model, examples []Example, edits ...models.Edit) (Score, error) {
	s := Score{Prompts: len(examples)}
	for lo := 0; lo < len(examples); lo += measureBatch {
		part := examples[lo:min(lo+measureBatch, len(examples))]
		in, answers := batchOf(part)
		hooks, err := m.Edits(edits...)
		if err != nil {
			return Score{}, err
		}
		out, err := m.RunFor(ctx, in, needOf(part), hooks...)
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

// Spread returns at most n of the examples, at even distances; all where there
// are no more.
func Spread(examples []Example, n int) []Example {
	if len(examples) <= n {
		return examples
	}
	out := make([]Example, n)
	for i := range out {
		out[i] = examples[i*len(examples)/n]
	}
	return out
}

// batchOf lays examples of one length out as the input of a run, and their
// answers behind one another.
func batchOf(examples []Example) (in models.Batch, answers []int) {
	in.B, in.T = len(examples), len(examples[0].IDs)
	for _, e := range examples {
		in.IDs = append(in.IDs, e.IDs...)
		answers = append(answers, e.Answers...)
	}
	return in, answers
}

// needOf asks for the logits at the positions of the examples' answers.
func needOf(examples []Example) models.Need {
	n := len(examples[0].Answers)
	if n == 1 {
		return models.Need{Last: true}
	}
	var need models.Need
	for i := -n; i < 0; i++ {
		need.Positions = append(need.Positions, i)
	}
	return need
}
