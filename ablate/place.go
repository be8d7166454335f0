package ablate

import (
	"fmt"

	"orrery/models"
	"orrery/models/tensor"
)

// Place is where an activation stands: a site of a block at one position, and of
// z one head.
type Place struct {
	Site models.Site // whose axes are batch, pos and what is replaced
	// Head is that of z; -1 for all of them, and for sites without heads.
	Head     int
	Position int // below 0 from the end
	// Neurons are the places on the site's last axis; nil for all. None of them has
	// a direct path of its own here: see TotalAndDirect.
	Neurons []int
}

// String is such as blocks.2.attn.hook_z head 1 at position 4.
func (p Place) String() string {
	if p.Neurons != nil {
		return fmt.Sprintf("%s at position %d, %d neurons", p.Site, p.Position, len(p.Neurons))
	}
	if p.Head >= 0 {
		return fmt.Sprintf("%s head %d at position %d", p.Site, p.Head, p.Position)
	}
	return fmt.Sprintf("%s at position %d", p.Site, p.Position)
}

// Width is how many numbers stand there.
func (p Place) Width(m *models.Model) int {
	if p.Neurons != nil {
		return len(p.Neurons)
	}
	n := 1
	for _, d := range m.Shape(p.Site, 1, 1)[2:] {
		n *= d
	}
	if p.Head >= 0 {
		n /= m.Config.Heads
	}
	return n
}

// settle checks the place in prompts of T tokens and counts its position from 0.
func (p Place) settle(m *models.Model, T int) (Place, error) {
	site, err := m.Site(p.Site.String())
	if err != nil {
		return p, err
	}
	axes := m.Axes(site)
	if len(axes) < 3 || axes[1] != "pos" {
		return p, fmt.Errorf("%s has the axes %v: a site with a vector at each position is needed", site, axes)
	}
	if p.Head >= 0 && axes[2] != "head" {
		return p, fmt.Errorf("%s has no heads: its axes are %v", site, axes)
	}
	if p.Head < -1 || p.Head >= m.Config.Heads {
		return p, fmt.Errorf("%s: head %d is outside 0..%d (or -1 for all)", site, p.Head, m.Config.Heads-1)
	}
	at := p.Position
	if at < 0 {
		at += T
	}
	if at < 0 || at >= T {
		return p, fmt.Errorf("%s: position %d is outside 0..%d (or -%d..-1 from the end)", site, p.Position, T-1, T)
	}
	if err := p.checkNeurons(m, axes); err != nil {
		return p, err
	}
	return Place{site, p.Head, at, p.Neurons}, nil
}

// checkNeurons refuses places that the site's vector lacks, or that come twice.
func (p Place) checkNeurons(m *models.Model, axes []string) error {
	if p.Neurons == nil {
		return nil
	}
	n := m.Shape(p.Site, 1, 1)[2]
	if len(axes) != 3 || len(p.Neurons) == 0 {
		return fmt.Errorf("%s: %d neurons of the axes %v: at least one of a site with a vector at each position is needed", p.Site, len(p.Neurons), axes)
	}
	seen := map[int]bool{}
	for _, i := range p.Neurons {
		if i < 0 || i >= n || seen[i] {
			return fmt.Errorf("%s: neuron %d is outside 0..%d or comes twice", p.Site, i, n-1)
		}
		seen[i] = true
	}
	return nil
}

// in is what stands there in a run's value x of the site, [T,..].
func (p Place) in(x *tensor.Dense) []float32 {
	x = x.Sub(p.Position)
	if p.Head >= 0 {
		x = x.Sub(p.Head)
	}
	if p.Neurons == nil {
		return x.Data
	}
	out := make([]float32, len(p.Neurons))
	for k, i := range p.Neurons {
		out[k] = x.Data[i]
	}
	return out
}

// set is the edit that writes there.
func (p Place) set(value []float32) models.Edit {
	e := models.Edit{Site: p.Site.String(), Positions: []int{p.Position}, Op: models.Set, Value: models.List(value...)}
	if p.Head >= 0 {
		e.Heads = []int{p.Head}
	}
	e.Neurons = p.Neurons
	return e
}

// direct checks that a change at the place adds to the stream, so that it has a
// direct path.
func (p Place) direct(m *models.Model) error {
	if p.Neurons != nil {
		return fmt.Errorf("%s: single neurons have no direct path here", p)
	}
	switch p.Site.Kind {
	case models.AttnOut, models.MLPOut:
		return nil
	case models.Z:
	default:
		if p.Site == (models.Site{Kind: models.ResidPre}) {
			return nil // the embedding's
		}
		return fmt.Errorf("%s is no component that adds to the stream: it has no direct path of its own; take z, %s or %s", p.Site, models.Site{Layer: p.Site.Layer, Kind: models.AttnOut}, models.Site{Layer: p.Site.Layer, Kind: models.MLPOut})
	}
	if m.Config.Placement != models.PreNorm {
		return fmt.Errorf("%s: a norm stands behind this model's attention, so that heads do not add to the stream: their direct path is not defined", p.Site)
	}
	return nil
}

// toStream is what a change at the place adds to the stream behind its block, [D]:
// the change itself of an attention or MLP output, of z its part of the block's
// W_O [D,H·K].
func (p Place) toStream(m *models.Model, out *tensor.Dense, change []float64) []float64 {
	if p.Site.Kind != models.Z {
		return change
	}
	first := max(p.Head, 0) * m.Config.HeadWidth
	sum := make([]float64, m.Config.Width)
	for i := range sum {
		for k, v := range change {
			sum[i] += v * float64(out.At(i, first+k))
		}
	}
	return sum
}
