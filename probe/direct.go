package probe

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"orrery/models"
)

// DirectBy says into what DirectAttribution takes the residual stream apart.
type DirectBy string

// The ways to take the stream apart.
const (
	// ByComponent keeps embeddings, attention and MLP outputs of each layer.
	ByComponent DirectBy = "component"
	// ByHead keeps heads, MLP outputs, embeddings and the biases b_O.
	ByHead DirectBy = "head"
	// ByNeuron keeps the neurons with the largest parts, attention by layer,
	// embeddings and the biases b_O and b_out; the other neurons are one part.
	ByNeuron DirectBy = "neuron"
)

// DirectOptions are the options of DirectAttribution.
type DirectOptions struct {
	By DirectBy
	// Position is where the logit is read; negative counts from the end.
	Position int
	// Answer is the token whose logit is taken apart, Incorrect the one whose
	// logit is subtracted from it, -1 for none.
	Answer, Incorrect int
	// Top is how many neurons stand by themselves with ByNeuron.
	Top int
	// Hooks are those of the run, edits for example.
	Hooks []models.Hook
}

// DirectPart is what one component adds to the logit.
type DirectPart struct {
	// Label is TransformerLens': "embed", "0_attn_out", "L1H3", "L2N17"; sums
	// of several are "1_attn" and "other neurons".
	Label string
	Value float64
}

// Direct is the logit, or logit difference, taken apart.
type Direct struct {
	Parts []DirectPart
	// Bias is what the biases of the final norm and of the unembedding add.
	Bias float64
	// Logit is the model's own; Remainder is Logit − Bias − Σ Parts: rounding,
	// and the cap on logits where a model has one.
	Logit, Remainder float64
}

// DirectAttribution takes one logit apart into what each component of the
// residual stream writes towards it: with the final norm's scale s of the run
// frozen, so that it is linear, a component v adds
//
//	gain·(v − mean v)/s · (W_U[answer] − W_U[incorrect])
//
// (Elhage et al., "A Mathematical Framework for Transformer Circuits", 2021;
// TransformerLens' logit_attrs; see models.LogitAttrs). The parts, Bias and
// Remainder add up to Logit exactly, by the way Remainder is made; that it is
// small is the check. The cost is one run, and of each component one product
// with a vector: N·k of its own width k, never N·D.
func DirectAttribution(ctx context.Context, m *models.Model, ids []int, opt DirectOptions) (*Direct, error) {
	if err := opt.check(m, len(ids)); err != nil {
		return nil, fmt.Errorf("direct attribution: %w", err)
	}
	out, cache, err := m.RunWithCache(ctx, models.Prompt(ids...), models.CacheOptions{}, opt.Hooks...)
	if err != nil {
		return nil, err
	}
	stacked := models.StackOptions{Pos: []int{opt.Position}, CollapseNeurons: opt.By == ByHead}
	takeApart := models.FullResidDecomposition
	if opt.By == ByComponent {
		takeApart = models.DecomposeResid
	}
	s, err := takeApart(m, cache, -1, stacked)
	if err != nil {
		return nil, err
	}
	answers := models.Answers{Tokens: []int{opt.Answer}}
	if opt.Incorrect >= 0 {
		answers.Incorrect = []int{opt.Incorrect}
	}
	attrs, err := models.LogitAttrs(cache, s, answers)
	if err != nil {
		return nil, err
	}
	at := opt.Position
	if at < 0 {
		at += len(ids)
	}
	row := out.Logits.Sub(0, at).Data
	d := &Direct{Bias: float64(attrs.Constant.Data[0]), Logit: float64(row[opt.Answer])}
	if opt.Incorrect >= 0 {
		d.Logit -= float64(row[opt.Incorrect])
	}
	for i, label := range attrs.Labels {
		d.Parts = append(d.Parts, DirectPart{label, float64(attrs.Values.Data[i])})
	}
	if opt.By == ByNeuron {
		d.Parts = largestNeurons(d.Parts, opt.Top)
	}
	d.Remainder = d.Logit - d.Bias
	for _, p := range d.Parts {
		d.Remainder -= p.Value
	}
	return d, nil
}

func (o DirectOptions) check(m *models.Model, n int) error {
	switch o.By {
	case ByComponent, ByHead:
	case ByNeuron:
		if o.Top < 1 {
			return fmt.Errorf("top: %d neurons, at least 1 is needed", o.Top)
		}
	default:
		return fmt.Errorf("by: unknown way %q: there are %q", o.By, []DirectBy{ByComponent, ByHead, ByNeuron})
	}
	if o.Position < -n || o.Position >= n {
		return fmt.Errorf("position %d is outside the prompt of %d tokens", o.Position, n)
	}
	last := m.Config.Outputs() - 1
	if o.Answer < 0 || o.Answer > last {
		return fmt.Errorf("answer: token %d is outside the vocabulary 0..%d", o.Answer, last)
	}
	if o.Incorrect > last {
		return fmt.Errorf("incorrect: token %d is outside the vocabulary 0..%d", o.Incorrect, last)
	}
	if o.Answer == o.Incorrect {
		return fmt.Errorf("answer and incorrect token are both %d: their difference is 0 everywhere", o.Answer)
	}
	return nil
}

// largestNeurons keeps the neurons with the largest magnitudes, largest first,
// and sums the other neurons and each layer's heads.
func largestNeurons(parts []DirectPart, top int) []DirectPart {
	var neurons, rest []DirectPart
	layers := map[string]int{}
	for _, p := range parts {
		layer, head := "", false
		if l, ok := strings.CutPrefix(p.Label, "L"); ok {
			layer, _, head = strings.Cut(l, "H")
			if _, err := strconv.Atoi(layer); err != nil || !head {
				neurons = append(neurons, p)
				continue
			}
		}
		if !head {
			rest = append(rest, p)
			continue
		}
		if _, seen := layers[layer]; !seen {
			layers[layer] = len(rest)
			rest = append(rest, DirectPart{Label: layer + "_attn"})
		}
		rest[layers[layer]].Value += p.Value
	}
	slices.SortStableFunc(neurons, func(a, b DirectPart) int { return -cmp.Compare(math.Abs(a.Value), math.Abs(b.Value)) })
	others := DirectPart{Label: "other neurons"}
	for i := top; i < len(neurons); i++ {
		others.Value += neurons[i].Value
	}
	out := slices.Clone(neurons[:min(top, len(neurons))])
	if len(neurons) > top {
		out = append(out, others)
	}
	return append(out, rest...)
}
