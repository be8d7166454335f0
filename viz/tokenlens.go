package viz

import (
	"fmt"
	"maps"
	"slices"
)

// TokenLens is one of several readings of a token grid's cells: of the stream
// behind each block, of what its attention adds, of what its MLP adds. Rows,
// columns, panels, metrics and scales are the same for all.
type TokenLens struct {
	// Name is short and stable: "resid", "attn", "mlp".
	Name string `json:"name"`
	// Label is what the switch shows; Help says in a sentence what a cell reads, and
	// stands in place of the figure's subtitle.
	Label string `json:"label"`
	Help  string `json:"help"`
	// Suffix is what the names of the lens' arrays and texts have behind those that
	// Tokens gives: Cell, TopTokens, TopValues, the metrics' values, and each result's
	// cone and changes. It is empty for the first lens.
	Suffix string `json:"suffix"`
	// Sites are those of the rows, as Tokens.Sites; empty for a row that has none.
	Sites []string `json:"sites,omitempty"`
}

// under is the grid as a lens reads it.
func (t *Tokens) under(l TokenLens) *Tokens {
	out := *t
	add := func(name string) string {
		if name == "" {
			return ""
		}
		return name + l.Suffix
	}
	out.Cell, out.TopTokens, out.TopValues, out.Sites = add(t.Cell), add(t.TopTokens), add(t.TopValues), l.Sites
	out.Metrics = slices.Clone(t.Metrics)
	for i := range out.Metrics {
		m := &out.Metrics[i]
		m.Values = add(m.Values)
		if l.Suffix != "" && m.Help != "" {
			m.Help += ", " + l.Label
		}
	}
	if t.Patch != nil {
		patch := *t.Patch
		patch.Results = slices.Clone(patch.Results)
		for i := range patch.Results {
			r := &patch.Results[i]
			r.Cone, r.Changed = add(r.Cone), add(r.Changed)
			r.Moves = slices.DeleteFunc(slices.Clone(r.Moves), func(m TokenMove) bool { return l.Suffix != "" && m.Lens != l.Name })
		}
		out.Patch = &patch
	}
	out.Lenses = nil
	return &out
}

// lens returns the figure as a lens reads it; an empty name is the first, and so
// is every name of a figure without lenses.
func (f *Figure) lens(name string) (*Figure, error) {
	if name == "" || len(f.Tokens.Lenses) == 0 {
		return f, nil
	}
	names := make([]string, len(f.Tokens.Lenses))
	for i, l := range f.Tokens.Lenses {
		if names[i] = l.Name; l.Name == name {
			out := *f
			out.Tokens = f.Tokens.under(l)
			if i > 0 {
				out.Subtitle = l.Help
			}
			return &out, nil
		}
	}
	return nil, fmt.Errorf("unknown lens %q (lenses are %q)", name, names)
}

// checkLenses is the part of Validate for lenses: each is a grid of its own.
func (f *Figure) checkLenses() error {
	t := f.Tokens
	seen := map[string]bool{}
	for i, l := range t.Lenses {
		if l.Name == "" || seen[l.Name] {
			return fmt.Errorf("lens name %q is empty or used twice", l.Name)
		}
		if (l.Suffix == "") != (i == 0) {
			return fmt.Errorf("lens %q has the suffix %q: the first has none, and the others have one", l.Name, l.Suffix)
		}
		seen[l.Name] = true
		if i == 0 {
			continue
		}
		out := *f
		out.Tokens = t.under(l)
		if err := out.checkTokens(); err != nil {
			return fmt.Errorf("lens %q: %w", l.Name, err)
		}
	}
	if t.Patch == nil || len(t.Lenses) == 0 {
		return nil
	}
	for _, r := range t.Patch.Results {
		for _, m := range r.Moves {
			if m.Lens != "" && !seen[m.Lens] {
				return fmt.Errorf("move %+v is of no lens (lenses are %q)", m, slices.Sorted(maps.Keys(seen)))
			}
		}
	}
	return nil
}
