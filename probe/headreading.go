package probe

import (
	"context"
	"fmt"

	"orrery/models"
	"orrery/models/tensor"
)

// HeadReading is what one attention head does in the run of one prompt, read at
// one of its positions.
type HeadReading struct {
	// Pattern [T,T] is the head's attention, rows the query.
	Pattern *tensor.Dense
	// Writes [V] is what the head's output at the position adds to each logit that
	// is read there, by the direct path alone: with the final norm's scale of the
	// run, gain·(v − mean v)/s · W_U without biases, as DirectAttribution has it.
	Writes []float64
	// Logits [T,V] are the run's.
	Logits *tensor.Dense
}

// ReadHead runs the model on a prompt and reads one head of it. A negative
// position counts from the end. The cost is one run and D·V multiplications;
// what is recorded grows with the layers below the head, and with T².
func ReadHead(ctx context.Context, m *models.Model, ids []int, layer, head, position int) (*HeadReading, error) {
	c, t := m.Config, len(ids)
	switch {
	case layer < 0 || layer >= c.Layers:
		return nil, fmt.Errorf("read head: layer %d is outside 0..%d", layer, c.Layers-1)
	case head < 0 || head >= c.Heads:
		return nil, fmt.Errorf("read head: head %d is outside 0..%d", head, c.Heads-1)
	case position < -t || position >= t:
		return nil, fmt.Errorf("read head: position %d is outside the prompt of %d tokens", position, t)
	}
	position = (position + t) % t
	pattern, scale := models.Site{Layer: layer, Kind: models.Pattern}, models.Site{Layer: -1, Kind: models.FinalScale}
	out, cache, err := m.RunWithCache(ctx, models.Prompt(ids...), models.CacheOptions{Sites: func(s models.Site) bool {
		return s == pattern || s == scale || s.Layer <= layer && (s.Kind == models.Z || s.Kind == models.LN1PostScale)
	}})
	if err != nil {
		return nil, err
	}
	attention, ok := cache.Get(pattern)
	if !ok {
		return nil, fmt.Errorf("read head: %s did not fire in this model", pattern)
	}
	stack, err := models.StackHeadResults(m, cache, layer+1, models.StackOptions{Pos: []int{position}})
	if err != nil {
		return nil, err
	}
	var s []float32
	if c.Norm != models.NoNorm {
		all, ok := cache.Get(scale)
		if !ok {
			return nil, fmt.Errorf("read head: the final norm's scale was not recorded")
		}
		s = all.Data[position : position+1]
	}
	v := stack.Component(layer*c.Heads + head)
	y, err := m.UnembedFrozen(tensor.From(v.Data, 1, c.Width), s, false)
	if err != nil {
		return nil, err
	}
	writes := make([]float64, len(y.Data))
	for i, x := range y.Data {
		writes[i] = float64(x)
	}
	return &HeadReading{Pattern: attention.Sub(0, head), Writes: writes, Logits: out.Logits.Sub(0)}, nil
}
