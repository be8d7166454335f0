package probe

import (
	"context"
	"fmt"
	"strings"

	"orrery/models"
	"orrery/models/tensor"
)

// check refuses codas that the model lacks, and conventions that do not go
// together.
func (o LensOptions) check(m *models.Model) error {
	if o.Tuned != nil {
		if o.Mid || o.Frozen || o.Coda != 0 {
			return fmt.Errorf("tuned lens: its translators are of what blocks read, by the states' own statistics: leave out the rows between attention and MLP, the frozen scale and the coda")
		}
		return o.Tuned.check(m)
	}
	if o.Coda < 0 || o.Coda > m.Config.Layers {
		return fmt.Errorf("coda lens: %d blocks: the model has %d, so that a coda has 0..%d", o.Coda, m.Config.Layers, m.Config.Layers)
	}
	if o.Coda > 0 && o.Frozen {
		return fmt.Errorf("coda lens: a frozen scale is that of the run's last state, and a coda makes another one: leave Frozen out")
	}
	return nil
}

// codaSite is the state that decodes to the logits of the run: the one which the
// first block of a coda reads.
func codaSite(m *models.Model, blocks int) models.Site {
	if blocks == m.Config.Layers {
		return models.Site{Layer: 0, Kind: models.ResidPre}
	}
	return models.Site{Layer: m.Config.Layers - blocks - 1, Kind: models.ResidPost}
}

// codaReadout runs the last blocks on rows [T,D] of the prompt, to logits [T,V].
func codaReadout(ctx context.Context, m *models.Model, ids []int, opt LensOptions) func(*tensor.Dense) (*tensor.Dense, error) {
	first := models.Site{Layer: m.Config.Layers - opt.Coda, Kind: models.ResidPre}
	return func(state *tensor.Dense) (*tensor.Dense, error) {
		set := models.Hook{Sites: models.Sites(first), Fn: func(_ models.Site, x *tensor.Dense) error {
			copy(x.Data, state.Data)
			return nil
		}}
		out, err := m.Run(ctx, models.Prompt(ids...), append(opt.Hooks[:len(opt.Hooks):len(opt.Hooks)], set)...)
		if err != nil {
			return nil, err
		}
		return out.Logits.Sub(0), nil
	}
}

// DecisionDepth is, for each position, at which state the model's final top token
// is first on top to stay: 0 for the embedding, l+1 for the stream behind block l.
// Rows between attention and MLP are passed over. It is nil for a lens that was
// stopped before its last row.
func (l *Lens) DecisionDepth() []int {
	var rows []LensRow
	for _, r := range l.Rows {
		if !strings.HasPrefix(r.State, "resid_mid") {
			rows = append(rows, r)
		}
	}
	if n := len(rows); n == 0 || rows[n-1].Layer != l.layers-1 {
		return nil
	}
	depth := make([]int, len(l.IDs))
	for p := range depth {
		final := rows[len(rows)-1].TopIDs[p][0]
		at := len(rows) - 1
		for at > 0 && rows[at-1].TopIDs[p][0] == final {
			at--
		}
		depth[p] = at
	}
	return depth
}
