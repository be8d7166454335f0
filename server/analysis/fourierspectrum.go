package analysis

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

// spectrumDraws is how many orders of the numbers the control of a spectrum is
// over: a frequency that stands above the highest of all of them by chance comes
// about once in 20 spectra.
const spectrumDraws = 20

func fourierSpectrum() Analysis {
	return Analysis{
		Name: "fourier_spectrum", Title: "Fourier features", Version: 1,
		Summary: "how strongly each wave over the numbers stands in the embedding, the unembedding and what every component adds to the logits",
		Paper:   "Zhou, Fu, Sharan, Jia, Pre-trained Large Language Models Use Fourier Features to Compute Addition, NeurIPS 2024, arXiv 2406.03445",
		Example: `fourier_spectrum(load("mental-2op"), numbers=100)`,
		Params: append(append([]Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the model; its numbers must be single tokens"},
			promptsParam("single prompts, for components and layers"),
			{Name: "show", Type: TypeChoice, Default: "weights", Choices: []string{"weights", "components", "layers"},
				Help: "weights: embedding and unembedding; components: what each attention block and MLP adds to the logits at the last token, mean |F·W_U·out| over prompts; layers: the logit lens after each layer, its waves and how often its largest number is the answer, or near it, and how few waves say it"},
			{Name: "gain", Type: TypeBool, Default: true, Help: "read through the final norm's gain (and centring); False is the raw unembedding, as in the paper"},
		}, spaceParams()...), setParams("{a}{op}{b}=", 60)...),
		Run: runFourierSpectrum,
	}
}

// spectrumRun is one call on its way.
type spectrumRun struct {
	m     *models.Model
	a     Args
	emit  Emit
	space *numberSpace
	seed  uint64
	fig   *viz.Figure
}

func runFourierSpectrum(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &spectrumRun{m: a["m"].(*models.Model), a: a, emit: emit}
	var err error
	r.seed = seedOf(a)
	if r.space, err = newNumberSpace(r.m, a); err != nil {
		return nil, err
	}
	switch a["show"].(string) {
	case "components":
		return r.components(ctx)
	case "layers":
		return r.layers(ctx)
	}
	return r.weights(ctx)
}

// readoutName says how the unembedding is read.
func readoutName(gain bool, m *models.Model) string {
	if gain && m.Config.Norm != models.NoNorm {
		return "final norm's gain folded in"
	}
	return "raw unembedding"
}

// weights draws the spectra of embedding and unembedding.
func (r *spectrumRun) weights(ctx context.Context) (*viz.Figure, error) {
	gain := r.a["gain"].(bool)
	tables := []struct {
		name, title string
		w           *mat.Dense
	}{
		{"embed", "Embedding, ‖F W_E‖", r.space.rows(r.m.Params().Embed)},
		{"unembed", "Unembedding, ‖F W_U‖", r.space.readout(gain)},
	}
	axis := r.space.axis()
	n := len(axis.Labels)
	r.fig = &viz.Figure{
		Kind: viz.KindMultiples, Title: "Fourier features",
		Subtitle:  fmt.Sprintf("norm over the model's dimensions, sine and cosine joined · %s · %s · control: mean of %d orders of the numbers", r.space.what(), readoutName(gain, r.m), spectrumDraws),
		Arrays:    map[string]*viz.Array{},
		Scales:    map[string]viz.Scale{},
		Multiples: &viz.Multiples{Columns: 1},
	}
	for _, t := range tables {
		for _, name := range []string{t.name, t.name + "_shuffled"} {
			r.fig.Arrays[name] = viz.NewArray([]string{"frequency"}, n)
		}
		r.fig.Scales[t.name] = viz.Scale{Kind: viz.ScaleLinear, Hi: 1e-3, Label: "norm", Format: "%.2f"}
		r.fig.Multiples.Items = append(r.fig.Multiples.Items, viz.Item{Title: t.title, Kind: viz.KindBars, Bars: &viz.Bars{
			Categories: axis, YScale: t.name, Stems: true,
			Series: []viz.Series{{Name: "numbers in order", Y: t.name}, {Name: "numbers shuffled", Y: t.name + "_shuffled", Control: true}},
		}})
	}
	r.begin(len(tables), "matrices", nil)
	var said []string
	parseval := 0.0
	for i, t := range tables {
		if err := ctx.Err(); err != nil {
			return r.fig, err
		}
		s, c, err := r.spectrum(t.w)
		if err != nil {
			return r.fig, err
		}
		if err := r.part(i+1, len(tables), "matrices", []string{t.name, t.name + "_shuffled"}, t.name, s.Frequencies, c.mean); err != nil {
			return r.fig, err
		}
		r.fig.Multiples.Items[i].Bars.Marks = marks(c.found)
		said = append(said, fmt.Sprintf("%s: %s", t.title[:strings.IndexByte(t.title, ',')], c.describe(r.space, s)))
		parseval = math.Max(parseval, parsevalError(s, t.w))
	}
	r.fig.Caption = strings.Join(said, " ")
	r.finish(parseval)
	return r.fig, nil
}

// control is a spectrum's against the same rows in other orders.
type control struct {
	mean    []float64 // over the draws
	highest float64   // of all draws and frequencies
	found   []int     // frequencies above the highest, strongest first
}

// spectrum is that of w and of its rows in other orders.
func (r *spectrumRun) spectrum(w *mat.Dense) (*probe.Spectrum, control, error) {
	s, err := probe.EmbeddingSpectrum(r.space.basis, w)
	if err != nil {
		return nil, control{}, err
	}
	c := control{mean: make([]float64, len(s.Frequencies))}
	rng := rand.New(rand.NewPCG(r.seed, 1))
	for range spectrumDraws {
		other, err := probe.EmbeddingSpectrum(r.space.basis, shuffled(w, rng))
		if err != nil {
			return nil, control{}, err
		}
		c.add(other.Frequencies)
	}
	for _, k := range s.Order() {
		if s.Frequencies[k-1] > c.highest {
			c.found = append(c.found, k)
		}
	}
	return s, c, nil
}

func (c *control) add(frequencies []float64) {
	floats.AddScaled(c.mean, 1./spectrumDraws, frequencies)
	c.highest = math.Max(c.highest, floats.Max(frequencies))
}

// describe names what stands out.
func (c control) describe(space *numberSpace, s *probe.Spectrum) string {
	if len(c.found) == 0 {
		return fmt.Sprintf("no frequency stands above the highest of %d shuffled orders (%.3g; the strongest has %.3g).", spectrumDraws, c.highest, floats.Max(s.Frequencies))
	}
	more := ""
	if len(c.found) > 6 {
		more = fmt.Sprintf(" and %d more", len(c.found)-6)
	}
	return fmt.Sprintf("above the highest of %d shuffled orders (%.3g) stand the periods %s%s, the strongest with %.3g.",
		spectrumDraws, c.highest, space.periods(c.found[:min(6, len(c.found))]), more, floats.Max(s.Frequencies))
}

// marks are the places of frequencies among the categories.
func marks(ks []int) []int {
	var out []int
	for _, k := range ks {
		out = append(out, k-1)
	}
	slices.Sort(out)
	return out
}

// parsevalError is how far the squares of a spectrum are from those of the table,
// as a share.
func parsevalError(s *probe.Spectrum, w *mat.Dense) float64 {
	total := mat.Norm(w, 2)
	if total == 0 {
		return 0
	}
	return math.Abs(floats.Norm(s.Rows, 2)/total - 1)
}

// begin shows the empty figure.
func (r *spectrumRun) begin(total int, unit string, from *BoundPrompts, ids ...[]int) {
	r.fig.Provenance = provenance(r.m, "fourier_spectrum", 1, r.a, ids...)
	r.fig.Provenance.Seed = &r.seed
	if from != nil {
		from.describe(r.fig)
	}
	r.emit.Figure(r.fig)
	r.emit.Progress(0, total, unit)
}

// part fills arrays from their first number on and widens their scale.
func (r *spectrumRun) part(done, total int, unit string, names []string, scale string, values ...[]float64) error {
	var part viz.Part
	s := r.fig.Scales[scale]
	for i, name := range names {
		part.Arrays = append(part.Arrays, viz.ArrayRun{Name: name, F32: viz.EncodeFloats(narrow(values[i]))})
		s = grow(s, values[i])
	}
	if s != r.fig.Scales[scale] {
		part.Scales = map[string]viz.Scale{scale: s}
	}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.emit.Part(part)
	r.emit.Progress(done, total, unit)
	return nil
}

// finish adds the badges and shows the whole.
func (r *spectrumRun) finish(parseval float64) {
	if r.space.paper {
		r.fig.Caption += fmt.Sprintf(" The paper's basis is orthonormal only to within %.2g, so lengths are not kept; basis=\"dft\" keeps them.", r.space.orthonormality())
	} else {
		worst := r.space.orthonormality()
		r.fig.Badges = append(r.fig.Badges,
			viz.Badge{Text: "F is orthonormal", Value: worst, Bound: 1e-10, OK: worst <= 1e-10, Help: "largest difference of F·Fᵀ from the identity"},
			viz.Badge{Text: "Parseval", Value: parseval, Bound: 1e-10, OK: parseval <= 1e-10, Help: "largest relative difference of the length of a transform from that of what was transformed"})
	}
	r.emit.Figure(r.fig)
}
