package analysis

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"orrery/ablate"
	"orrery/probe"
	"orrery/viz"
)

// clockHand is one number of the prompt whose hands are drawn, with the fit that
// reads it.
type clockHand struct {
	name string
	role viz.TokenRole
	read *numberReading
	at   *helixAt
	all  *mat.Dense // [prompts of the set, columns] where each stands, the hands' prompt last
}

// angle is where a hand points in a prompt.
func (h *clockHand) angle(row, period int) float64 {
	return math.Atan2(h.all.At(row, 2*period+1), h.all.At(row, 2*period))
}

// clock draws one dial a period: the mean activation of each value in the period's
// plane, and, for one prompt, where a, b and a+b point, each by its own fit at its
// own token.
func (r *helixRun) clock(ctx context.Context) error {
	ids, err := r.a["prompt"].(Prompt).encode(r.m)
	if err != nil {
		return err
	}
	prompt, err := r.handPrompt(ids)
	if err != nil {
		return err
	}
	if err := r.lookAtClock(ctx, prompt); err != nil {
		return err
	}
	if err := r.take(ctx); err != nil {
		return err
	}
	fig, face, err := r.dials(ctx, r.sweep)
	if err != nil {
		return err
	}
	r.begin(fig, r.clockWords(face, prompt), 1, "layers")
	hands, err := r.hands(ctx, face, append(slices.Clone(r.set.Prompts), prompt))
	if err != nil {
		return err
	}
	var off []string
	for i, period := range r.read.periods {
		r.point(fig, hands, i)
		if len(hands) == 3 {
			off = append(off, fmt.Sprintf("%.0f° for T = %s (here %.0f°)", turnOff(hands, i), periodList([]float64{period}), missedTurn(hands, i, len(r.set.Prompts))))
		}
	}
	var layers []string
	for _, h := range hands {
		layers = append(layers, fmt.Sprintf("%s in layer %d (R² %.3f)", h.name, h.at.layer, h.at.fit.Fit.R2))
	}
	r.fig.Caption = fmt.Sprintf("Each hand is read by a helix of its own: %s.", strings.Join(layers, ", "))
	if len(off) > 0 {
		r.fig.Caption += fmt.Sprintf(" On a clock the angles of a and b add up to that of a+b; over the prompts their sum misses it by a mean of %s, where 90° is chance.", strings.Join(off, ", "))
	}
	control, _, err := r.controlAt(ctx, face.layer)
	if err != nil {
		return err
	}
	chance, err := probe.FitPeriodShares(control.layers[face.layer], control.numbers[0].Values, r.read.periods, probe.HelixOptions{})
	if err != nil {
		return err
	}
	var held []string
	for _, v := range chance.Periods {
		held = append(held, fmt.Sprintf("%.2g %%", 100*v))
	}
	r.fig.Caption += fmt.Sprintf(" In an untrained model the dials hold %s of the variance.", strings.Join(held, ", "))
	r.fig.Provenance.PromptIDs = [][]int{ids}
	r.emit.Progress(1, 1, "layers")
	return nil
}

// clockLook is how many prompts a first look at the clock takes. It is taken where
// all of them are at least twice as many.
const clockLook = 200

// lookAtClock shows the dials as a few of the prompts give them, evenly spread, which
// the figure says, for the time until all have run. What it fits is no part of the
// result.
func (r *helixRun) lookAtClock(ctx context.Context, prompt ablate.Prompt) error {
	prompts := r.read.distinct(r.set.Prompts)
	if len(prompts) < 2*clockLook {
		return nil
	}
	defer func(checks fitChecks) { r.fitChecks = checks }(r.fitChecks)
	some := make([]ablate.Prompt, clockLook)
	for i := range some {
		some[i] = prompts[i*len(prompts)/clockLook]
	}
	few, err := r.read.sweep(ctx, r.m, some)
	if err != nil {
		return err
	}
	fig, face, err := r.dials(ctx, few)
	if err != nil {
		return ctx.Err() // few prompts may be too few for a fit that all of them allow
	}
	r.begin(fig, fmt.Sprintf("%s · a first look, over %d of %d prompts", r.clockWords(face, prompt), clockLook, len(prompts)), 1, "layers")
	return nil
}

// clockWords say what is drawn.
func (r *helixRun) clockWords(face *helixAt, prompt ablate.Prompt) string {
	return fmt.Sprintf("mean activation of each value of %s in the plane of each period, in radii of the fit's circle · %s, layer %d · hands: %s", r.read.of, r.read.where(), face.layer, prompt.Text)
}

// dials are the dials of a sweep, without hands, and the fit that they are read by.
func (r *helixRun) dials(ctx context.Context, s *numberSweep) (*viz.Figure, *helixAt, error) {
	face, err := r.fitAt(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	shares, err := probe.FitPeriodShares(s.layers[face.layer], s.numbers[0].Values, r.read.periods, probe.HelixOptions{})
	if err != nil {
		return nil, nil, err
	}
	fig := &viz.Figure{Kind: viz.KindDials, Arrays: map[string]*viz.Array{}, Texts: map[string]*viz.Text{}, Scales: map[string]viz.Scale{}, Dials: &viz.Dials{}}
	n := len(face.values)
	labels := make([]string, n)
	for i, v := range face.values {
		labels[i] = fmt.Sprint(v)
	}
	fig.Texts["number"] = &viz.Text{Shape: []int{n}, Values: labels}
	for i := range r.read.periods {
		dial := r.dial(fig, face, i)
		dial.Note = fmt.Sprintf("%.2g %% of the variance", 100*shares.Periods[i])
		fig.Dials.Items = append(fig.Dials.Items, dial)
	}
	return fig, face, nil
}

// handPrompt is the prompt of the hands, read by the set's template.
func (r *helixRun) handPrompt(ids []int) (ablate.Prompt, error) {
	want := r.set.Prompts[0]
	p := ablate.Prompt{Text: r.a["prompt"].(Prompt).Text, IDs: ids, Roles: want.Roles, Answer: -1, Other: -1}
	if p.Text == "" && r.m.Tokenizer != nil {
		p.Text = strings.Join(tokenLabels(r.m.Tokenizer, ids), "")
	}
	if len(ids) != len(want.IDs) {
		return p, &hintError{fmt.Sprintf("prompt: %q has %d tokens, the template's prompts %d: its hands cannot be placed", p.Text, len(ids), len(want.IDs)), "write it as the template does"}
	}
	return p, nil
}

// hands reads a, b and a+b of prompts, each by a fit of its own.
func (r *helixRun) hands(ctx context.Context, face *helixAt, prompts []ablate.Prompt) (out []*clockHand, err error) {
	var rows [][]int
	for _, p := range prompts {
		rows = append(rows, p.IDs)
	}
	names := []string{"a", "b", "a+b"}
	if len(r.set.Prompts[0].Operands) < 2 {
		names = names[:1]
	}
	for i, of := range names {
		h := &clockHand{name: of, role: []viz.TokenRole{viz.RoleOperandA, viz.RoleOperandB, viz.RoleAnswer}[i]}
		args := Args{"of": of, "at": "auto", "site": "auto", "periods": r.read.periods}
		if h.read, err = readNumbers(r.m, args, r.set); err != nil {
			return nil, err
		}
		h.at = face
		if h.read.of != r.read.of || h.read.kind != r.read.kind || h.read.position != r.read.position {
			s, err := h.read.sweep(ctx, r.m, h.read.distinct(r.set.Prompts))
			if err != nil {
				return nil, err
			}
			if h.at, err = r.fitAt(ctx, s); err != nil {
				return nil, fmt.Errorf("the hand of %s: %w", of, err)
			}
		}
		own, err := probe.SweepPrompts(ctx, r.m, rows, h.read.position, h.read.sites(h.at.layer), func(int) error { return nil })
		if err != nil {
			return nil, err
		}
		if h.all, err = h.at.fit.Coordinates(own.Values[0]); err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

// dial is one period's, before it has hands.
func (r *helixRun) dial(fig *viz.Figure, face *helixAt, i int) viz.Dial {
	n, period := len(face.values), r.read.periods[i]
	x, y, phase := fmt.Sprintf("cos%d", i), fmt.Sprintf("sin%d", i), fmt.Sprintf("turn%d", i)
	cos, sin, turn := make([]float64, n), make([]float64, n), make([]float64, n)
	for k, v := range face.values {
		cos[k], sin[k] = face.places.At(k, 2*i), face.places.At(k, 2*i+1)
		turn[k] = math.Mod(math.Mod(float64(v), period)+period, period) / period
	}
	fig.Arrays[x], fig.Arrays[y], fig.Arrays[phase] = viz.Values(narrow(cos), []string{"point"}, n), viz.Values(narrow(sin), []string{"point"}, n), viz.Values(narrow(turn), []string{"point"}, n)
	fig.Scales["turn"] = viz.Scale{Kind: viz.ScaleCyclic, Hi: 1, Label: fmt.Sprintf("%s mod T, in turns of T", r.read.of), Format: "%.2f"}
	return viz.Dial{Title: "T = " + periodList([]float64{period}), Period: period, X: x, Y: y, Labels: "number", Colour: phase, Scale: "turn"}
}

// point puts the hands on the dial of a period.
func (r *helixRun) point(fig *viz.Figure, hands []*clockHand, i int) {
	dial := &fig.Dials.Items[i]
	for k, h := range hands {
		hx, hy := fmt.Sprintf("hand%d_cos%d", k, i), fmt.Sprintf("hand%d_sin%d", k, i)
		last := len(r.set.Prompts)
		fig.Arrays[hx] = viz.Values([]float32{float32(h.all.At(last, 2*i))}, []string{"hand"}, 1)
		fig.Arrays[hy] = viz.Values([]float32{float32(h.all.At(last, 2*i+1))}, []string{"hand"}, 1)
		dial.Hands = append(dial.Hands, viz.Hand{Name: h.name, X: hx, Y: hy, Role: h.role})
	}
}

// missedTurn is by how much the angles of a and b together miss that of a+b in a
// prompt, 0 to 180 degrees.
func missedTurn(hands []*clockHand, period, row int) float64 {
	d := hands[0].angle(row, period) + hands[1].angle(row, period) - hands[2].angle(row, period)
	return 180 / math.Pi * math.Abs(math.Remainder(d, 2*math.Pi))
}

// turnOff is the mean of missedTurn over the set's prompts.
func turnOff(hands []*clockHand, period int) float64 {
	n, _ := hands[0].all.Dims()
	sum := 0.0
	for row := range n - 1 {
		sum += missedTurn(hands, period, row)
	}
	return sum / float64(n-1)
}
