package analysis

import (
	"fmt"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

// sweepSentence says what a sweep of exact re-runs cost, and what it was
// compared with.
func sweepSentence(r models.Report) string {
	text := fmt.Sprintf("The %s edited runs computed %s of the %s row-layers of full passes (%.1f %%)",
		thousands(int64(r.Variants)), thousands(r.Computed), thousands(r.Full), 100*float64(r.Computed)/float64(max(r.Full, 1)))
	if r.Checked == 0 {
		return text + "."
	}
	return text + fmt.Sprintf("; %d of them, compared with full passes, are equal to the bit.", r.Checked-r.Different)
}

// sweepBadge says how many of the runs that were compared with full passes
// differ.
func sweepBadge(r models.Report) viz.Badge {
	return viz.Badge{
		Text: "re-run = full pass", Value: float64(r.Different), OK: r.Different == 0,
		Help: fmt.Sprintf("how many of %d edited runs, evenly spread over the sweep, differ by any bit from a full pass under the same edits", r.Checked),
	}
}

// exactness is what stand-ins measure of the runs that they change.
type exactness struct {
	own, source float64
	measured    bool
}

// add takes in the runs of some stand-ins.
func (x *exactness) add(e *ablate.StandInEffects) {
	x.own, x.source, x.measured = max(x.own, e.OwnError), max(x.source, e.SourceError), true
}

// badges say it; there are none where nothing was measured.
func (x exactness) badges() []viz.Badge {
	if !x.measured {
		return nil
	}
	return []viz.Badge{
		{Text: "own value = no change", Value: x.own, Bound: 1e-6, OK: x.own <= 1e-6,
			Help: "largest change of a logit when a run is patched with its own activation"},
		{Text: "whole stream = source run", Value: x.source, Bound: 1e-6, OK: x.source <= 1e-6,
			Help: "largest difference from the source's logits when the residual stream behind layer 0 is the source's at every position"},
	}
}

// thousands writes a count with commas.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	var parts []string
	for len(s) > 3 {
		parts = append([]string{s[len(s)-3:]}, parts...)
		s = s[:len(s)-3]
	}
	return strings.Join(append([]string{s}, parts...), ",")
}

// changeOf is what an axis says of a metric's change.
func changeOf(m ablate.Metric) string {
	if m.Name == "logit_change" {
		return "change of logit(r)"
	}
	return "change of " + m.Label
}

// waitingBlocks says which blocks wait, and how many transfer.
func waitingBlocks(wait, transfer int) string {
	blocks := fmt.Sprintf("blocks 0 to %d waiting", wait)
	switch wait {
	case -1:
		blocks = "no block waiting"
	case 0:
		blocks = "block 0 waiting"
	}
	return fmt.Sprintf("%s and %d transferring", blocks, transfer)
}

// sharedLabels are the chips of prompts that have only their template in common:
// what each token is. Tokens that all prompts share are shown as they are.
func sharedLabels(labels [][]string, roles []viz.TokenRole) []string {
	out := make([]string, len(labels[0]))
	names := map[viz.TokenRole]string{viz.RoleOperandA: "a", viz.RoleOperandB: "b", viz.RoleOperandC: "c", viz.RoleOperator: "op"}
	for i := range out {
		out[i] = labels[0][i]
		for _, l := range labels {
			if l[i] == out[i] {
				continue
			}
			if out[i] = names[roles[i]]; out[i] == "" {
				out[i] = fmt.Sprint("token ", i)
			}
			break
		}
	}
	return out
}
