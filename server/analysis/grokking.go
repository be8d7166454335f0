package analysis

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"orrery/models"
	"orrery/models/zoo"
	"orrery/probe"
	"orrery/viz"
)

func grokking() Analysis {
	return Analysis{
		Name: "grokking", Title: "Watching it grok", Version: 1,
		Summary: "a modular adder along its training: losses, spectrum, clock and neurons at every checkpoint, one slider for all",
		Paper:   "Nanda, Chan, Lieberum, Smith, Steinhardt, Progress measures for grokking via mechanistic interpretability, ICLR 2023, arXiv 2301.05217",
		Example: `grokking(load("modadd-113"))`,
		Params: []Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the finished model of a + b mod p"},
			{Name: "show", Type: TypeChoice, Default: "watch", Choices: []string{"watch", "measures", "circuit"},
				Help: "watch: losses, restricted and excluded loss, spectrum of the embedding, clock, neurons; measures: Gini, cosine fit, squared weights, excluded loss by frequency, 2-D spectra of logits and neurons; circuit: the loss with one part replaced by what the paper's algorithm says of it, waves in the heads' scores and along the read-out's directions"},
			{Name: "keys", Type: TypeChoice, Default: "embedding", Choices: keyDefinitions,
				Help: "key frequencies of the last checkpoint: embedding, ‖F W_E‖ above a quarter of the strongest; rows, its sine or cosine alone; neurons, those that have a cluster; shuffled, above the highest of 20 orders of the numbers"},
			{Name: "frequencies", Type: TypeInts, Default: []int{}, Help: "key frequencies of your own in place of those that are found, each from 1 to (p−1)/2"},
			{Name: "over", Type: TypeChoice, Default: "paper", Choices: []string{"paper", "all", "train", "test"},
				Help: "which pairs the restricted and excluded losses are over: paper, restricted on all and excluded on those learned from (without one key, on all); all; train, those learned from; test, those held out"},
			{Name: "threshold", Type: TypeFloat, Default: 0.85, Bounds: &Bounds{Min: 0, Max: 1, Above: true}, Help: "the share of a neuron's variance in one frequency from which it belongs to its cluster"},
			{Name: "tiles", Type: TypeInt, Default: 5, Bounds: between(1, 8), Unit: "neurons", Help: "how many neurons are drawn over all (a, b), one a key frequency, the strongest first, and one that fits none"},
			{Name: "frames", Type: TypeInt, Default: 0, Bounds: atLeast(0), Unit: "checkpoints", Help: "how many checkpoints, evenly spread, the first and the last among them; 0 for all"},
		},
		ReadsFiles: readsTraining,
		Run:        runGrokking,
	}
}

// readsTraining says whether checkpoints may come from a directory. Those of a
// shipped model are parts of the program.
func readsTraining(a Args) bool {
	m := a["m"].(*models.Model)
	return m.Dir() != "" || !zoo.Shipped(m.Name)
}

// checkpoint is one state of a training.
type checkpoint struct {
	step int
	open func() (*models.Model, error)
}

// grokRun is one call on its way.
type grokRun struct {
	m       *models.Model
	a       Args
	emit    Emit
	adder   probe.ModularAdder
	basis   *probe.FourierBasis
	points  []checkpoint // ascending, the last is m
	train   []int        // rows a·P + b that were learned from; nil where unknown
	keys    grokKeys
	plane   *probe.Plane // of the strongest key in the last embedding
	radius  float64      // of the numbers there
	neurons []int        // one a tile, the last the one that fits no frequency
	view    grokView
	fig     *viz.Figure
	frames  []*probe.GrokFrame      // without their runs, by checkpoint
	circuit []*probe.ModularCircuit // of the view of that name, by checkpoint
	done    int
}

// grokView is one of the figures: its panels, and what a frame adds to them: what
// its weights say, and what the runs of all pairs do.
type grokView struct {
	build func(r *grokRun)
	// weights, if not nil, come at once; first, if not nil, is what comes at once of
	// the last checkpoint where nothing can be said of weights alone; runs when all
	// pairs have passed.
	weights, runs grokPart
	first         func(ctx context.Context, r *grokRun, part *viz.Part, at int) error
	// more, if not nil, measures what only this view shows, beside other checkpoints.
	more func(ctx context.Context, r *grokRun, at int, m *models.Model, g *probe.GrokFrame) error
}

// grokPart adds to a part what it says of a frame.
type grokPart func(r *grokRun, part *viz.Part, at int, m *models.Model, g *probe.GrokFrame) error

func runGrokking(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &grokRun{m: a["m"].(*models.Model), a: a, emit: emit, view: watchView}
	switch a["show"].(string) {
	case "measures":
		r.view = measuresView
	case "circuit":
		r.view = circuitView
		if r.m.Config.Norm != models.NoNorm || r.m.Config.LogitCap != 0 {
			return nil, &hintError{fmt.Sprintf("show: %s has a final norm or a cap on its logits: neurons do not add to the logits there, so that none can be replaced", r.m.Name), `take show="watch" or "measures"`}
		}
	}
	var err error
	if r.adder, err = probe.FindModularAdder(r.m); err != nil {
		return nil, &hintError{err.Error(), "take a model of a + b mod p, such as modadd-113"}
	}
	if r.basis, err = probe.DFT(r.adder.P); err != nil {
		return nil, err
	}
	if err := r.training(); err != nil {
		return nil, err
	}
	if over := a["over"].(string); r.train == nil && (over == "train" || over == "test") {
		return nil, &hintError{fmt.Sprintf("over: which pairs %s has learned from is not known, so that there is no loss over %q", r.m.Name, over), `take over="all"`}
	}
	if err := r.choose(ctx); err != nil {
		return nil, err
	}
	r.begin()
	if err := r.beforeRuns(ctx); err != nil {
		return r.fig, err
	}
	if err := r.measure(ctx); err != nil {
		return r.fig, err
	}
	if err := r.finish(); err != nil {
		return r.fig, err
	}
	emit.Figure(r.fig)
	return r.fig, nil
}

// training finds the checkpoints and the pairs that were learned from, of a
// shipped model or of one that was loaded from its training's directory. Any other
// has none: what it is now is all there is.
func (r *grokRun) training() error {
	last := checkpoint{open: func() (*models.Model, error) { return r.m, nil }}
	for _, name := range []string{r.m.Dir(), r.m.Name} {
		steps, err := zoo.Checkpoints(name)
		if name == "" || err != nil || !endsIn(r.m, name, steps[len(steps)-1]) {
			continue
		}
		last.step = steps[len(steps)-1]
		for _, step := range r.spread(steps[:len(steps)-1]) {
			r.points = append(r.points, checkpoint{step, func() (*models.Model, error) { return zoo.OpenCheckpoint(name, step) }})
		}
		r.points = append(r.points, last)
		recipe, err := zoo.RecipeOf(name)
		if err != nil {
			return err
		}
		r.train, err = r.learned(recipe)
		return err
	}
	r.points = []checkpoint{last}
	return nil
}

// endsIn says whether the last checkpoint of a training is the model itself: a
// name alone may be another's.
func endsIn(m *models.Model, name string, step int) bool {
	end, err := zoo.OpenCheckpoint(name, step)
	return err == nil && end.Hash() == m.Hash()
}

// spread takes the frames that were asked for, evenly; the last is the model's and
// not among steps.
func (r *grokRun) spread(steps []int) []int {
	n := r.a["frames"].(int) - 1
	if n < 0 || n >= len(steps) {
		return steps
	}
	var out []int
	for i := range n {
		out = append(out, steps[i*len(steps)/n])
	}
	return out
}

// choose finds, in the last checkpoint, all that stays the same in every frame.
func (r *grokRun) choose(ctx context.Context) error {
	w, err := r.adder.Embedding(r.m)
	if err != nil {
		return err
	}
	if r.keys, err = r.findKeys(ctx, w); err != nil {
		return err
	}
	if r.plane, err = probe.FrequencyPlane(r.basis, w, r.keys.strongest()); err != nil {
		return err
	}
	r.radius = meanRadius(r.plane.Place(w))
	r.neurons, err = r.chooseNeurons()
	return err
}

// begin shows the empty figure.
func (r *grokRun) begin() {
	n := len(r.points)
	var labels []string
	x := make([]float32, n)
	for i, p := range r.points {
		labels, x[i] = append(labels, thousands(int64(p.step))), float32(p.step)
	}
	r.frames, r.circuit = make([]*probe.GrokFrame, n), make([]*probe.ModularCircuit, n)
	r.fig = &viz.Figure{
		Kind: viz.KindMultiples, Title: fmt.Sprintf("a + b mod %d", r.adder.P),
		Subtitle: fmt.Sprintf("%s · %s · key frequencies %s of the last · all %s pairs at the last token", counted(n, "checkpoint"), r.split(), r.keys.text(), thousands(int64(r.adder.P*r.adder.P))),
		Arrays:   map[string]*viz.Array{"step": viz.Values(x, []string{"checkpoint"}, n)},
		Scales:   map[string]viz.Scale{"step": r.stepScale(), "step_log": r.stepLogScale()},
		Texts:    map[string]*viz.Text{},
		Slider:   &viz.Slider{Name: "checkpoint", Labels: labels, Values: "step", Show: n - 1},
	}
	r.fig.Multiples = &viz.Multiples{}
	r.view.build(r)
	if n == 1 { // nothing moves, and a curve of one point is none
		r.fig.Slider = nil
		r.fig.Multiples.Items = slices.DeleteFunc(r.fig.Multiples.Items, func(i viz.Item) bool { return i.Lines != nil })
	}
	r.fig.Provenance = provenance(r.m, "grokking", 1, r.a)
	r.emit.Figure(r.fig)
	r.emit.Progress(0, n, "checkpoints")
}

// counted is a count with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// split says which losses are meant.
func (r *grokRun) split() string {
	if r.train == nil {
		return "loss over all pairs (what was learned from is not known)"
	}
	return fmt.Sprintf("%s pairs learned from", thousands(int64(len(r.train))))
}

// framed adds an array with a slice a frame, which the slider moves; of one frame
// it is that one.
func (r *grokRun) framed(name string, axes []string, shape ...int) {
	if len(r.points) == 1 {
		r.fig.Arrays[name] = viz.NewArray(axes, shape...)
		return
	}
	r.fig.Arrays[name] = viz.NewArray(append([]string{"checkpoint"}, axes...), append([]int{len(r.points)}, shape...)...)
	r.fig.Slider.Arrays = append(r.fig.Slider.Arrays, name)
}

// words adds a text of one string a frame, which the slider moves.
func (r *grokRun) words(name string) {
	if len(r.points) == 1 {
		r.fig.Texts[name] = viz.NewText(1)
		return
	}
	r.fig.Texts[name] = viz.NewText(len(r.points), 1)
	r.fig.Slider.Texts = append(r.fig.Slider.Texts, name)
}

// curve adds an array with a number a frame.
func (r *grokRun) curve(names ...string) {
	for _, name := range names {
		r.fig.Arrays[name] = viz.NewArray([]string{"checkpoint"}, len(r.points))
	}
}

// beforeRuns draws what is known of the last checkpoint at once.
func (r *grokRun) beforeRuns(ctx context.Context) error {
	part, last := viz.Part{Scales: map[string]viz.Scale{}}, len(r.points)-1
	if r.view.first != nil {
		if err := r.view.first(ctx, r, &part, last); err != nil {
			return err
		}
		return r.add(part)
	}
	g, err := probe.GrokWeights(r.m, r.adder)
	if err != nil {
		return err
	}
	if err := r.view.weights(r, &part, last, r.m, g); err != nil {
		return err
	}
	return r.add(part)
}

// add puts a part into the figure.
func (r *grokRun) add(part viz.Part) error {
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.emit.Part(part)
	return nil
}

// measured is a frame that a worker has finished.
type measured struct {
	at    int
	m     *models.Model
	frame *probe.GrokFrame
	err   error
}

// measure runs the checkpoints, the last one first, two at a time, and shows each
// when it is done.
func (r *grokRun) measure(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	order := []int{len(r.points) - 1}
	for i := range len(r.points) - 1 {
		order = append(order, i)
	}
	todo, results := make(chan int), make(chan measured)
	go func() {
		defer close(todo)
		for _, at := range order {
			select {
			case todo <- at:
			case <-ctx.Done():
				return
			}
		}
	}()
	for range min(2, runtime.GOMAXPROCS(0), len(order)) {
		go func() {
			for at := range todo {
				f := r.one(ctx, at)
				select {
				case results <- f:
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	for range order {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case f := <-results:
			if f.err != nil {
				return fmt.Errorf("checkpoint %d: %w", r.points[f.at].step, f.err)
			}
			if err := r.show(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// one measures a checkpoint.
func (r *grokRun) one(ctx context.Context, at int) measured {
	f := measured{at: at}
	if f.m, f.err = r.points[at].open(); f.err != nil {
		return f
	}
	if f.frame, f.err = probe.MeasureGrok(ctx, f.m, r.adder, r.options()); f.err == nil && r.view.more != nil {
		f.err = r.view.more(ctx, r, at, f.m, f.frame)
	}
	return f
}

// options are the same for every checkpoint.
func (r *grokRun) options() probe.GrokOptions {
	return probe.GrokOptions{Keys: r.keys.chosen, Train: r.train, Threshold: r.a["threshold"].(float64)}
}

// show adds a frame to the figure, and lets go of its run.
func (r *grokRun) show(f measured) error {
	part := viz.Part{Scales: map[string]viz.Scale{}}
	for _, says := range []grokPart{r.view.weights, r.view.runs} {
		if says == nil {
			continue
		}
		if err := says(r, &part, f.at, f.m, f.frame); err != nil {
			return err
		}
	}
	if err := r.add(part); err != nil {
		return err
	}
	if f.at == len(r.points)-1 {
		if err := r.check(f.frame); err != nil {
			return err
		}
	}
	f.frame.Run, f.frame.Logits, f.frame.Clusters.Shares = nil, nil, nil
	r.frames[f.at] = f.frame
	r.done++
	r.emit.Progress(r.done, len(r.points), "checkpoints")
	return nil
}

// filler puts the numbers of one frame of framed arrays into a part.
func (r *grokRun) filler(part *viz.Part, at int) func(name string, values ...float64) {
	return func(name string, values ...float64) {
		part.Arrays = append(part.Arrays, viz.ArrayRun{Name: name, Offset: at * len(r.fig.Arrays[name].Data) / len(r.points), F32: viz.EncodeFloats(narrow(values))})
	}
}

// finish says what was seen.
func (r *grokRun) finish() error {
	last := r.frames[len(r.frames)-1]
	if r.fig.Slider != nil {
		r.fig.Slider.Bands = r.phases()
	}
	what := "The last checkpoint"
	if len(r.points) == 1 {
		what = "The network"
	}
	said := []string{fmt.Sprintf("%s gets %.2f %% of the pairs right, with a loss of %.2g%s.", what, 100*last.Accuracy, last.Loss.All, r.testLoss(last))}
	said = append(said, r.keys.describe(last.Clusters, len(r.m.Params().Blocks[r.m.Config.Layers-1].In.Weight.Data)/r.m.Config.Width))
	if r.keys.stand {
		said = append(said, fmt.Sprintf("Of the variance of its logits %.1f %% lies in waves of a + b at the keys; with them alone the loss is %.2g, without them %.2g. Cosines cos(w(a+b−c)) explain %.1f %% of what softmax sees.",
			100*last.TrigShare, last.Restricted.All, last.Excluded.All, 100*last.Fit.RowExplained))
	}
	said = append(said, r.describeCircuit(), r.describePhases())
	r.fig.Caption = strings.Join(slices.DeleteFunc(said, func(s string) bool { return s == "" }), " ")
	return nil
}

// testLoss is the loss on the pairs that were held out.
func (r *grokRun) testLoss(g *probe.GrokFrame) string {
	if r.train == nil {
		return ""
	}
	return fmt.Sprintf(", %.2g on the pairs held out", g.Loss.Rest)
}
