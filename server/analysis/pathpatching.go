package analysis

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/nearest"
	"orrery/viz"
)

// freezes are what may keep its value while a sender's change travels, and its words.
var freezes = map[string]string{
	string(ablate.FreezeHeads):        "every other head frozen, MLPs computed anew",
	string(ablate.FreezeHeadsAndMLPs): "every other head and MLP frozen",
	string(ablate.FreezeOutputs):      "attention and MLP outputs behind the sender frozen at the last token",
}

// freezeNames lists the freezes.
func freezeNames() (names []string) {
	for _, f := range ablate.Freezes {
		names = append(names, string(f))
	}
	return names
}

func pathPatching() Analysis {
	params := []Param{
		{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
		promptsParam("pairs, or prompts that get partners by change"),
		{Name: "senders", Type: TypeStrings, Default: []string{}, Help: `where paths begin: "head 0.1", "mlp 2"; left out, every head and MLP`},
		{Name: "receivers", Type: TypeStrings, Default: []string{}, Help: `where they end: "q 1.2", "k 1.2", "v 1.2", "mlp 3", "head 2.0" or "logits"; left out, the logits. Keys and values are counted by key-value heads`},
		{Name: "freeze", Type: TypeChoice, Default: string(ablate.FreezeHeads), Choices: freezeNames(),
			Help: "what keeps the clean run's values on the way: heads alone, so that a path may go through MLPs; heads_and_mlps, so that it goes straight; outputs the same at the last token alone"},
		{Name: "positions", Type: TypeChoice, Default: "last", Choices: []string{"last", "all"}, Help: "where the sender gets the corrupted value"},
		metricParam("logit", "what is measured of the clean answer r against the corrupted one r′"),
		{Name: "relative", Type: TypeBool, Default: false, Help: "show (value − clean)/clean of each pair, in %, the paper's effect; refused where a clean value is nothing to divide by"},
		normaliseParam(false, "where it does what the corrupted run does"),
		{Name: "threshold", Type: TypeFloat, Default: 5.0, Bounds: atLeast(0), Unit: "%", Help: "with relative, heads that lower the metric by more are ringed and listed as key heads"},
		changeParam("how prompts and their partners differ; the paper replaces the operator by a word of nothing, which pairs of your own can do"),
	}
	return Analysis{
		Name: "path_patching", Title: "Path patching", Version: 1,
		Summary: "what a head or MLP does along paths: its corrupted value is put into the clean run, all else on the way keeps the clean values, and the logits or chosen receivers take what arrives",
		Paper:   "Wang, Variengien, Conmy, Shlegeris, Steinhardt, Interpretability in the Wild, ICLR 2023, arXiv 2211.00593; on arithmetic Zhang, Wan, Zhang, Cheung, Tian, Shen, Ye, ICML 2024, arXiv 2409.01659; between nodes Kantamneni, Tegmark, 2025, arXiv 2502.00873",
		Example: `path_patching(load("mental-2op"), n=20)`,
		Params:  append(params, setParams("{a}{op}{b}=", 20)...),
		Run:     runPathPatching,
	}
}

// pathRun is one call on its way.
type pathRun struct {
	m         *models.Model
	a         Args
	emit      Emit
	from      *BoundPrompts
	pairs     []ablate.Pair
	senders   []ablate.Node
	receivers []string // their names as they were given; nil for the logits alone
	ends      []ablate.Receiver
	opt       ablate.PathOptions
	change    change
	relative  bool
	effects   *ablate.PathEffects
	fig       *viz.Figure
	report    models.Report
	values    map[pathCell]float64
	done      int
	total     int
}

// pathCell is a path: a sender, and a column of receivers.
type pathCell struct {
	sender ablate.Node
	column int
}

func runPathPatching(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &pathRun{m: a["m"].(*models.Model), a: a, emit: emit, relative: a["relative"].(bool), values: map[pathCell]float64{}}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	for _, logits := range []bool{true, false} { // of the receivers
		opt, columns := r.opt, []int{}
		for i, name := range r.receivers {
			if (name == string(ablate.LogitsInput)) != logits {
				continue
			}
			if columns = append(columns, i); !logits {
				opt.Receivers = append(opt.Receivers, r.ends[i])
			}
		}
		if len(columns) == 0 {
			continue
		}
		opt.Started = r.start
		opt.Done = func(sender, receiver int) error {
			return r.cell(r.senders[sender], columns[receiver], sender, receiver)
		}
		e, err := ablate.PathPatch(ctx, r.m, r.pairs, opt)
		if err != nil {
			return r.fig, err
		}
		r.report = r.report.Plus(e.Report)
	}
	return r.fig, r.finish(ctx)
}

// read turns the arguments into pairs and paths.
func (r *pathRun) read(ctx context.Context) (err error) {
	if r.relative && r.a["normalise"].(bool) {
		return &hintError{"relative and normalise are two ways to divide one effect", "take one of them"}
	}
	if r.from, err = pairsOf(ctx, r.m, r.a, false); err != nil {
		return err
	}
	if r.pairs, err = pairs(r.from.Contrasts, ablate.Noise); err != nil {
		return err
	}
	if err := r.readEnds(); err != nil {
		return err
	}
	r.opt = ablate.PathOptions{Senders: r.senders, Freeze: ablate.Freeze(r.a["freeze"].(string)), Last: r.a["positions"] == "last"}
	if r.opt.Freeze == ablate.FreezeOutputs && !r.opt.Last {
		return &hintError{`freeze "outputs" keeps values at the last token alone`, `use positions="last", or freeze="heads_and_mlps"`}
	}
	r.opt.Metric, err = metricOf(r.a, r.from.Contrasts.Contrasts)
	return err
}

// readEnds finds the senders and receivers by name.
func (r *pathRun) readEnds() error {
	nodes, err := ablate.PathSenders(r.m)
	if err != nil {
		return err
	}
	known := map[string]ablate.Node{}
	var names, ending []string
	for _, n := range nodes {
		known[n.String()], names = n, append(names, n.String())
	}
	wanted := r.a["senders"].([]string)
	if len(wanted) == 0 {
		wanted = names
	}
	ends := map[string]ablate.Receiver{}
	for _, e := range ablate.PathReceivers(r.m) {
		ends[e.String()], ending = e, append(ending, e.String())
	}
	if r.receivers = r.a["receivers"].([]string); len(r.receivers) == 0 {
		r.receivers = ending[:1]
	}
	for _, list := range []struct {
		name       string
		asked, all []string
	}{{"senders", wanted, names}, {"receivers", r.receivers, ending}} {
		for i, s := range list.asked {
			if !slices.Contains(list.all, s) {
				return &hintError{fmt.Sprintf("%s: there is no %q in this model of %d layers with %d heads each", list.name, s, r.m.Config.Layers, r.m.Config.Heads), "one of " + strings.Join(nearest.Names(s, list.all, 8), ", ")}
			}
			if slices.Contains(list.asked[:i], s) {
				return &hintError{fmt.Sprintf("%s: %q is listed twice", list.name, s), "list each once"}
			}
		}
	}
	for _, s := range r.receivers {
		r.ends = append(r.ends, ends[s])
	}
	for _, n := range names { // in the model's order, those that reach something
		node := known[n]
		if slices.Contains(wanted, n) && slices.ContainsFunc(r.ends, func(e ablate.Receiver) bool { return e.Behind(r.m, node) }) {
			r.senders = append(r.senders, node)
		}
	}
	if len(r.senders) == 0 {
		return &hintError{"no path leads from these senders to these receivers: what receives is computed before what sends", "a receiver stands behind its sender"}
	}
	return nil
}

// toLogits says that the logits are all that receives: then heads have a map of
// their own.
func (r *pathRun) toLogits() bool {
	return len(r.receivers) == 1 && r.ends[0].Input == ablate.LogitsInput
}

// start refuses what there is nothing to divide by, and shows the figure.
func (r *pathRun) start(e *ablate.PathEffects) error {
	r.effects = e
	if r.fig != nil {
		return nil
	}
	r.change = change{metric: r.opt.Metric, normalise: r.a["normalise"].(bool), base: e.Base, source: e.Source, one: "as in the corrupted run"}
	if err := r.change.check(); err != nil {
		return err
	}
	if r.relative {
		if _, err := e.Relative(e.Base); err != nil {
			return &hintError{err.Error(), "take metric=\"logit\", or relative=False"}
		}
	}
	r.figure()
	r.emit.Figure(r.fig)
	r.emit.Progress(0, r.total, "paths")
	return nil
}

// shown is what a cell shows of the metric of edited runs: a mean with its standard
// error, and one number a pair.
func (r *pathRun) shown(values []float64) (v, sem float64, each []float64) {
	if !r.relative {
		v, sem = r.change.of(values)
		return v, sem, differences(values, r.change.base)
	}
	each = make([]float64, len(values))
	for i, x := range values {
		each[i] = 100 * (x - r.change.base[i]) / r.change.base[i]
	}
	s := ablate.Summarise(each)
	return s.Mean, s.SEM, each
}

// cell adds a path to the figure. One to what is computed before its sender does
// not exist.
func (r *pathRun) cell(sender ablate.Node, column, s, receiver int) error {
	r.done++
	if !r.ends[column].Behind(r.m, sender) {
		r.emit.Progress(r.done, r.total, "paths")
		return nil
	}
	v, sem, each := r.shown(r.effects.Values[s][receiver])
	r.values[pathCell{sender, column}] = v
	name, offset := r.place(sender, column)
	if err := addCell(r.fig, r.emit, name, offset, v, sem, each); err != nil {
		return err
	}
	r.emit.Progress(r.done, r.total, "paths")
	return nil
}
