package analysis

import (
	"orrery/models"
	"orrery/viz"
)

// patchReading is one of the readings of a patch lens: the stream behind each
// block, or what the block's attention or MLP adds to it.
type patchReading struct {
	name, label, help, suffix string
	sites                     []models.Site
	first                     int // the row of the first site; rows before it are blank
}

// readings are those that the model has. Outputs stand in the rows of their
// blocks; the embedding has none.
func (r *patchLensRun) readings() []patchReading {
	all := []patchReading{{name: "resid", label: "resid", help: r.subtitle(), sites: r.sites}}
	for _, l := range []struct {
		name, what string
		kind       models.Kind
	}{{"attn", "the attention", models.AttnOut}, {"mlp", "the MLP", models.MLPOut}} {
		read := patchReading{name: l.name, label: l.name, suffix: "_" + l.name, first: 1,
			help: "cell: top token of what " + l.what + " of each block writes, as if it were the whole stream · one scale for all"}
		for _, s := range r.m.Sites() {
			if s.Kind == l.kind {
				read.sites = append(read.sites, s)
			}
		}
		if len(read.sites) == r.m.Config.Layers {
			all = append(all, read)
		}
	}
	return all
}

// lens describes the reading in the figure, with a site for each row.
func (l patchReading) lens(rows int) viz.TokenLens {
	sites := make([]string, rows)
	for i, s := range l.sites {
		sites[l.first+i] = s.String()
	}
	return viz.TokenLens{Name: l.name, Label: l.label, Help: l.help, Suffix: l.suffix, Sites: sites}
}

// blank marks the rows without a site in an array of the figure, whose last axes
// but for one of best tokens are rows and columns.
func (l patchReading) blank(a *viz.Array, rows, cols int) *viz.Array {
	grid := rows * cols
	for _, axis := range a.Axes {
		if axis == "k" {
			grid *= a.Shape[len(a.Shape)-1]
		}
	}
	for i := range a.State {
		if i%grid < l.first*grid/rows {
			a.State[i] = viz.Blank
		}
	}
	return a
}

// lensOf is the reading, other than the stream, whose cells a site's values are
// or make.
func (r *patchLensRun) lensOf(s models.Site) string {
	name := ""
	switch {
	case s.Layer < 0 || s.Kind == models.ResidPre || s.Kind == models.ResidMid || s.Kind == models.ResidPost:
	case s.Kind <= models.AttnOut:
		name = "attn"
	default:
		name = "mlp"
	}
	for _, l := range r.lenses {
		if l.name == name {
			return name
		}
	}
	return ""
}
