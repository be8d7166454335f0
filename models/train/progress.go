package train

import "time"

// Progress is what a run reports while it goes on. Values that were not
// measured since the last report are NaN.
type Progress struct {
	Step, Steps int // updates made, updates of the whole recipe
	Resumed     int // the step from which this call took the run up, 0 for a fresh one

	Loss            float64 // mean over the batches since the last report, nats
	TrainAccuracy   float64 // share of right answers in those batches, before their updates
	HeldOutAccuracy float64 // on all held-out prompts, at the steps that the recipe measures
	HeldOutLoss     float64 // mean cross-entropy on them, nats

	LearningRate   float64       // of the last step
	GradNorm       float64       // of the last step, before clipping
	StepsPerSecond float64       // in this call
	Elapsed        time.Duration // training time, those before a stop included
	ETA            time.Duration // to the last step, at the present rate
	Saved          bool          // a checkpoint was written at this step
}

// Point is one measurement of a run's learning curve.
type Point struct {
	Step            int     `json:"step"`
	Loss            float64 `json:"loss"`              // mean over the batches since the point before, nats
	TrainAccuracy   float64 `json:"train_accuracy"`    // in those batches
	HeldOutAccuracy float64 `json:"held_out_accuracy"` // at this step
	HeldOutLoss     float64 `json:"held_out_loss"`     // at this step, nats
}

// tally sums losses and right answers over batches. The state of a run holds one.
type tally struct {
	Loss    float64
	Right   int
	Prompts int
	Batches int
}

func (t *tally) add(loss float64, right, prompts int) {
	t.Loss += loss
	t.Right += right
	t.Prompts += prompts
	t.Batches++
}

// mean returns loss and accuracy, NaN when nothing was added.
func (t tally) mean() (loss, accuracy float64) {
	return t.Loss / float64(t.Batches), float64(t.Right) / float64(t.Prompts)
}
