package probe

import (
	"context"
	"fmt"
	"math"

	"orrery/models"
	"orrery/models/tensor"
)

// LensOf says what a component lens decodes.
type LensOf string

// What a component lens decodes.
const (
	// LensComponents are the embedding, attention outputs and MLP outputs.
	LensComponents LensOf = "components"
	// LensHeads are what single heads write, without b_O.
	LensHeads LensOf = "heads"
)

// ComponentStates names the rows that ComponentLens will emit, in order:
// "embed", "attn_out.0", "mlp_out.0", ... or "L0H0", "L0H1", ...
func ComponentStates(m *models.Model, of LensOf) ([]string, error) {
	var states []string
	switch of {
	case LensHeads:
		for l := range m.Config.Layers {
			for h := range m.Config.Heads {
				states = append(states, fmt.Sprintf("L%dH%d", l, h))
			}
		}
	case LensComponents:
		states = []string{"embed"}
		for l := range m.Config.Layers {
			states = append(states, fmt.Sprintf("attn_out.%d", l))
			if !m.Config.AttnOnly {
				states = append(states, fmt.Sprintf("mlp_out.%d", l))
			}
		}
	default:
		return nil, fmt.Errorf("component lens: unknown %q: there are %q", of, []LensOf{LensComponents, LensHeads})
	}
	return states, nil
}

// ComponentLens decodes what each component writes to the residual stream, as
// LogitLens decodes the stream itself. With its own statistics and biases it
// says which token a component would name if it were the whole stream; with
// Frozen, what it adds to each logit of the run, without biases: the rows of
// LensComponents and the biases then add up to the logits, and LastRowError is
// by how much they do not (but where logits are capped). Elsewhere LastRowError
// is 0. opt.Mid has no meaning here. The cost is one run and N·T·D·V
// multiplications.
func ComponentLens(ctx context.Context, m *models.Model, ids []int, of LensOf, opt LensOptions, emit func(LensRow) error) (*Lens, error) {
	if opt.Coda != 0 || opt.Tuned != nil {
		return nil, fmt.Errorf("component lens: codas and tuned lenses read a whole stream, and a component is a part of it: take the logit lens")
	}
	states, err := ComponentStates(m, of)
	if err != nil {
		return nil, err
	}
	out, cache, err := m.RunWithCache(ctx, models.Prompt(ids...), models.CacheOptions{}, opt.Hooks...)
	if err != nil {
		return nil, err
	}
	takeApart := models.DecomposeResid
	if of == LensHeads {
		takeApart = models.StackHeadResults
	}
	stack, err := takeApart(m, cache, -1, models.StackOptions{})
	if err != nil {
		return nil, err
	}
	final := out.Logits.Sub(0)
	lens := &Lens{IDs: ids}
	if err := lens.follow(final, opt); err != nil {
		return nil, err
	}
	ref := newReference(final, lens.Target, lens.AntiTarget)
	decode, err := lensReadout(m, cache, opt.Frozen, false)
	if err != nil {
		return nil, err
	}
	sum := tensor.New(final.Shape...)
	parts := componentRows(stack, of)
	for i, x := range parts {
		if err := ctx.Err(); err != nil {
			return lens, err
		}
		logits, err := decode(x)
		if err != nil {
			return lens, fmt.Errorf("component lens: %w", err)
		}
		for j, v := range logits.Data {
			sum.Data[j] += v
		}
		row := ref.read(logits, opt)
		row.State, row.Layer = states[i], componentLayer(m, of, i)
		lens.Rows = append(lens.Rows, row)
		if err := emit(row); err != nil {
			return lens, err
		}
	}
	if !opt.Frozen || of != LensComponents {
		return lens, nil
	}
	biases, err := frozenBiases(m)
	if err != nil {
		return lens, err
	}
	for j, v := range sum.Data {
		lens.LastRowError = max(lens.LastRowError, math.Abs(float64(v)+float64(biases[j%len(biases)])-float64(final.Data[j])))
	}
	return lens, nil
}

// componentRows lays the components out, [T,D] each; embedding and position
// embedding are one.
func componentRows(stack *models.Stack, of LensOf) []*tensor.Dense {
	all := stack.Dense()
	var rows []*tensor.Dense
	for i, label := range stack.Labels {
		x := all.Sub(i, 0)
		if of == LensComponents && label == "pos_embed" {
			for j, v := range x.Data {
				rows[0].Data[j] += v
			}
			continue
		}
		rows = append(rows, x)
	}
	return rows
}

// componentLayer is the block of row i, -1 for the embedding.
func componentLayer(m *models.Model, of LensOf, i int) int {
	switch {
	case of == LensHeads:
		return i / m.Config.Heads
	case i == 0:
		return -1
	case m.Config.AttnOnly:
		return i - 1
	}
	return (i - 1) / 2
}

// frozenBiases is what the final norm's and the unembedding's biases add to the
// logits, [V].
func frozenBiases(m *models.Model) ([]float32, error) {
	var scale []float32
	if m.Config.Norm != models.NoNorm {
		scale = []float32{1}
	}
	y, err := m.UnembedFrozen(tensor.New(1, m.Config.Width), scale, true)
	if err != nil {
		return nil, err
	}
	return y.Data, nil
}
