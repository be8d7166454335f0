package analysis

import (
	"context"
	"fmt"

	"orrery/ablate"
	"orrery/probe"
	"orrery/viz"
)

// mostRead is how many tokens have a panel of their own: more than a prompt of two
// operands in a short template has.
const mostRead = 8

// readPrompts is how many prompts attention is averaged over at most.
const readPrompts = 200

// readFrom are those prompts.
func (r *headTypesRun) readFrom() []ablate.Prompt {
	return r.set.Prompts[:min(readPrompts, len(r.set.Prompts))]
}

// readPanels are the tokens whose share of the last token's attention is drawn, by
// position: all of a short prompt, the operands of a long one.
func (r *headTypesRun) readPanels() (at []int, labels []string) {
	axis := columns(r.m, r.set.Prompts)
	for i, label := range axis.Labels {
		operand := axis.Roles[i] == viz.RoleOperandA || axis.Roles[i] == viz.RoleOperandB
		if len(axis.Labels) <= mostRead || operand {
			at, labels = append(at, i), append(labels, label)
		}
	}
	return at, labels
}

// readsItem is the empty picture of what every head reads.
func (r *headTypesRun) readsItem(fig *viz.Figure) viz.Item {
	L, H := r.m.Config.Layers, r.m.Config.Heads
	fig.Scales["reads"] = viz.Scale{Kind: viz.ScaleSequential, Lo: 0, Hi: 1e-3, Label: "share of the last token's attention", Format: "%.2f"}
	heat := &viz.Heatmap{Scale: "reads"}
	at, labels := r.readPanels()
	for i, position := range at {
		name := fmt.Sprintf("reads%d", position)
		fig.Arrays[name] = viz.NewArray([]string{"layer", "head"}, L, H)
		heat.Panels = append(heat.Panels, viz.Panel{Title: "to " + labels[i], Rows: countAxis("layer", L), Columns: countAxis("head", H), Values: name})
	}
	return viz.Item{Title: "What heads read", Subtitle: fmt.Sprintf("attention from the last token, mean over %d prompts", len(r.readFrom())), Kind: viz.KindHeatmap, Heatmap: heat}
}

// reads fills it.
func (r *headTypesRun) reads(ctx context.Context) error {
	p, err := probe.MeanPatterns(ctx, r.m, idsOf(r.readFrom()), nil, func(int) error { return ctx.Err() })
	if err != nil {
		return err
	}
	part, scale := viz.Part{}, r.fig.Scales["reads"]
	at, _ := r.readPanels()
	last := len(r.set.Prompts[0].IDs) - 1
	for _, position := range at {
		var values []float32
		for _, pattern := range p.Mean {
			for h := range r.m.Config.Heads {
				v := pattern.At(h, last, position)
				values = append(values, v)
				scale = grow(scale, []float64{float64(v)})
			}
		}
		part.Arrays = append(part.Arrays, viz.ArrayRun{Name: fmt.Sprintf("reads%d", position), F32: viz.EncodeFloats(values)})
	}
	part.Scales = map[string]viz.Scale{"reads": scale}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.rowError = p.RowError
	r.emit.Part(part)
	r.emit.Progress(1, 4, "steps")
	return nil
}

// patternBadge checks that what was averaged is attention.
func (r *headTypesRun) patternBadge() viz.Badge {
	return viz.Badge{Text: "rows add up to 1", Value: r.rowError, Bound: patternRowBound, OK: r.rowError <= patternRowBound,
		Help: "largest difference from 1 of the attention of one query over its keys"}
}
