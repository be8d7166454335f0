package ablate

import (
	"slices"

	"orrery/models"
)

// Cone says which places of the residual stream edits can reach: for every row
// (resid_pre, resid_mid and resid_post of any layer, or what is added there:
// attn_out and mlp_out) and each of T positions whether the value there can
// differ from that of the run without the edits. Attention looks back only, so that an edit at position p reaches
// later layers at p and behind it; within its own layer it reaches other
// positions only through keys and values. Everything outside of the cone has
// the base run's bits.
//
// The edits are those of one row of a batch; their names and positions must be
// right (Model.Edits checks them).
func Cone(m *models.Model, edits []models.Edit, T int, rows []models.Site) ([][]bool, error) {
	cone := make([][]bool, len(rows))
	for i := range cone {
		cone[i] = make([]bool, T)
	}
	for _, e := range edits {
		at, err := m.Site(e.Site)
		if err != nil {
			return nil, err
		}
		places := e.Positions
		if at.Kind == models.AttnScores || at.Kind == models.Pattern {
			places = e.Queries
		}
		here, from := make([]bool, T), T
		for t := range T {
			if here[t] = places == nil || slices.Contains(places, t) || slices.Contains(places, t-T); here[t] {
				from = min(from, t)
			}
		}
		for i, row := range rows {
			behind, spreads := reach(at, row)
			if m.Config.Parallel && row.Kind == models.MLPOut && row.Layer == at.Layer {
				behind, spreads = behind && !inAttention(at.Kind), false
			}
			for t := range T {
				if behind && (here[t] || spreads && t >= from) {
					cone[i][t] = true
				}
			}
		}
	}
	return cone, nil
}

// reach reports whether a stream comes behind a site, and whether an edit of the
// site reaches later positions of it, too.
func reach(at, row models.Site) (behind, spreads bool) {
	switch {
	case at.Kind < models.ResidPre: // the embedding
		return true, row.Kind != models.ResidPre || row.Layer > 0
	case at.Kind > models.ResidPost: // the end
		return false, false
	case row.Layer != at.Layer:
		return row.Layer > at.Layer, true
	case row.Kind < at.Kind:
		return false, false
	}
	return true, row.Kind != at.Kind && row.Kind != models.ResidPre && isRead(at.Kind)
}

// inAttention reports whether a value belongs to the attention alone, which an
// MLP beside it does not read.
func inAttention(k models.Kind) bool {
	return k >= models.AttnIn && k <= models.VInput || k >= models.Q && k <= models.AttnOut
}

// isRead reports whether other positions read a value within its own layer: the
// stream in front of attention, and what keys and values are made of.
func isRead(k models.Kind) bool {
	switch k {
	case models.ResidPre, models.AttnIn, models.KInput, models.VInput, models.LN1Scale, models.LN1Normalized, models.LN1Out,
		models.K, models.V, models.KNormScale, models.KNormNormalized, models.KNormOut, models.RotK:
		return true
	}
	return false
}
