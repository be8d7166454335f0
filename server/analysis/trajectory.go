package analysis

import (
	"context"
	"fmt"
	"math"

	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

// trajectoryMetrics says how each metric of a trajectory is drawn.
var trajectoryMetrics = []struct {
	name  string
	read  func(probe.Standing) float64
	scale viz.Scale
}{
	{"prob", probe.Standing.Probability, viz.Scale{Kind: viz.ScaleLinear, Lo: 0, Hi: 1, Label: "probability", Format: "%.3f"}},
	{"logit", func(s probe.Standing) float64 { return s.Logit }, viz.Scale{Kind: viz.ScaleLinear, Label: "logit", Format: "%.2f"}},
	{"rank", func(s probe.Standing) float64 { return float64(s.Rank) }, viz.Scale{Kind: viz.ScaleLog, Lo: 1, Label: "rank (1 is best)", Format: "%.0f"}},
}

func lensTrajectory() Analysis {
	var names []string
	for _, m := range trajectoryMetrics {
		names = append(names, m.name)
	}
	return Analysis{
		Name: "lens_trajectory", Title: "Lens trajectory", Version: 1,
		Summary: "follows tokens through the logit lens at one position, layer by layer, always beside a control",
		Paper:   "nostalgebraist, interpreting GPT: the logit lens (2020); a control token as in arXiv 2507.02199",
		Example: `lens_trajectory(load("mental-2op"), "34+57=", tokens=["91", "92", "81"])`,
		Params: []Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
			{Name: "prompt", Type: TypePrompt, Required: true, Help: "text, or tokens(m, text)"},
			{Name: "tokens", Type: TypeStrings, Default: []string{}, Help: "the tokens to follow; left out, the model's three likeliest, without edits"},
			{Name: "control", Type: TypeString, Default: "", Help: "a token that has nothing to do with the answer; left out, the prompt's last token"},
			{Name: "metric", Type: TypeChoice, Default: "prob", Choices: names, Help: "what the height means"},
			{Name: "position", Type: TypeInt, Default: -1, Help: "where to read; negative counts from the end"},
			{Name: "mid", Type: TypeBool, Default: false, Help: "add a point between attention and MLP of each layer"},
			scaleParam(),
			editsParam(),
			codaParam(),
		},
		Run: runTrajectory,
	}
}

func runTrajectory(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	m := a["m"].(*models.Model)
	ids, err := a["prompt"].(Prompt).encode(m)
	if err != nil {
		return nil, err
	}
	opt := probe.LensOptions{Mid: a["mid"].(bool), Frozen: a["scale"].(string) == "frozen", Coda: a["coda"].(int)}
	if err := checkCoda(m, a); err != nil {
		return nil, err
	}
	if opt.Hooks, err = editHooks(m, a); err != nil {
		return nil, err
	}
	followed, err := followedTokens(ctx, m, ids, a)
	if err != nil {
		return nil, err
	}
	states, err := probe.LensStates(m, opt.Mid)
	if err != nil {
		return nil, err
	}
	metric := trajectoryMetrics[0]
	for _, tm := range trajectoryMetrics {
		if tm.name == a["metric"].(string) {
			metric = tm
		}
	}
	fig := trajectoryFigure(m, ids, followed, states, a)
	scale := metric.scale
	if metric.name == "rank" {
		scale.Hi = float64(m.Config.Vocab)
	}
	fig.Subtitle = fmt.Sprintf("%s after each state, at position %d%s%s%s", metric.scale.Label, a["position"].(int), withScale(a), withCoda(a), underEdits(a))
	fig.Scales["y"] = scale
	emit.Figure(fig)
	emit.Progress(0, len(states), "layers")
	done := 0
	points, err := probe.Trajectory(ctx, m, ids, a["position"].(int), followed, opt, func(p probe.TrajectoryPoint) error {
		var part viz.Part
		var values []float64
		for i, s := range p.Tokens {
			v := metric.read(s)
			values = append(values, v)
			part.Arrays = append(part.Arrays, viz.ArrayRun{Name: fmt.Sprintf("token%d", i), Offset: done, F32: viz.EncodeFloats([]float32{float32(v)})})
		}
		if metric.name == "logit" {
			part.Scales = map[string]viz.Scale{"y": widen(fig.Scales["y"], values)}
		}
		if err := fig.Apply(part); err != nil {
			return err
		}
		done++
		emit.Part(part)
		emit.Progress(done, len(states), "layers")
		return ctx.Err()
	})
	if points == nil {
		return nil, err
	}
	if err != nil {
		return fig, err
	}
	last := points[len(points)-1].Tokens[0]
	if opt.Coda > 0 { // the run's own end is read in front of the coda
		last = points[len(points)-1-opt.Coda].Tokens[0]
	}
	fig.Caption = fmt.Sprintf("%s ends at rank %d with probability %.3f.", tokenLabels(m.Tokenizer, followed[:1])[0], last.Rank, last.Probability())
	emit.Figure(fig)
	return fig, nil
}

// followedTokens are the tokens asked for, or the three likeliest, and the
// control behind them.
func followedTokens(ctx context.Context, m *models.Model, ids []int, a Args) ([]int, error) {
	var followed []int
	for _, text := range a["tokens"].([]string) {
		id, err := TokenID(m, text)
		if err != nil {
			return nil, fmt.Errorf("tokens: %w", err)
		}
		followed = append(followed, id)
	}
	if len(followed) == 0 {
		top, err := probe.TopTokens(ctx, m, ids, 3)
		if err != nil {
			return nil, err
		}
		for _, s := range top {
			followed = append(followed, s.ID)
		}
	}
	if len(ids) == 0 {
		return nil, &hintError{"the prompt has no tokens", "write a prompt such as \"34+57=\""}
	}
	control := ids[len(ids)-1]
	if text := a["control"].(string); text != "" {
		id, err := TokenID(m, text)
		if err != nil {
			return nil, fmt.Errorf("control: %w", err)
		}
		control = id
	}
	return append(followed, control), nil
}

// trajectoryFigure is the figure before its first point; the last token is
// the control.
func trajectoryFigure(m *models.Model, ids, followed []int, states []string, a Args) *viz.Figure {
	n := len(states)
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i)
	}
	f := &viz.Figure{
		Kind: viz.KindLines, Title: "Lens trajectory",
		Arrays:     map[string]*viz.Array{"state": viz.Values(x, []string{"state"}, n)},
		Scales:     map[string]viz.Scale{"x": {Kind: viz.ScaleLinear, Lo: 0, Hi: float64(n - 1), Label: "layer", Format: "%.0f"}},
		Lines:      &viz.Lines{X: "state", XScale: "x", YScale: "y", XLabels: stateLabels(states)},
		Provenance: provenance(m, "lens_trajectory", 1, a, ids),
	}
	for i, label := range tokenLabels(m.Tokenizer, followed) {
		name := fmt.Sprintf("token%d", i)
		f.Arrays[name] = viz.NewArray([]string{"state"}, n)
		control := i == len(followed)-1
		if control {
			label += " (control)"
		}
		f.Lines.Series = append(f.Lines.Series, viz.Series{Name: label, Y: name, Control: control})
	}
	return f
}

// widen moves both limits of a linear scale so that values fit.
func widen(s viz.Scale, values []float64) viz.Scale {
	for _, v := range values {
		if v > s.Hi {
			s.Hi = roundUp(v)
		}
		if v < s.Lo {
			s.Lo = -roundUp(math.Abs(v))
		}
	}
	return s
}
