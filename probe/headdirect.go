package probe

import (
	"context"
	"fmt"

	"orrery/models"
)

// HeadWrite is what a head writes directly in the run of one prompt.
type HeadWrite struct {
	// Direct is what the head's output at the last position adds there to the logit
	// of the answer less that of the other token, as DirectAttribution has it;
	// Difference is that difference itself.
	Direct, Difference float64
}

// headDirectTokens is how many tokens are run at once.
const headDirectTokens = 512

// HeadDirect runs groups of prompts, all of one length and every group of as many,
// and reads what one head writes directly in each. pick chooses the tokens whose
// logits are compared in a group, from the logits [V] at the last position of its
// runs. The result is [groups][prompts]. The cost is a run a prompt.
func HeadDirect(ctx context.Context, m *models.Model, groups [][][]int, layer, head int, pick func(last [][]float32) (answer, other int)) ([][]HeadWrite, error) {
	c := m.Config
	switch {
	case len(groups) == 0 || len(groups[0]) == 0 || len(groups[0][0]) == 0:
		return nil, fmt.Errorf("head direct: no prompts")
	case layer < 0 || layer >= c.Layers:
		return nil, fmt.Errorf("head direct: layer %d is outside 0..%d", layer, c.Layers-1)
	case head < 0 || head >= c.Heads:
		return nil, fmt.Errorf("head direct: head %d is outside 0..%d", head, c.Heads-1)
	}
	each, scale := len(groups[0]), models.Site{Layer: -1, Kind: models.FinalScale}
	step := max(1, headDirectTokens/(each*len(groups[0][0])))
	var out [][]HeadWrite
	for lo := 0; lo < len(groups); lo += step {
		some := groups[lo:min(lo+step, len(groups))]
		var rows [][]int
		for i, g := range some {
			if len(g) != each {
				return nil, fmt.Errorf("head direct: group %d has %d prompts, the first %d", lo+i, len(g), each)
			}
			rows = append(rows, g...)
		}
		in, err := models.Rows(rows)
		if err != nil {
			return nil, fmt.Errorf("head direct: %w", err)
		}
		run, cache, err := m.RunWithCache(ctx, in, models.CacheOptions{Sites: func(s models.Site) bool {
			return s == scale || s.Layer <= layer && (s.Kind == models.Z || s.Kind == models.LN1PostScale)
		}})
		if err != nil {
			return nil, err
		}
		stack, err := models.StackHeadResults(m, cache, layer+1, models.StackOptions{Pos: []int{-1}})
		if err != nil {
			return nil, err
		}
		var a models.Answers
		for g := range some {
			var last [][]float32
			for i := range each {
				last = append(last, run.Logits.Sub(g*each+i, in.T-1).Data)
			}
			answer, other := pick(last)
			for range each {
				a.Tokens, a.Incorrect = append(a.Tokens, answer), append(a.Incorrect, other)
			}
		}
		attrs, err := models.LogitAttrs(cache, stack, a)
		if err != nil {
			return nil, err
		}
		direct := attrs.Values.Sub(layer*c.Heads + head)
		for g := range some {
			var writes []HeadWrite
			for i := g * each; i < (g+1)*each; i++ {
				z := run.Logits.Sub(i, in.T-1).Data
				writes = append(writes, HeadWrite{float64(direct.At(i, 0)), float64(z[a.Tokens[i]]) - float64(z[a.Incorrect[i]])})
			}
			out = append(out, writes)
		}
	}
	return out, nil
}
