package ablate

import (
	"context"

	"orrery/models"
	"orrery/models/tensor"
)

// frozenNorms are the norms of base runs, through which differences pass as
// through a linear map.
type frozenNorms struct {
	r      *edgeRuns
	scale  *models.Cache // of every norm, [pairs,T,1]
	blocks map[int]*models.BlockParams
}

// freeze records the norms' scales.
func (r *edgeRuns) freeze(ctx context.Context) (*frozenNorms, error) {
	f := &frozenNorms{r: r, scale: models.NewCache(), blocks: map[int]*models.BlockParams{}}
	scales := func(s models.Site) bool {
		return s.Kind == models.LN1Scale || s.Kind == models.LN2Scale || s.Kind == models.FinalScale
	}
	_, err := r.m.Run(ctx, r.sides.run.Batch(), models.Record(f.scale, scales))
	return f, err
}

// edits add a difference [T,D] of the stream to what a destination reads of a
// pair.
func (f *frozenNorms) edits(to Receiver, pair int, delta []float32) ([]models.Edit, error) {
	if to.Input == MLPInput || to.Input == LogitsInput {
		edits := []models.Edit{{Site: destinationSite(to).String(), Op: models.Add, Value: models.List(delta...)}}
		at := models.Site{Layer: to.Layer, Kind: models.LN2Scale}
		if to.Input == LogitsInput {
			at = models.Site{Layer: -1, Kind: models.FinalScale}
		}
		if s, ok := f.scale.Get(at); ok {
			edits = append(edits, models.Edit{Site: at.String(), Op: models.Set, Value: models.List(s.Sub(pair).Data...)})
		}
		return edits, nil
	}
	b := f.blocks[to.Layer]
	if b == nil {
		var err error
		if b, err = f.r.m.Block(to.Layer); err != nil {
			return nil, err
		}
		f.blocks[to.Layer] = b
	}
	kind, w := models.Q, b.Q.Weight
	switch to.Input {
	case KeyInput:
		kind, w = models.K, b.K.Weight
	case ValueInput:
		kind, w = models.V, b.V.Weight
	}
	return []models.Edit{{Site: models.Site{Layer: to.Layer, Kind: kind}.String(), Heads: []int{to.Index}, Op: models.Add, Value: models.List(f.project(to, pair, delta, b.LN1.Weight, w)...)}}, nil
}

// project is what a difference [T,D] adds to a head's query, key or value, [T,K]:
// centred where the norm centres, over its scale, times its gain, by the head's
// rows of the matrix w [H·K,D].
func (f *frozenNorms) project(to Receiver, pair int, delta []float32, gain, w *tensor.Dense) []float32 {
	c := f.r.m.Config
	scale, normed := f.scale.Get(models.Site{Layer: to.Layer, Kind: models.LN1Scale})
	out := make([]float32, 0, f.r.sides.T*c.HeadWidth)
	x := make([]float64, c.Width)
	for pos := range f.r.sides.T {
		row, mean, divisor := delta[pos*c.Width:(pos+1)*c.Width], 0.0, 1.0
		if c.Norm == models.LayerNorm {
			for _, v := range row {
				mean += float64(v) / float64(c.Width)
			}
		}
		if normed {
			divisor = float64(scale.At(pair, pos, 0))
		}
		for d, v := range row {
			x[d] = (float64(v) - mean) / divisor
			if gain != nil {
				x[d] *= float64(gain.Data[d])
			}
		}
		for k := range c.HeadWidth {
			sum := 0.0
			for d, v := range w.Sub(to.Index*c.HeadWidth + k).Data {
				sum += float64(v) * x[d]
			}
			out = append(out, float32(sum))
		}
	}
	return out
}
