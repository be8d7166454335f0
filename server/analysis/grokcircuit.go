package analysis

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

// circuitView is how much of the network the paper's algorithm accounts for.
var circuitView = grokView{build: buildCircuit, first: circuitFirst, runs: circuitRuns, more: measureCircuit}

// circuitSeed draws the random directions.
const circuitSeed = 1

// circuitControls is how many of the replaced parts, the last, are controls.
const circuitControls = 3

// buildCircuit lays the panels out: losses with a part replaced, by step and of the
// checkpoint; heads; directions.
func buildCircuit(r *grokRun) {
	f, parts := r.fig, probe.ReplacedParts()
	r.lossScales("loss", "cross-entropy over all pairs")
	f.Scales["share"] = viz.Scale{Kind: viz.ScaleLinear, Lo: 0, Hi: 1, Label: "share of variance", Format: "%.2f"}
	lines := byStep(lossAxes("loss"))
	f.Texts["part"] = viz.NewText(len(parts))
	for i, p := range parts {
		f.Texts["part"].Values[i] = string(p)
		name := fmt.Sprintf("part%d", i)
		r.curve(name)
		lines.Series = append(lines.Series, viz.Series{Name: string(p), Y: name, Control: i >= len(parts)-circuitControls})
	}
	table := &viz.Table{Rows: len(parts), Columns: []viz.Column{{Name: "replaced", Text: "part"}}}
	losses := [][2]string{{"all pairs", "loss_all"}}
	if r.train != nil {
		losses = append(losses, [2]string{"learned from", "loss_train"}, [2]string{"held out", "loss_test"})
	}
	for _, l := range losses {
		r.framed(l[1], []string{"part"}, len(parts))
		table.Columns = append(table.Columns, viz.Column{Name: l[0], Values: l[1], Format: "%.2e"})
	}
	heads := r.m.Config.Layers * r.m.Config.Heads
	f.Texts["head"] = viz.NewText(heads)
	for i := range heads {
		f.Texts["head"].Values[i] = fmt.Sprintf("%d.%d", i/r.m.Config.Heads, i%r.m.Config.Heads)
	}
	r.framed("head_k", []string{"head"}, heads)
	r.framed("head_share", []string{"head"}, heads)
	r.framed("head_variance", []string{"head"}, heads)
	bars := &viz.Bars{YScale: "share", Categories: viz.Axis{Name: "direction of W_L"}, Series: []viz.Series{{Name: "read-out", Y: "direction_share"}}}
	for _, k := range r.keys.chosen {
		bars.Categories.Labels = append(bars.Categories.Labels, fmt.Sprintf("cos %d", k), fmt.Sprintf("sin %d", k))
	}
	r.framed("direction_share", []string{"direction"}, len(bars.Categories.Labels))
	f.Multiples.Columns = 2
	f.Multiples.Items = []viz.Item{
		{Title: "Loss with a part replaced", Subtitle: "by what the paper's algorithm says of it; controls: random directions, and what it leaves out", Kind: viz.KindLines, Lines: lines},
		{Title: "By part", Subtitle: "cross-entropy in nats. Logits on waves of a + b at the keys, on products of each key's waves, on cos w(a+b−c); neurons of clusters on products of their own waves, all on the directions that W_L reads the keys from", Kind: viz.KindTable, Table: table},
		{Title: "Neurons along the read-out", Subtitle: "share of their projection on a row of F W_L that is the same wave of a + b", Kind: viz.KindBars, Bars: bars},
		{Title: "Heads", Subtitle: "score of the last token for a less that for b: share of its variance in products of waves of one frequency", Kind: viz.KindTable, Table: &viz.Table{Rows: heads, Columns: []viz.Column{
			{Name: "head", Text: "head"}, {Name: "frequency", Values: "head_k", Format: "%.0f"}, {Name: "share", Values: "head_share", Format: "%.3f"}, {Name: "variance", Values: "head_variance", Format: "%.3g"},
		}}},
	}
}

// measureCircuit measures a checkpoint.
func measureCircuit(ctx context.Context, r *grokRun, at int, m *models.Model, g *probe.GrokFrame) (err error) {
	r.circuit[at], err = probe.MeasureCircuit(ctx, m, r.adder, g, r.options(), circuitSeed)
	return err
}

// circuitFirst is the loss of the whole network, which the others are set against: on
// the pairs learned from, which are fewer, where they are known.
func circuitFirst(ctx context.Context, r *grokRun, part *viz.Part, at int) error {
	parts := probe.ReplacedParts()
	whole := slices.Index(parts, probe.WholeNetwork)
	if r.train != nil {
		loss, err := probe.PairLoss(ctx, r.m, r.adder, r.train)
		part.Arrays = append(part.Arrays, one("loss_train", at*len(parts)+whole, loss))
		return err
	}
	run, err := probe.RunModular(ctx, r.m, r.adder)
	if err != nil {
		return err
	}
	logits, err := probe.NewModularLogits(run.Logits, r.adder.P)
	if err != nil {
		return err
	}
	loss, err := logits.Loss(r.train)
	if err != nil {
		return err
	}
	r.filler(part, at)(fmt.Sprintf("part%d", whole), loss.All)
	r.losses(part, "loss", loss.All)
	return nil
}

// circuitRuns is what one frame adds.
func circuitRuns(r *grokRun, part *viz.Part, at int, _ *models.Model, _ *probe.GrokFrame) error {
	c, add := r.circuit[at], r.filler(part, at)
	var all, train, test []float64
	for i, l := range c.Replaced {
		add(fmt.Sprintf("part%d", i), l.All)
		all, train, test = append(all, l.All), append(train, l.Subset), append(test, l.Rest)
	}
	add("loss_all", all...)
	if r.train != nil {
		add("loss_train", train...)
		add("loss_test", test...)
	}
	var k, share, variance, along []float64
	for _, h := range c.Heads {
		k, share, variance = append(k, float64(h.Frequency)), append(share, h.Share), append(variance, h.Variance)
	}
	for _, d := range c.Readout {
		along = append(along, d.Share)
	}
	add("head_k", k...)
	add("head_share", share...)
	add("head_variance", variance...)
	add("direction_share", along...)
	r.losses(part, "loss", all...)
	return nil
}

// describeCircuit says what the last checkpoint's parts amount to.
func (r *grokRun) describeCircuit() string {
	c := r.circuit[len(r.circuit)-1]
	if c == nil {
		return ""
	}
	said := []string{fmt.Sprintf("Of the read-out W_L %.1f %% lies in the %d directions of the keys; with the neurons' projection on them alone the loss is %.2g, on as many random ones %.2g, with everything but them %.2g.",
		100*c.ReadoutShare, len(c.Readout), c.Part(probe.ReadoutOnly).All, c.Part(probe.RandomReadoutOnly).All, c.Part(probe.WithoutReadout).All)}
	said = append(said, fmt.Sprintf("With the %d neurons of clusters replaced by products of waves of their own frequency it is %.2g.", c.Neurons, c.Part(probe.QuadraticNeurons).All))
	var heads []string
	for _, h := range c.Heads {
		if h.Frequency > 0 {
			heads = append(heads, fmt.Sprintf("%d.%d of k = %d (%.1f %%)", h.Layer, h.Head, h.Frequency, 100*h.Share))
		}
	}
	if heads == nil {
		return strings.Join(append(said, "Attention is the same at every pair: no head chooses."), " ")
	}
	return strings.Join(append(said, "Heads: "+strings.Join(heads, ", ")+"."), " ")
}
