package analysis

import (
	"fmt"
	"strings"

	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

// codaParam declares the coda lens.
func codaParam() Param {
	return Param{Name: "coda", Type: TypeInt, Default: 0, Bounds: atLeast(0), Unit: "blocks",
		Help: "how many of the last blocks are run on each state before it is decoded, those between skipped: the coda lens of arXiv 2507.02199, for models without recurrence; 0 is the logit lens"}
}

// checkCoda refuses codas that the model lacks before anything runs.
func checkCoda(m *models.Model, a Args) error {
	blocks := a["coda"].(int)
	if blocks < 0 || blocks > m.Config.Layers {
		return &hintError{fmt.Sprintf("coda lens: %d blocks: the model has %d, so that a coda has 0..%d", blocks, m.Config.Layers, m.Config.Layers), "coda=0 is the logit lens"}
	}
	if blocks > 0 && a["scale"].(string) == "frozen" {
		return &hintError{"coda lens: a frozen scale is that of the run's last state, and a coda makes another one", `leave scale out, or use coda=0`}
	}
	return nil
}

// withCoda is what a subtitle says of a coda, empty for none.
func withCoda(a Args) string {
	switch blocks := a["coda"].(int); blocks {
	case 0:
		return ""
	case 1:
		return ", the last block run on it (coda lens)"
	default:
		return fmt.Sprintf(", the last %d blocks run on it (coda lens)", blocks)
	}
}

// finishCoda adds the badge of the state that the coda reads in the run, and which
// states come out as the model's answer.
func finishCoda(m *models.Model, f *viz.Figure, lens *probe.Lens, blocks int) {
	at, exact := len(lens.IDs)-1, m.Config.Layers-blocks
	label := f.Tokens.Rows.Labels
	for i, r := range lens.Rows { // rows between attention and MLP stand among them
		if r.Layer == exact-1 && !strings.HasPrefix(r.State, "resid_mid") {
			exact = i
			break
		}
	}
	f.Badges = []viz.Badge{{
		Text: "through the coda = logits", Value: lens.LastRowError, Bound: 1e-5, OK: lens.LastRowError <= 1e-5,
		Help: "largest absolute difference between the row of the state that the coda's first block reads in the run and the model's logits",
	}}
	var found []string
	for i, r := range lens.Rows {
		if r.TopIDs[at][0] == lens.Target[at] {
			found = append(found, label[i])
		}
	}
	target := tokenLabels(m.Tokenizer, lens.Target[at:])[0]
	f.Caption = fmt.Sprintf("Row %s is the run itself: the state that the coda reads there. States further down skip blocks, those further up pass some twice.", label[exact])
	if len(found) == 0 {
		f.Caption += fmt.Sprintf(" At the last token %s comes out of no state.", target)
		return
	}
	f.Caption += fmt.Sprintf(" At the last token %s comes out on top from %s.", target, strings.Join(found, ", "))
}
