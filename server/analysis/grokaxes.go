package analysis

import (
	"orrery/probe"
	"orrery/viz"
)

// stepScale is the axis of the steps.
func (r *grokRun) stepScale() viz.Scale {
	last := max(r.points[len(r.points)-1].step, 1)
	return viz.Scale{Kind: viz.ScaleLinear, Lo: 0, Hi: float64(last), Label: "step", Format: "%.0f"}
}

// stepLogScale begins below the first step above 0, so that this and step 0, which
// stands at the axis' end, keep apart.
func (r *grokRun) stepLogScale() viz.Scale {
	s := r.stepScale()
	s.Kind, s.Lo = viz.ScaleLog, s.Hi/2
	for _, p := range r.points {
		if p.step > 0 {
			s.Lo = float64(p.step) / 2
			break
		}
	}
	return s
}

// lossAxes are the axes of losses by step: scale is logarithmic, and the scale of
// that name and "_linear" beside it begins at 0.
func lossAxes(scale string) []viz.LinesView {
	return []viz.LinesView{
		{Name: "loglog", Label: "log–log", Help: "loss and step logarithmic; step 0 stands at the axis' end", XScale: "step_log", YScale: scale},
		{Name: "log", Label: "log", Help: "loss logarithmic, step linear", XScale: "step", YScale: scale},
		{Name: "linear", Label: "linear", Help: "loss and step linear", XScale: "step", YScale: scale + "_linear"},
	}
}

// stepAxes are those of what is between fixed limits.
func stepAxes(scale string) []viz.LinesView {
	return []viz.LinesView{
		{Name: "loglog", Label: "log steps", Help: "step logarithmic; step 0 stands at the axis' end", XScale: "step_log", YScale: scale},
		{Name: "linear", Label: "linear", Help: "step linear", XScale: "step", YScale: scale},
	}
}

// byStep is curves over the steps, under the slider's rule, on the first of the axes.
func byStep(axes []viz.LinesView, series ...viz.Series) *viz.Lines {
	return &viz.Lines{X: "step", XScale: axes[0].XScale, YScale: axes[0].YScale, Views: axes, Series: series, Rule: true}
}

// lossScales adds the logarithmic and the linear scale of losses.
func (r *grokRun) lossScales(name, label string) {
	log := viz.Scale{Kind: viz.ScaleLog, Lo: 1, Hi: 10, Label: label, Unit: "nats", Format: "%.2g"}
	linear := log
	linear.Kind, linear.Lo = viz.ScaleLinear, 0
	r.fig.Scales[name], r.fig.Scales[name+"_linear"] = log, linear
}

// losses widens the scales of losses.
func (r *grokRun) losses(part *viz.Part, name string, values ...float64) {
	part.Scales[name] = decades(r.fig.Scales[name], values...)
	part.Scales[name+"_linear"] = grow(r.fig.Scales[name+"_linear"], values)
}

// pairsOf names the pairs that a loss is over; paper is what the paper takes
// there.
func (r *grokRun) pairsOf(paper string) string {
	switch over := r.a["over"].(string); {
	case over != "paper":
		return over
	case r.train == nil:
		return "all"
	}
	return paper
}

// pairsInWords says which pairs a loss is over.
func pairsInWords(over string) string {
	return map[string]string{"all": "on all pairs", "train": "on the pairs learned from", "test": "on the pairs held out"}[over]
}

// lossOver is a loss over those pairs.
func lossOver(l probe.Loss, over string) float64 {
	switch over {
	case "train":
		return l.Subset
	case "test":
		return l.Rest
	}
	return l.All
}
