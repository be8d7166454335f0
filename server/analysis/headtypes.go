package analysis

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"orrery/ablate"
	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

func headTypes() Analysis {
	return Analysis{
		Name: "head_types", Title: "What heads do with numbers", Version: 1,
		Summary: "sorts heads by whether helices of a and b or of a+b can stand in for them, and on which path they act",
		Paper:   helixPaper,
		Example: `head_types(load("mental-2op"), n=400, pairs=20)`,
		Params: append([]Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
			promptsParam("the prompts that fits are made from, or pairs of base (clean) and source (corrupted)"),
			{Name: "top", Type: TypeInt, Default: 20, Bounds: atLeast(1), Unit: "heads", Help: "how many heads, those of the largest total effect"},
			{Name: "mixed", Type: TypeInt, Default: -1, Bounds: atLeast(-1), Unit: "heads", Help: "how many of them, the least certain, are called mixed; -1 for one in five, as the paper's 4 of 20"},
			{Name: "pairs", Type: TypeInt, Default: 100, Bounds: atLeast(1), Unit: "pairs", Help: "how many pairs of prompts are patched, the source's a one that no fit has seen"},
			{Name: "periods", Type: TypeFloats, Default: probe.DefaultPeriods(), Bounds: periodBounds(), Help: "of the helices' circles"},
		}, setParams("{a}+{b}=", 1000)...),
		Run: runHeadTypes,
	}
}

// headFits are the helices that stand in for a head, in the order of HeadEffect;
// the last is the control, the helix of all three with the numbers exchanged.
var headFits = [...]string{"a,b", "a+b", "a,b,a+b", "shuffled"}

// headTypesRun is one call on its way.
type headTypesRun struct {
	m         *models.Model
	a         Args
	emit      Emit
	seed      uint64
	from      *BoundPrompts
	set       *ablate.PromptSet
	read      *numberReading // of a, b, a+b at the last token
	contrasts []ablate.Contrast
	pairs     []ablate.Pair
	held      []int
	fig       *viz.Figure
	report    models.Report
	edited    exactness
	rowError  float64 // of the patterns
	fitChecks
}

func runHeadTypes(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &headTypesRun{m: a["m"].(*models.Model), a: a, emit: emit}
	var err error
	if r.from, err = promptsOf(ctx, r.m, a); err != nil {
		return nil, err
	}
	r.set, r.seed = r.from.Set, r.from.seed()
	if r.read, err = readNumbers(r.m, Args{"of": "a,b,a+b", "at": "last", "site": "auto", "periods": a["periods"]}, r.set); err != nil {
		return nil, err
	}
	if err := r.pair(ctx); err != nil {
		return nil, err
	}
	n := min(a["top"].(int), r.m.Config.Layers*r.m.Config.Heads)
	r.begin(n)
	if err := r.reads(ctx); err != nil {
		return r.fig, err
	}
	if err := r.sortHeads(ctx, n); err != nil {
		return r.fig, err
	}
	r.fig.Badges = append(append(r.edited.badges(), sweepBadge(r.report), r.patternBadge()), r.badges()...)
	r.fig.Caption += fmt.Sprintf(" Prompts: %s. %s", r.from.Report(), sweepSentence(r.report))
	emit.Figure(r.fig)
	return r.fig, nil
}

// pair makes the pairs; a quarter of the values of a stay out of all fits.
func (r *headTypesRun) pair(ctx context.Context) (err error) {
	var first []int
	for _, p := range r.set.Prompts {
		first = append(first, r.read.values(p)[0])
	}
	r.held = probe.HoldOutNumbers(first, 0.25, r.seed)
	if r.contrasts, err = unseenPairs(ctx, r.from, r.read, r.held, r.a["pairs"].(int)); err != nil {
		return err
	}
	for _, c := range r.contrasts {
		p, err := c.Pair(ablate.Noise)
		if err != nil {
			return err
		}
		r.pairs = append(r.pairs, p)
	}
	return nil
}

// headColumns are the table's numbers, in its order.
var headColumns = []struct{ key, name, format string }{
	{"conf_operands", "conf a,b", "%.3f"}, {"conf_sum", "conf a+b", "%.3f"}, {"total", "total effect", "%.3g"}, {"direct", "direct effect", "%.3g"},
	{"share", "direct/total", "%.3f"}, {"fit0", "helix a,b", "%.3g"}, {"fit1", "helix a+b", "%.3g"}, {"fit2", "helix a,b,a+b", "%.3g"}, {"fit3", "shuffled helix", "%.3g"},
}

// begin shows the figure before its first number.
func (r *headTypesRun) begin(n int) {
	fig := &viz.Figure{
		Kind: viz.KindMultiples, Title: "What heads do with numbers", Arrays: map[string]*viz.Array{}, Texts: map[string]*viz.Text{"head": viz.NewText(n), "kind": viz.NewText(n), "holds": viz.NewText(n)},
		Scales: map[string]viz.Scale{
			"x":    {Kind: viz.ScaleLinear, Hi: 1, Label: "confidence in a,b", Format: "%.2f"},
			"y":    {Kind: viz.ScaleLinear, Hi: 1, Label: "confidence in a+b", Format: "%.2f"},
			"kind": {Kind: viz.ScaleCategory, Hi: 3, Names: "kinds", Label: "kind", Format: "%.0f"},
		},
		Multiples: &viz.Multiples{Columns: 1},
	}
	fig.Texts["kinds"] = &viz.Text{Shape: []int{4}, Values: []string{string(probe.OperandHead), string(probe.SumHead), string(probe.MixedHead), string(probe.UndecidedHead)}}
	table := &viz.Table{Rows: n, Columns: []viz.Column{{Name: "head", Text: "head"}, {Name: "kind", Text: "kind"}}}
	for _, c := range headColumns {
		fig.Arrays[c.key] = viz.NewArray([]string{"head"}, n)
		table.Columns = append(table.Columns, viz.Column{Name: c.name, Values: c.key, Format: c.format})
	}
	table.Columns = append(table.Columns, viz.Column{Name: "fit holds", Text: "holds"})
	fig.Arrays["kind"] = viz.NewArray([]string{"head"}, n)
	scatter := &viz.Scatter{
		Labels: "head",
		Views: []viz.ScatterView{{Name: "confidence", Label: "confidence", X: viz.Coordinate{Values: "conf_operands", Scale: "x"}, Y: viz.Coordinate{Values: "conf_sum", Scale: "y"},
			Help: "min(1, effect of the helix of a,b or of a+b over that of a,b,a+b) times the share of the total effect that is indirect, for a,b, or direct, for a+b"}},
		Colours: []viz.ScatterColour{{Name: "kind", Label: "kind", Help: "the larger confidence decides; the least certain heads are mixed", Values: "kind", Scale: "kind"}},
	}
	fig.Multiples.Items = []viz.Item{
		{Title: "Confidence", Subtitle: "of each head; undecided heads, whose effects are nothing to divide by, are not shown", Kind: viz.KindScatter, Scatter: scatter},
		{Title: "Heads", Subtitle: "by total effect; change of logit(r)", Kind: viz.KindTable, Table: table},
		r.readsItem(fig),
	}
	fig.Subtitle = fmt.Sprintf("change of logit(r) when a head's output at the last token is set to its fit at the source's numbers · helices of periods %s · n = %d pairs, whose a no fit has seen", periodList(r.read.periods), len(r.pairs))
	var ids [][]int
	for _, p := range r.pairs {
		ids = append(ids, p.Base, p.Source)
	}
	fig.Provenance = provenance(r.m, "head_types", 1, r.a, ids...)
	r.from.describe(fig)
	r.fig = fig
	r.emit.Figure(fig)
	r.emit.Progress(0, 4, "steps")
}

// sortHeads measures the heads and sorts them.
func (r *headTypesRun) sortHeads(ctx context.Context, n int) error {
	metric, err := ablate.MetricByName("logit_change")
	if err != nil {
		return err
	}
	all, err := ablate.Nodes(r.m, ablate.HeadPart)
	if err != nil {
		return err
	}
	e, err := ablate.TotalAndDirect(ctx, r.m, r.pairs, ablate.EffectOptions{Nodes: all, Metric: metric})
	if err != nil {
		return err
	}
	r.report = e.Report
	heads := slices.Clone(e.Nodes)
	total := func(h ablate.NodeEffect) float64 { return e.Change(h.Total).Mean }
	slices.SortStableFunc(heads, func(x, y ablate.NodeEffect) int { return -sign(total(x) - total(y)) })
	heads = heads[:n]
	r.emit.Progress(2, 4, "steps")
	list, err := r.standIns(ctx, heads)
	if err != nil {
		return err
	}
	var effects *ablate.StandInEffects
	effects, err = ablate.StandIns(ctx, r.m, r.pairs, list, ablate.StandInOptions{Metrics: []ablate.Metric{metric}}, func(int) error { return nil })
	if err != nil {
		return err
	}
	r.edited.add(effects)
	r.report = r.report.Plus(effects.Report)
	r.emit.Progress(3, 4, "steps")
	change := func(head, fit int) float64 { return effects.Change(head*len(headFits)+fit, 0).Mean }
	var measured []probe.HeadEffect
	for i, h := range heads {
		measured = append(measured, probe.HeadEffect{
			Layer: h.Node.Layer, Head: h.Node.Index, Operands: change(i, 0), Sum: change(i, 1), Joint: change(i, 2),
			Direct: e.Change(h.Direct).Mean, Total: total(h),
		})
	}
	mixed := r.a["mixed"].(int)
	if mixed < 0 {
		mixed = n / 5
	}
	types, err := probe.TypeHeads(measured, mixed, ablate.MinDenominator)
	if err != nil {
		return err
	}
	holds, holding := make([]bool, n), 0
	for i, t := range types {
		if holds[i] = fitHolds(t, effects.Change(i*len(headFits)+2, 0), change(i, 3)); holds[i] {
			holding++
		}
	}
	if err := r.show(types, holds, func(i int) float64 { return change(i, 3) }); err != nil {
		return err
	}
	return r.verify(ctx, metric, types, list, holding)
}

// leastShare is the part of a head's total effect that the joint fit has to do for
// the rule, which divides by it, to say something.
const leastShare = 0.1

// fitHolds reports whether the helix of a, b and a+b does a part of what the head
// does, more than its error and than the helix of exchanged numbers.
func fitHolds(t probe.HeadType, joint ablate.Summary, shuffled float64) bool {
	return t.Joint/t.Total >= leastShare && math.Abs(joint.Mean) > 2*joint.SEM && math.Abs(t.Joint) > math.Abs(shuffled)
}

func sign(v float64) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// standIns fits every head on the rows whose a is not held out, and puts the fits'
// values at the sources' numbers in its place.
func (r *headTypesRun) standIns(ctx context.Context, heads []ablate.NodeEffect) ([]ablate.StandIn, error) {
	z := *r.read
	z.kind = models.Z
	sweep, err := z.sweep(ctx, r.m, r.set.Prompts)
	if err != nil {
		return nil, err
	}
	var rows []int
	for i, v := range sweep.numbers[0].Values {
		if _, out := slices.BinarySearch(r.held, v); !out {
			rows = append(rows, i)
		}
	}
	K := r.m.Config.HeadWidth
	var list []ablate.StandIn
	for _, h := range heads {
		x := mat.NewDense(len(rows), K, nil)
		for i, row := range rows {
			copy(x.RawRowView(i), sweep.layers[h.Node.Layer].RawRowView(row)[h.Node.Index*K:])
		}
		var pca *probe.PCA
		if !constantRows(x) {
			if pca, err = probe.FitPCA(x, 0); err != nil {
				return nil, fmt.Errorf("%s: %w", h.Node, err)
			}
		}
		for _, of := range headFits {
			var values [][]float32 // a head that says the same to everything is its own best fit
			if pca != nil {
				if values, err = r.fitHead(x, pca, sweep, rows, of); err != nil {
					return nil, fmt.Errorf("%s by %s: %w", h.Node, of, fewNumbers(err))
				}
			}
			place := ablate.Place{Site: models.Site{Layer: h.Node.Layer, Kind: models.Z}, Head: h.Node.Index, Position: -1}
			list = append(list, ablate.StandIn{Name: h.Node.String() + " by " + of, Puts: []ablate.Put{{Place: place, Values: values}}})
		}
	}
	return list, nil
}

// constantRows reports whether all rows are the same but for rounding.
func constantRows(x *mat.Dense) bool {
	n, d := x.Dims()
	for j := range d {
		column := mat.Col(nil, j, x)
		for i := 1; i < n; i++ {
			if math.Abs(column[i]-column[0]) > 1e-6*(1+math.Abs(column[0])) {
				return false
			}
		}
	}
	return true
}

// fitHead gives the values of one fit at the sources' numbers, [pairs][K].
func (r *headTypesRun) fitHead(x *mat.Dense, pca *probe.PCA, sweep *numberSweep, rows []int, of string) ([][]float32, error) {
	shuffled := of == "shuffled"
	if shuffled {
		of = "a,b,a+b"
	}
	var terms []probe.HelixTerm
	var use []int // of the sweep's numbers
	exchange := make([]map[int]int, len(r.read.names))
	for _, name := range strings.Split(of, ",") {
		i := slices.Index(r.read.names, name)
		n := sweep.numbers[i]
		if shuffled {
			exchange[i] = probe.ExchangeNumbers(n.Values, r.seed+uint64(i))
		}
		values := make([]int, len(rows))
		for k, row := range rows {
			values[k] = n.Values[row]
			if shuffled {
				values[k] = exchange[i][values[k]]
			}
		}
		scale := 1.0
		for _, v := range n.Values {
			scale = max(scale, math.Abs(float64(v)))
		}
		terms, use = append(terms, probe.HelixOf(name, values, r.read.periods, scale)), append(use, i)
	}
	h, err := probe.FitHelix(x, terms, probe.HelixOptions{PCA: pca})
	if err != nil {
		return nil, err
	}
	r.checked(h.Residual, h.Normal, h.Null)
	var out [][]float32
	for _, c := range r.contrasts {
		numbers := r.read.values(c.Corrupted)
		var at []int
		for _, i := range use {
			v := numbers[i]
			if shuffled {
				v = exchange[i][v]
			}
			at = append(at, v)
		}
		row, err := h.At(at...)
		if err != nil {
			return nil, err
		}
		out = append(out, narrow(row))
	}
	return out, nil
}

// show fills the figure.
func (r *headTypesRun) show(types []probe.HeadType, fits []bool, shuffled func(i int) float64) error {
	kinds := []probe.HeadKind{probe.OperandHead, probe.SumHead, probe.MixedHead, probe.UndecidedHead}
	columns := map[string][]float64{}
	var names, words, holds []string
	for i, t := range types {
		names, words = append(names, fmt.Sprintf("%d.%d", t.Layer, t.Head)), append(words, string(t.Kind))
		holds = append(holds, map[bool]string{true: "yes", false: "no"}[fits[i]])
		for key, v := range map[string]float64{
			"conf_operands": t.OperandConfidence, "conf_sum": t.SumConfidence, "total": t.Total, "direct": t.Direct, "share": t.Direct / t.Total,
			"fit0": t.Operands, "fit1": t.Sum, "fit2": t.Joint, "fit3": shuffled(i), "kind": float64(slices.Index(kinds, t.Kind)),
		} {
			columns[key] = append(columns[key], v)
		}
	}
	part := viz.Part{
		Texts:  []viz.TextRun{{Name: "head", Values: names}, {Name: "kind", Values: words}, {Name: "holds", Values: holds}},
		Scales: map[string]viz.Scale{"x": widen(r.fig.Scales["x"], columns["conf_operands"]), "y": widen(r.fig.Scales["y"], columns["conf_sum"])},
	}
	for key, v := range columns {
		part.Arrays = append(part.Arrays, viz.ArrayRun{Name: key, F32: viz.EncodeFloats(narrow(v))})
	}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.emit.Part(part)
	for i, t := range types {
		if t.Kind == probe.UndecidedHead {
			for _, key := range []string{"conf_operands", "conf_sum", "share"} {
				r.fig.Arrays[key].State[i] = viz.Blank
			}
		}
	}
	return nil
}

// verify patches all heads at once: whole, and by their kinds, with the fit that
// makes each and along its path alone.
func (r *headTypesRun) verify(ctx context.Context, metric ablate.Metric, types []probe.HeadType, list []ablate.StandIn, holding int) error {
	whole, typed, chance := ablate.StandIn{Name: "all heads"}, ablate.StandIn{Name: "all heads by kind"}, ablate.StandIn{Name: "all heads by kind, shuffled"}
	count := map[probe.HeadKind]int{}
	for i, t := range types {
		count[t.Kind]++
		fit := func(k int) ablate.Put { return list[i*len(headFits)+k].Puts[0] }
		full := ablate.Put{Place: fit(0).Place}
		whole.Puts = append(whole.Puts, full)
		switch t.Kind {
		case probe.OperandHead, probe.SumHead:
			put, other := fit(0), fit(3)
			put.Path = ablate.IndirectPath
			if t.Kind == probe.SumHead {
				put = fit(1)
				put.Path = ablate.DirectPath
			}
			other.Path = put.Path
			typed.Puts, chance.Puts = append(typed.Puts, put), append(chance.Puts, other)
		case probe.MixedHead:
			typed.Puts, chance.Puts = append(typed.Puts, full), append(chance.Puts, full)
		}
	}
	r.fig.Caption = fmt.Sprintf("By the rule %d of %d heads carry a and b, %d write a+b, %d are mixed and %d undecided. The rule divides by what the helix of a, b and a+b does in the head's place: for %d of them that is at least a tenth of the total effect, more than two standard errors, and more than the shuffled helix does; of the others it says nothing.",
		count[probe.OperandHead], len(types), count[probe.SumHead], count[probe.MixedHead], count[probe.UndecidedHead], holding)
	if len(typed.Puts) == 0 {
		return nil
	}
	e, err := ablate.StandIns(ctx, r.m, r.pairs, []ablate.StandIn{whole, typed, chance}, ablate.StandInOptions{Metrics: []ablate.Metric{metric}}, func(int) error { return nil })
	if err != nil {
		return err
	}
	r.edited.add(e)
	r.report = r.report.Plus(e.Report)
	r.emit.Progress(4, 4, "steps")
	all, some := e.Change(0, 0), e.Change(1, 0)
	r.fig.Caption += fmt.Sprintf(" Patched together they change logit(r) by %.3g%s; by their kinds, a,b heads as the helix of a and b without their direct path, a+b heads as the helix of a+b along it alone, mixed ones whole, by %.3g%s (%s); with shuffled helices instead by %.3g.",
		all.Mean, plusMinus(all.SEM), some.Mean, plusMinus(some.SEM), ratio(some.Mean, all.Mean), e.Change(2, 0).Mean)
	return nil
}
