package analysis

import (
	"context"
	"fmt"
	"math"
	"strings"

	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

// lensMetrics says how each metric of the logit lens is shown.
var lensMetrics = []struct {
	metric probe.Metric
	label  string
	help   string
	scale  viz.Scale
}{
	{probe.Probability, "prob", "probability of the target token, the model's own final top token at that position unless one is named",
		viz.Scale{Kind: viz.ScaleSequential, Lo: 0, Hi: 1, Label: "probability of the target", Format: "%.3f"}},
	{probe.Logit, "logit", "logit of the target token",
		viz.Scale{Kind: viz.ScaleDiverging, Label: "logit of the target", Format: "%.2f"}},
	{probe.Rank, "rank", "rank of the target token; 1 is best, ties count against it",
		viz.Scale{Kind: viz.ScaleLog, Lo: 1, Label: "rank of the target", Format: "%.0f", Reverse: true}},
	{probe.Entropy, "entropy", "entropy of the row's distribution, -sum p ln p",
		viz.Scale{Kind: viz.ScaleSequential, Lo: 0, Label: "entropy", Unit: "nats", Format: "%.2f"}},
	{probe.KL, "KL to final", "KL(final || row): what is lost by stopping here",
		viz.Scale{Kind: viz.ScaleSequential, Lo: 0, Label: "KL(final || row)", Unit: "nats", Format: "%.2f"}},
	{probe.LogProbDiff, "log-prob diff", "log-probability of the target minus that of the final runner-up",
		viz.Scale{Kind: viz.ScaleDiverging, Label: "ln p(target) - ln p(runner-up)", Unit: "nats", Format: "%.2f"}},
}

func logitLens() Analysis {
	var names []string
	for _, m := range lensMetrics {
		names = append(names, string(m.metric))
	}
	return Analysis{
		Name: "logit_lens", Title: "Logit lens", Version: 1,
		Summary: "decodes the residual stream after every layer as if it were the last",
		Paper:   "nostalgebraist, interpreting GPT: the logit lens (2020)",
		Example: `logit_lens(load("mental-2op"), "34+57=")`,
		Params: []Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
			{Name: "prompt", Type: TypePrompt, Required: true, Help: "text, or tokens(m, text)"},
			{Name: "metric", Type: TypeChoice, Default: "prob", Choices: names, Help: "what the colour means at first; the figure switches between all"},
			{Name: "target", Type: TypeString, Default: "", Help: "the token to follow at every position; left out, the model's own final top token"},
			{Name: "mid", Type: TypeBool, Default: false, Help: "add a row between attention and MLP of each layer"},
			{Name: "top_k", Type: TypeInt, Default: 10, Bounds: atLeast(1), Unit: "tokens", Help: "how many tokens a cell lists on hover"},
			{Name: "of", Type: TypeChoice, Default: "resid", Choices: []string{"resid", "components", "heads"}, Help: "what is decoded: the stream after each layer, attention and MLP outputs, or what single heads write"},
			scaleParam(),
			editsParam(),
			codaParam(),
		},
		Run: runLens,
	}
}

func runLens(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	m := a["m"].(*models.Model)
	ids, err := a["prompt"].(Prompt).encode(m)
	if err != nil {
		return nil, err
	}
	opt := probe.LensOptions{Mid: a["mid"].(bool), TopK: min(a["top_k"].(int), m.Config.Vocab), Frozen: a["scale"].(string) == "frozen", Coda: a["coda"].(int)}
	if opt.Hooks, err = editHooks(m, a); err != nil {
		return nil, err
	}
	if text := a["target"].(string); text != "" {
		id, err := TokenID(m, text)
		if err != nil {
			return nil, fmt.Errorf("target: %w", err)
		}
		for range ids {
			opt.Target = append(opt.Target, id)
		}
	}
	states, read, err := lensOf(m, opt, a)
	if err != nil {
		return nil, err
	}
	fig := lensFigure(m, ids, states, opt.TopK, a)
	emit.Figure(fig)
	emit.Progress(0, len(states), "layers")
	row := 0
	lens, err := read(ctx, m, ids, opt, func(r probe.LensRow) error {
		part := lensPart(m, fig, row, r)
		if err := fig.Apply(part); err != nil {
			return err
		}
		row++
		emit.Part(part)
		emit.Progress(row, len(states), "layers")
		return ctx.Err()
	})
	if lens == nil {
		return nil, err
	}
	if err != nil {
		return fig, err
	}
	finishLens(m, fig, lens, a)
	emit.Figure(fig)
	return fig, nil
}

// lensFigure is the figure before its first row.
func lensFigure(m *models.Model, ids []int, states []string, k int, a Args) *viz.Figure {
	rows, cols := len(states), len(ids)
	f := &viz.Figure{
		Kind: viz.KindTokens, Title: "Logit lens", Subtitle: lensSubtitle(a),
		Arrays: map[string]*viz.Array{"top_prob": viz.NewArray([]string{"layer", "pos", "k"}, rows, cols, k)},
		Texts:  map[string]*viz.Text{"top1": viz.NewText(rows, cols), "top": viz.NewText(rows, cols, k)},
		Scales: map[string]viz.Scale{},
		Tokens: &viz.Tokens{
			Rows:    viz.Axis{Name: map[string]string{"resid": "layer", "components": "component", "heads": "head"}[a["of"].(string)], Labels: stateLabels(states)},
			Columns: viz.Axis{Name: "position", Labels: tokenLabels(m.Tokenizer, ids), Roles: TokenRoles(m.Tokenizer, ids), IDs: ids},
			Cell:    "top1", TopTokens: "top", TopValues: "top_prob",
			Show: a["metric"].(string), Focus: cols - 1, Target: make([]string, cols),
		},
		Provenance: provenance(m, "logit_lens", 1, a, ids),
	}
	if a["coda"].(int) > 0 {
		f.Title = "Coda lens"
	}
	f.Tokens.Sites = movableSites(states, a)
	for _, lm := range lensMetrics {
		name := string(lm.metric)
		f.Arrays[name] = viz.NewArray([]string{"layer", "pos"}, rows, cols)
		scale := lm.scale
		switch lm.metric {
		case probe.Rank:
			scale.Hi = float64(m.Config.Vocab)
		case probe.Entropy:
			scale.Hi = roundUp(math.Log(float64(m.Config.Vocab)))
		case probe.Logit, probe.KL, probe.LogProbDiff:
			scale.Hi = 1
		}
		if scale.Kind == viz.ScaleDiverging {
			scale.Lo = -scale.Hi
		}
		f.Scales[name] = scale
		f.Tokens.Metrics = append(f.Tokens.Metrics, viz.TokenMetric{Name: name, Label: lm.label, Help: lm.help, Values: name, Scale: name})
	}
	return f
}

// lensPart is what one row adds, limits of the data-driven scales included.
func lensPart(m *models.Model, f *viz.Figure, row int, r probe.LensRow) viz.Part {
	cols := len(r.TopIDs)
	part := viz.Part{Scales: map[string]viz.Scale{}}
	for _, lm := range lensMetrics {
		name := string(lm.metric)
		values := r.Values[lm.metric]
		part.Arrays = append(part.Arrays, viz.ArrayRun{Name: name, Offset: row * cols, F32: viz.EncodeFloats(narrow(values))})
		if s := f.Scales[name]; lm.metric == probe.Logit || lm.metric == probe.KL || lm.metric == probe.LogProbDiff {
			if grown := grow(s, values); grown != s {
				part.Scales[name] = grown
			}
		}
	}
	var top1, top []string
	var probs []float32
	for p := range r.TopIDs {
		labels := tokenLabels(m.Tokenizer, r.TopIDs[p])
		top1 = append(top1, labels[0])
		top = append(top, labels...)
		probs = append(probs, narrow(r.TopProbs[p])...)
	}
	k := len(top) / cols
	part.Texts = []viz.TextRun{{Name: "top1", Offset: row * cols, Values: top1}, {Name: "top", Offset: row * cols * k, Values: top}}
	part.Arrays = append(part.Arrays, viz.ArrayRun{Name: "top_prob", Offset: row * cols * k, F32: viz.EncodeFloats(probs)})
	return part
}

// finishLens adds what is known at the end: targets, the badge, the sentence.
func finishLens(m *models.Model, f *viz.Figure, lens *probe.Lens, a Args) {
	f.Tokens.Target = tokenLabels(m.Tokenizer, lens.Target)
	at := len(lens.IDs) - 1
	if a["of"].(string) != "resid" {
		finishComponents(m, f, lens, a)
		return
	}
	if blocks := a["coda"].(int); blocks > 0 {
		finishCoda(m, f, lens, blocks)
		return
	}
	bound := 1e-5
	if a["scale"].(string) == "frozen" {
		bound = 1e-4 // the scale is divided by in another order
	}
	f.Badges = []viz.Badge{{
		Text: "last layer = logits", Value: lens.LastRowError, Bound: bound, OK: lens.LastRowError <= bound,
		Help: "largest absolute difference between the lens of the last layer and the model's logits",
	}}
	depth := len(lens.Rows) - 1
	for depth > 0 && lens.Rows[depth-1].TopIDs[at][0] == lens.Rows[len(lens.Rows)-1].TopIDs[at][0] {
		depth--
	}
	final := lens.Rows[len(lens.Rows)-1]
	answer := tokenLabels(m.Tokenizer, final.TopIDs[at][:1])[0]
	where := "from the embedding on"
	if depth > 0 {
		where = "from " + f.Tokens.Rows.Labels[depth] + " on"
		if !strings.Contains(f.Tokens.Rows.Labels[depth], " ") {
			where = "from layer " + f.Tokens.Rows.Labels[depth] + " on"
		}
	}
	f.Caption = fmt.Sprintf("At the last token the model ends with %s (probability %.3f); it is the lens' top token %s.", answer, final.TopProbs[at][0], where)
}

// movableSites are the sites whose values the rows of a lens stand for: a cell of
// it can be moved into another run. A run under edits gives none.
func movableSites(states []string, a Args) []string {
	if edits, _ := a["edits"].([]models.Edit); len(edits) > 0 || a["of"].(string) == "heads" {
		return nil
	}
	sites := make([]string, len(states))
	for i, s := range states {
		sites[i] = "blocks.0.hook_resid_pre"
		if kind, layer, ok := strings.Cut(s, "."); ok {
			sites[i] = fmt.Sprintf("blocks.%s.hook_%s", layer, kind)
		}
	}
	return sites
}

// stateLabels turns "embed", "resid_mid.0", "resid_post.0", "attn_out.0" into
// axis labels.
func stateLabels(states []string) []string {
	labels := make([]string, len(states))
	for i, s := range states {
		if l, ok := strings.CutPrefix(s, "resid_post."); ok {
			s = l
		} else if l, ok := strings.CutPrefix(s, "resid_mid."); ok {
			s = l + " mid"
		} else if l, ok := strings.CutPrefix(s, "attn_out."); ok {
			s = l + " attn"
		} else if l, ok := strings.CutPrefix(s, "mlp_out."); ok {
			s = l + " mlp"
		}
		labels[i] = s
	}
	return labels
}
