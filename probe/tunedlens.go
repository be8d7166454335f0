package probe

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/models/tensor"
)

// Translator is what a tuned lens adds to a state h before it is decoded, A·h + b.
type Translator struct {
	A *mat.Dense // [D,D]
	B []float64  // [D]
}

// TunedLens translates the state that each block reads into what the final norm
// expects,
//
//	lens_l(h) = norm_final(h + A_l·h + b_l)·W_U + b_U
//
// (Belrose et al., "Eliciting Latent Predictions from Transformers with the Tuned
// Lens", 2023, arXiv 2303.08112, section 3). With zeros it is the logit lens.
// The last state needs no translator.
type TunedLens struct {
	Model       string       // hash of the model that it was fitted to
	Translators []Translator // [L], of what block l reads
}

// NewTunedLens is a lens of zeros.
func NewTunedLens(m *models.Model) *TunedLens {
	t := &TunedLens{Model: m.Hash()}
	for range m.Config.Layers {
		t.Translators = append(t.Translators, Translator{mat.NewDense(m.Config.Width, m.Config.Width, nil), make([]float64, m.Config.Width)})
	}
	return t
}

// check refuses a lens of another model.
func (t *TunedLens) check(m *models.Model) error {
	if len(t.Translators) != m.Config.Layers {
		return fmt.Errorf("tuned lens: it has %d translators and the model %d blocks", len(t.Translators), m.Config.Layers)
	}
	for l, a := range t.Translators {
		if a.A == nil {
			return fmt.Errorf("tuned lens: the translator of block %d has no matrix", l)
		}
		if r, c := a.A.Dims(); r != m.Config.Width || c != r || len(a.B) != r {
			return fmt.Errorf("tuned lens: the translator of block %d is [%d,%d] and [%d], the stream has width %d", l, r, c, len(a.B), m.Config.Width)
		}
	}
	if hash := m.Hash(); t.Model != hash {
		return fmt.Errorf("tuned lens: it was fitted to the model %.12s, and this is %.12s: what a translator aims at is another unembedding", t.Model, hash)
	}
	return nil
}

// Translate is h + A·h + b for rows of what block l reads, [R,D]; for l = L the rows
// as they are.
func (t *TunedLens) Translate(l int, h *tensor.Dense) *tensor.Dense {
	out := h.Clone()
	if l >= len(t.Translators) {
		return out
	}
	a, d := t.Translators[l], h.Dim(-1)
	rows := mat.NewDense(h.Len()/d, d, nil)
	widen(rows.RawMatrix().Data, h.Data)
	moved := product(rows, a.A.T()).RawMatrix().Data
	for i, v := range h.Data {
		out.Data[i] = float32(float64(v) + moved[i] + a.B[i%d])
	}
	return out
}

// TunedLoss is how far a translator is from the model, and how that changes.
type TunedLoss struct {
	// Loss is the mean over positions of KL(model ‖ lens), in nats, and GradA [D,D]
	// and GradB [D] its derivatives.
	Loss  float64
	GradA *mat.Dense
	GradB []float64
}

// Loss measures every translator on prompts of one length, [L]. It costs a run
// forward, and each layer the read-out there and back.
func (t *TunedLens) Loss(ctx context.Context, m *models.Model, prompts [][]int) ([]TunedLoss, error) {
	if err := t.check(m); err != nil {
		return nil, err
	}
	d, err := newTunedData(ctx, m, prompts)
	if err != nil {
		return nil, err
	}
	var out []TunedLoss
	for l := range t.Translators {
		loss, err := d.loss(ctx, t, l)
		if err != nil {
			return nil, err
		}
		out = append(out, loss)
	}
	return out, nil
}

// tunedData is what translators are fitted to.
type tunedData struct {
	m      *models.Model
	states []*tensor.Dense // [L], [rows,D] what every block reads
	wide   []*mat.Dense    // the same in float64
	q      [][]float64     // the model's distributions, a row each
	lnq    float64         // Σ q ln q of all of them
}

func newTunedData(ctx context.Context, m *models.Model, prompts [][]int) (*tunedData, error) {
	if len(prompts) == 0 {
		return nil, fmt.Errorf("tuned lens: no prompts")
	}
	in, err := models.Rows(prompts)
	if err != nil {
		return nil, fmt.Errorf("tuned lens: %w", err)
	}
	d, cache := &tunedData{m: m}, models.NewCache()
	out, err := m.Run(ctx, in, models.Record(cache, func(s models.Site) bool { return s.Kind == models.ResidPre }))
	if err != nil {
		return nil, fmt.Errorf("tuned lens: %w", err)
	}
	for l := range m.Config.Layers {
		h, ok := cache.Get(models.Site{Layer: l, Kind: models.ResidPre})
		if !ok {
			return nil, fmt.Errorf("tuned lens: what block %d reads was not recorded", l)
		}
		rows := tensor.From(h.Data, in.B*in.T, m.Config.Width)
		wide, err := Matrix(rows)
		if err != nil {
			return nil, fmt.Errorf("tuned lens: %w", err)
		}
		d.states, d.wide = append(d.states, rows), append(d.wide, wide)
	}
	for b := range in.B {
		for p := range in.T {
			q := models.LogProbs(out.Logits.Sub(b, p).Data)
			for v, lp := range q {
				if q[v] = math.Exp(lp); q[v] > 0 {
					d.lnq += q[v] * lp
				}
			}
			d.q = append(d.q, q)
		}
	}
	return d, nil
}

// loss measures one translator.
func (d *tunedData) loss(ctx context.Context, t *TunedLens, l int) (TunedLoss, error) {
	if err := ctx.Err(); err != nil {
		return TunedLoss{}, err
	}
	value, slope, err := d.m.UnembedGradient(t.Translate(l, d.states[l]), d.divergence)
	if err != nil {
		return TunedLoss{}, fmt.Errorf("tuned lens: %w", err)
	}
	g, err := Matrix(slope)
	if err != nil {
		return TunedLoss{}, fmt.Errorf("tuned lens: %w", err)
	}
	out := TunedLoss{Loss: value, GradA: product(g.T(), d.wide[l]), GradB: make([]float64, d.m.Config.Width)}
	rows, _ := g.Dims()
	for r := range rows {
		floats.Add(out.GradB, g.RawRowView(r))
	}
	return out, nil
}

// divergence is the mean KL(model ‖ lens) of logits [rows,V] and its derivative.
func (d *tunedData) divergence(logits *tensor.Dense) (float64, *tensor.Dense, error) {
	grad, sum, n := tensor.New(logits.Shape...), d.lnq, float64(len(d.q))
	V := logits.Dim(-1)
	for r, q := range d.q {
		into := grad.Data[r*V : (r+1)*V]
		for v, lp := range models.LogProbs(logits.Data[r*V : (r+1)*V]) {
			if q[v] > 0 {
				sum -= q[v] * lp
			}
			into[v] = float32((math.Exp(lp) - q[v]) / n)
		}
	}
	return sum / n, grad, nil
}

// TunedOptions are the options of FitTunedLens. Zeros stand for the authors'
// numbers.
type TunedOptions struct {
	Steps int // 250
	// Adam descends by Adam (AMSGrad, β 0.9 and 0.999), the authors' other choice, for
	// models whose blocks read states of very different sizes; Momentum is not used.
	Adam     bool
	Rate     float64 // 0.1 at the first step, with Adam 1e-3, falling linearly to nothing
	Momentum float64 // 0.9, Nesterov's
	Decay    float64 // 1e-3, which pulls towards the logit lens; below 0 for none
}

// settle puts in the authors' numbers, and refuses others that are none.
func (o *TunedOptions) settle() error {
	rate := .1
	if o.Adam {
		rate = 1e-3
	}
	for _, n := range []struct {
		name  string
		value *float64
		usual float64
	}{{"rate", &o.Rate, rate}, {"momentum", &o.Momentum, .9}, {"decay", &o.Decay, 1e-3}} {
		if *n.value == 0 {
			*n.value = n.usual
		}
		if *n.value != *n.value || math.IsInf(*n.value, 0) {
			return fmt.Errorf("tuned lens: %s is %g", n.name, *n.value)
		}
	}
	if o.Steps == 0 {
		o.Steps = 250
	}
	if o.Steps < 0 || o.Rate < 0 || o.Momentum < 0 || o.Momentum >= 1 {
		return fmt.Errorf("tuned lens: %d steps of rate %g and momentum %g: want 1 or more, above 0, and in 0..1", o.Steps, o.Rate, o.Momentum)
	}
	return nil
}

// FitTunedLens fits a translator to each block on prompts of one length, by
// gradient descent on all of them at once as the authors' code does it. emit gets, a
// step, the losses [L] before it: those of step 0 are the logit lens'. Measure the
// lens on other prompts (Loss), and say both. It costs a run, and a step and layer
// the read-out there and back and 6·rows·D².
func FitTunedLens(ctx context.Context, m *models.Model, prompts [][]int, opt TunedOptions, emit func(step int, losses []float64) error) (*TunedLens, error) {
	if err := opt.settle(); err != nil {
		return nil, err
	}
	d, err := newTunedData(ctx, m, prompts)
	if err != nil {
		return nil, err
	}
	t := NewTunedLens(m)
	var descents []*descent // of A and b, layer by layer
	for range t.Translators {
		descents = append(descents, &descent{opt: opt}, &descent{opt: opt})
	}
	losses := make([]float64, m.Config.Layers)
	for step := range opt.Steps {
		rate := opt.Rate * (1 - float64(step)/float64(opt.Steps))
		for l, a := range t.Translators {
			g, err := d.loss(ctx, t, l)
			if err != nil {
				return nil, err
			}
			losses[l] = g.Loss
			descents[2*l].step(a.A.RawMatrix().Data, g.GradA.RawMatrix().Data, rate)
			descents[2*l+1].step(a.B, g.GradB, rate)
		}
		if err := emit(step, losses); err != nil {
			return t, err
		}
	}
	return t, nil
}

// descent is how one array of numbers goes downhill.
type descent struct {
	opt                 TunedOptions
	speed, square, most []float64
	steps               int
}

// step takes one step, with weight decay: Nesterov's momentum or Adam.
func (d *descent) step(x, grad []float64, rate float64) {
	if d.speed == nil {
		d.speed, d.square, d.most = make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
	}
	d.steps++
	const first, second, eps = .9, .999, 1e-8
	one, two := 1-math.Pow(first, float64(d.steps)), 1-math.Pow(second, float64(d.steps))
	for i, g := range grad {
		g += max(d.opt.Decay, 0) * x[i]
		if !d.opt.Adam {
			d.speed[i] = d.opt.Momentum*d.speed[i] + g
			x[i] -= rate * (g + d.opt.Momentum*d.speed[i])
			continue
		}
		d.speed[i] = first*d.speed[i] + (1-first)*g
		d.square[i] = second*d.square[i] + (1-second)*g*g
		d.most[i] = max(d.most[i], d.square[i])
		x[i] -= rate * d.speed[i] / one / (math.Sqrt(d.most[i]/two) + eps)
	}
}
