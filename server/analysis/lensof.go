package analysis

import (
	"context"
	"fmt"
	"math"

	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

// scaleParam declares the lens' two conventions.
func scaleParam() Param {
	return Param{Name: "scale", Type: TypeChoice, Default: "recomputed", Choices: []string{"recomputed", "frozen"},
		Help: "recomputed: the final norm with each state's own statistics, as nostalgebraist has it; frozen: with the last state's scale, as direct logit attribution has it"}
}

// withScale is what a subtitle says of the frozen scale, empty for the other.
func withScale(a Args) string {
	if a["scale"].(string) == "frozen" {
		return ", with the last state's norm scale frozen"
	}
	return ""
}

// readLens is probe.LogitLens or one that decodes components.
type readLens func(ctx context.Context, m *models.Model, ids []int, opt probe.LensOptions, emit func(probe.LensRow) error) (*probe.Lens, error)

// lensOf chooses what is decoded, and names the rows.
func lensOf(m *models.Model, opt probe.LensOptions, a Args) (states []string, read readLens, err error) {
	of := probe.LensOf(a["of"].(string))
	if opt.Coda != 0 && of != "resid" {
		return nil, nil, &hintError{fmt.Sprintf("coda: blocks are run on whole states of the stream, not on %s", of), `leave coda out, or use of="resid"`}
	}
	if err := checkCoda(m, a); err != nil {
		return nil, nil, err
	}
	if of == "resid" {
		states, err = probe.LensStates(m, opt.Mid)
		return states, probe.LogitLens, err
	}
	if opt.Mid {
		return nil, nil, &hintError{fmt.Sprintf("mid: of=%q decodes no states of the stream", of), `leave mid out, or use of="resid"`}
	}
	states, err = probe.ComponentStates(m, of)
	return states, func(ctx context.Context, m *models.Model, ids []int, opt probe.LensOptions, emit func(probe.LensRow) error) (*probe.Lens, error) {
		return probe.ComponentLens(ctx, m, ids, of, opt, emit)
	}, err
}

// lensSubtitle says what a cell is.
func lensSubtitle(a Args) string {
	what := map[string]string{
		"resid":      "cell: top token after each block",
		"components": "cell: top token of what the embedding and each attention and MLP writes",
		"heads":      "cell: top token of what each head writes, without b_O",
	}[a["of"].(string)]
	return what + withScale(a) + withCoda(a) + underEdits(a)
}

// finishComponents adds the sentence about the component that raises the target
// most at the last token and, where it is defined, the badge of the sum.
func finishComponents(m *models.Model, f *viz.Figure, lens *probe.Lens, a Args) {
	at, most, largest := len(lens.IDs)-1, 0, math.Inf(-1)
	for i, r := range lens.Rows {
		if v := r.Values[probe.Logit][at]; v > largest {
			most, largest = i, v
		}
	}
	target := tokenLabels(m.Tokenizer, lens.Target[at:])[0]
	if a["scale"].(string) == "frozen" {
		f.Caption = fmt.Sprintf("At the last token %s adds most to the logit of %s: %+.2f.", f.Tokens.Rows.Labels[most], target, largest)
		if a["of"].(string) == "components" && m.Config.LogitCap == 0 {
			f.Badges = []viz.Badge{{Text: "rows + biases = logits", Value: lens.LastRowError, Bound: 1e-4, OK: lens.LastRowError <= 1e-4,
				Help: "largest absolute difference between the sum of all rows and biases and the model's logits"}}
		}
		return
	}
	f.Caption = fmt.Sprintf("At the last token %s, decoded by itself, gives %s the largest logit, %.2f.", f.Tokens.Rows.Labels[most], target, largest)
}
