package probe

import (
	"context"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/models/tensor"
)

// sweepTokens is about how many tokens a run of a sweep takes at once: enough
// to fill the kernels, few enough that the first part comes soon.
const sweepTokens = 512

// Sweep is what many prompts of one length leave at one position.
type Sweep struct {
	// Position counts from 0.
	Position int
	// Sites are those that were read, in the order given.
	Sites []models.Site
	// Values holds a matrix [N, width] for each site, a row for each prompt;
	// what stands behind the position (heads) is joined.
	Values []*mat.Dense
}

// SweepPrompts runs prompts and keeps what stands at one position of the given
// sites: the input of every fit of numbers here, one prompt a number or pair of
// numbers. All prompts need one length, so that the position means the same in
// each; a position below 0 counts from the end. emit is told how many prompts are
// done after each run.
//
// The cost is one run of the model over all prompts; N·width numbers are kept a
// site. Errors: no prompts, unequal lengths, a position outside of them, a site
// that the model does not have or that has no position.
func SweepPrompts(ctx context.Context, m *models.Model, prompts [][]int, position int, sites []models.Site, emit func(done int) error) (*Sweep, error) {
	if len(prompts) == 0 || len(sites) == 0 {
		return nil, fmt.Errorf("sweep: %d prompts and %d sites: at least one of each is needed", len(prompts), len(sites))
	}
	length := len(prompts[0])
	for i, p := range prompts {
		if len(p) != length {
			return nil, fmt.Errorf("sweep: prompt %d has %d tokens, the first %d: one length is needed", i, len(p), length)
		}
	}
	s := &Sweep{Position: position, Sites: sites}
	if s.Position < 0 {
		s.Position += length
	}
	if s.Position < 0 || s.Position >= length {
		return nil, fmt.Errorf("sweep: position %d is outside 0..%d (or -%d..-1 from the end)", position, length-1, length)
	}
	place := map[models.Site]*mat.Dense{}
	for _, site := range sites {
		axes := m.Axes(site)
		if len(axes) < 3 || !slices.Equal(axes[:2], []string{"batch", "pos"}) {
			return nil, fmt.Errorf("sweep: site %s has the axes %v: a site with a value at each position is needed", site, axes)
		}
		width := 1
		for _, n := range m.Shape(site, 1, 1)[2:] {
			width *= n
		}
		place[site] = mat.NewDense(len(prompts), width, nil)
		s.Values = append(s.Values, place[site])
	}
	first := 0
	keep := models.Hook{Sites: models.Sites(sites...), Fn: func(at models.Site, x *tensor.Dense) error {
		for b := range x.Dim(0) {
			row := place[at].RawRowView(first + b)
			for i, v := range x.Sub(b, s.Position).Data {
				row[i] = float64(v)
			}
		}
		return nil
	}}
	each := max(1, sweepTokens/length)
	for first < len(prompts) {
		in, err := models.Rows(prompts[first:min(first+each, len(prompts))])
		if err != nil {
			return nil, fmt.Errorf("sweep: %w", err)
		}
		if _, err := m.RunFor(ctx, in, models.Need{Last: true, Tokens: []int{0}}, keep); err != nil { // no logits are read
			return nil, err
		}
		first += in.B
		if err := emit(first); err != nil {
			return nil, err
		}
	}
	return s, nil
}
