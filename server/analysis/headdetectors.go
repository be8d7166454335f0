package analysis

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"orrery/models"
	"orrery/models/tensor"
	"orrery/probe"
	"orrery/viz"
)

// maxPeriod is the longest run of random tokens that is repeated to find
// induction heads, where the context allows it.
const maxPeriod = 25

func headDetectors() Analysis {
	return Analysis{
		Name: "head_detectors", Title: "Head detectors", Version: 1,
		Summary: "scores every head against the patterns of previous-token, duplicate-token, induction and first-token heads",
		Paper:   "Elhage et al., A Mathematical Framework for Transformer Circuits (2021); TransformerLens, head_detector",
		Example: `head_detectors(load("mental-2op"))`,
		Params: []Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
			{Name: "prompt", Type: TypePrompt, Help: "text, or tokens(m, text); left out, random tokens repeated once, behind a BOS where the model has one"},
			{Name: "measure", Type: TypeChoice, Default: "mul", Choices: []string{"mul", "abs"}, Help: "mul: share of attention that the pattern catches; abs: 1 − T·mean|A − D|"},
			{Name: "exclude_bos", Type: TypeBool, Default: false, Help: "leave attention to the first token out"},
			{Name: "exclude_current_token", Type: TypeBool, Default: false, Help: "leave attention to the query's own token out"},
			{Name: "seed", Type: TypeInt, Default: 1, Bounds: atLeast(0), Help: "of the random tokens"},
		},
		Run: runHeadDetectors,
	}
}

func runHeadDetectors(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	m := a["m"].(*models.Model)
	seed := seedOf(a)
	ids, made, err := detectorPrompt(m, a, seed)
	if err != nil {
		return nil, err
	}
	p, err := probe.MeanPatterns(ctx, m, [][]int{ids}, nil, func(int) error { return ctx.Err() })
	if err != nil {
		return nil, err
	}
	f := &viz.Figure{
		Kind: viz.KindHeatmap, Title: "Head detectors", Arrays: map[string]*viz.Array{},
		Subtitle:   fmt.Sprintf("colour: %s, on %s", map[string]string{"mul": "share of a head's attention that the pattern catches", "abs": "1 − T·mean|attention − pattern|"}[a["measure"].(string)], made),
		Scales:     map[string]viz.Scale{"score": {Kind: viz.ScaleSequential, Lo: 0, Hi: 1, Label: "score", Format: "%.2f"}},
		Heatmap:    &viz.Heatmap{Scale: "score"},
		Provenance: provenance(m, "head_detectors", 1, a, ids),
		Badges: []viz.Badge{{Text: "rows add up to 1", Value: p.RowError, Bound: patternRowBound, OK: p.RowError <= patternRowBound,
			Help: "largest difference from 1 of the attention of one query over its keys"}},
	}
	if !given(optionalPrompt(a, "prompt")) {
		f.Provenance.Seed = &seed
	}
	opt := probe.ScoreOptions{Difference: a["measure"].(string) == "abs", WithoutFirst: a["exclude_bos"].(bool), WithoutCurrent: a["exclude_current_token"].(bool)}
	var said, skipped []string
	for _, d := range probe.HeadDetectors() {
		values, err := detectorScores(p.Mean, d, ids, opt)
		if err != nil {
			skipped = append(skipped, strings.ReplaceAll(string(d), "_", " "))
			continue
		}
		at, best := largestOf(values)
		said = append(said, fmt.Sprintf("%s L%dH%d %.2f", strings.ReplaceAll(string(d), "_", " "), at/m.Config.Heads, at%m.Config.Heads, best))
		if lo := -roundUp(-min(0, minOf(values))); lo < f.Scales["score"].Lo { // abs can be negative
			s := f.Scales["score"]
			s.Lo = lo
			f.Scales["score"] = s
		}
		f.Arrays[string(d)] = viz.Values(narrow(values), []string{"layer", "head"}, m.Config.Layers, m.Config.Heads)
		f.Heatmap.Panels = append(f.Heatmap.Panels, viz.Panel{Title: strings.ReplaceAll(string(d), "_", " "), Values: string(d),
			Rows: countAxis("layer", m.Config.Layers), Columns: countAxis("head", m.Config.Heads)})
	}
	f.Caption = "Best heads: " + strings.Join(said, ", ") + "."
	if len(skipped) > 0 {
		f.Caption += fmt.Sprintf(" No token of the prompt comes twice, so there is nothing to score for %s.", strings.Join(skipped, " and "))
	}
	emit.Figure(f)
	return f, nil
}

// detectorScores scores the heads of all layers, [L·H].
func detectorScores(patterns []*tensor.Dense, d probe.HeadDetector, ids []int, opt probe.ScoreOptions) ([]float64, error) {
	detection, err := probe.DetectionPattern(d, ids)
	if err != nil {
		return nil, err
	}
	var out []float64
	for _, p := range patterns {
		scores, err := probe.ScoreHeads(p, detection, opt)
		if err != nil {
			return nil, err
		}
		out = append(out, scores...)
	}
	return out, nil
}

// detectorPrompt is the prompt that is given or random tokens, all different
// and none special, twice over.
func detectorPrompt(m *models.Model, a Args, seed uint64) (ids []int, made string, err error) {
	if p := optionalPrompt(a, "prompt"); given(p) {
		if ids, err = p.encode(m); err == nil && len(ids) < 2 {
			err = &hintError{fmt.Sprintf("the prompt has %d tokens: a head needs at least 2 to look back", len(ids)), "write a longer one"}
		}
		return ids, "this prompt", err
	}
	if m.Tokenizer != nil {
		if bos, ok := m.Tokenizer.BOS(); ok {
			ids = append(ids, bos)
		}
	}
	var pool []int
	for id := range m.Config.Vocab {
		if m.Tokenizer == nil || !m.Tokenizer.IsSpecial(id) {
			pool = append(pool, id)
		}
	}
	period := min(maxPeriod, len(pool))
	if m.Config.Context > 0 {
		period = min(period, (m.Config.Context-len(ids))/2)
	}
	if period < 2 {
		return nil, "", &hintError{fmt.Sprintf("a context of %d tokens and %d ordinary tokens leave no room for two runs of tokens", m.Config.Context, len(pool)), "give a prompt"}
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	rng.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	ids = append(append(ids, pool[:period]...), pool[:period]...)
	return ids, fmt.Sprintf("%d random tokens, twice (seed %d)", period, seed), nil
}

// countAxis is an axis of numbers from 0.
func countAxis(name string, n int) viz.Axis {
	axis := viz.Axis{Name: name}
	for i := range n {
		axis.Labels = append(axis.Labels, fmt.Sprint(i))
	}
	return axis
}

func minOf(values []float64) float64 {
	least := values[0]
	for _, v := range values {
		least = min(least, v)
	}
	return least
}
