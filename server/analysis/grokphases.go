package analysis

import (
	"fmt"

	"orrery/viz"
)

// memorised is the loss on the pairs learned from at which they count as known by
// heart.
const memorised = 0.01

// turns are the checkpoints at which the phases of a training begin, after section
// 5.2 of the paper, where they are read off the curves by eye: circuit formation
// from the least excluded loss on, when the network begins to lean on the keys;
// cleanup from the checkpoint on that follows the highest test loss behind it;
// and the end of it when the test loss first is below a hundredth of the highest.
// ok is false where the pairs learned from are not known, or nothing was
// memorised, or the test loss never fell.
func (r *grokRun) turns() (formation, cleanup, end int, ok bool) {
	if r.train == nil || len(r.frames) < 4 || !r.keys.stand {
		return 0, 0, 0, false
	}
	known := false
	for i, g := range r.frames {
		known = known || g.Loss.Subset < memorised
		if g.Excluded.Subset < r.frames[formation].Excluded.Subset {
			formation = i
		}
	}
	highest := formation
	for i := formation; i < len(r.frames); i++ {
		if r.frames[i].Loss.Rest > r.frames[highest].Loss.Rest {
			highest = i
		}
	}
	top := r.frames[highest].Loss.Rest
	for cleanup = highest; cleanup < len(r.frames)-1 && r.frames[cleanup].Loss.Rest > top/2; cleanup++ {
	}
	for end = cleanup; end < len(r.frames)-1 && r.frames[end].Loss.Rest > top/100; end++ {
	}
	return formation, cleanup, end, known && r.frames[len(r.frames)-1].Loss.Rest < top/100
}

// phases are the bands of the slider.
func (r *grokRun) phases() []viz.Band {
	formation, cleanup, end, ok := r.turns()
	if !ok {
		return nil
	}
	at := func(i int) float64 { return float64(r.points[i].step) }
	return []viz.Band{
		{Label: "memorisation", From: at(0), To: at(formation)},
		{Label: "circuit formation", From: at(formation), To: at(cleanup)},
		{Label: "cleanup", From: at(cleanup), To: at(end)},
	}
}

// describePhases says when the phases begin.
func (r *grokRun) describePhases() string {
	if len(r.points) == 1 && r.a["frames"].(int) == 1 {
		return ""
	}
	if len(r.points) == 1 {
		return "No checkpoints of its training are known: this is the model as it is."
	}
	formation, cleanup, end, ok := r.turns()
	if !ok {
		return ""
	}
	step := func(i int) string { return thousands(int64(r.points[i].step)) }
	return fmt.Sprintf("By its losses the network memorises until step %s, where the excluded loss is least, forms the circuit until %s, where the test loss has halved, and has cleaned up by %s, where it is below a hundredth of its highest.",
		step(formation), step(cleanup), step(end))
}
