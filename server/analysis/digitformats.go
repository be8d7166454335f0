package analysis

import (
	"context"
	"fmt"
	"strings"

	"orrery/probe"
	"orrery/viz"
)

// additionFormats are the ways to write a sum, in the order of the table.
var additionFormats = []struct {
	format probe.AdditionFormat
	name   string
}{
	{probe.PlainSum, "plain"}, {probe.PaddedSum, "padded"}, {probe.ReversedSum, "answer reversed"}, {probe.AllReversed, "all reversed"}, {probe.SpacedSum, "spaced"},
}

// formats draws what the model reads and answers of sums in each format, and where
// the digits of the first one stand.
func (r *digitsRun) formats(ctx context.Context) (*viz.Figure, error) {
	if err := r.beginFormats(); err != nil {
		return nil, err
	}
	var answered, refused []string
	for i, f := range additionFormats {
		said, ok, err := r.format(ctx, i)
		if err != nil {
			return r.fig, err
		}
		if ok {
			answered = append(answered, f.name+" "+said)
		} else {
			refused = append(refused, f.name+", "+said)
		}
		r.emit.Progress(i+1, len(additionFormats), "formats")
	}
	r.fig.Caption = fmt.Sprintf("%s answers in full: %s.", r.m.Name, strings.Join(answered, ", "))
	if len(answered) == 0 {
		r.fig.Caption = r.m.Name + " can read none of the formats."
	}
	if len(refused) > 0 {
		r.fig.Caption += " It cannot read: " + strings.Join(refused, "; ") + "."
	}
	r.fig.Caption += " Measured: a sum is answered where every token behind \"=\" is the likeliest, given those before it; Abacus embeddings count within a run of digits, from its first; position coupling gives digits of one significance one position, from 1 here."
	r.emit.Figure(r.fig)
	return r.fig, nil
}

// beginFormats shows the empty figure.
func (r *digitsRun) beginFormats() error {
	n, first := len(additionFormats), r.sums[0]
	r.fig = &viz.Figure{
		Kind: viz.KindMultiples, Title: "Sums in five formats", Subtitle: r.what() + "; shown is the first",
		Arrays: map[string]*viz.Array{},
		Texts:  map[string]*viz.Text{"format": viz.NewText(n), "text": viz.NewText(n), "tokens": viz.NewText(n)},
		Scales: map[string]viz.Scale{},
	}
	for _, name := range []string{"tokens_n", "answer_n", "right", "loss"} {
		r.fig.Arrays[name] = viz.NewArray([]string{"format"}, n)
	}
	for i, f := range additionFormats {
		text, err := probe.FormatAddition(first.a, first.b, f.format)
		if err != nil {
			return err
		}
		r.fig.Texts["format"].Values[i], r.fig.Texts["text"].Values[i] = f.name, text
	}
	positions, err := r.positions(first)
	if err != nil {
		return err
	}
	r.fig.Multiples = &viz.Multiples{Columns: 1, Items: []viz.Item{
		{Title: "Formats", Subtitle: "tokens of the question | of the answer; the share of sums answered in full; loss in nats a token of the answer", Kind: viz.KindTable, Table: &viz.Table{Rows: n, Columns: []viz.Column{
			{Name: "format", Text: "format"}, {Name: "written", Text: "text"}, {Name: "tokens", Text: "tokens"},
			{Name: "number", Values: "tokens_n", Format: "%.0f"}, {Name: "to answer", Values: "answer_n", Format: "%.0f"},
			{Name: "answered", Values: "right", Format: "%.3f"}, {Name: "loss", Values: "loss", Format: "%.2g"},
		}}},
		positions,
	}}
	r.begin(n, "formats")
	return nil
}

// positions is where the characters of a sum stand by three ways to count, the
// sum's digits from the front.
func (r *digitsRun) positions(s sum) (viz.Item, error) {
	tokens, coupled, err := probe.CoupledPositions(fmt.Sprint(s.a), fmt.Sprint(s.b), probe.CoupledOptions{Start: 1, Pad: true})
	if err != nil {
		return viz.Item{}, err
	}
	abacus := probe.AbacusPositions(strings.Join(tokens, ""), 0)
	axis := viz.Axis{Name: "character", Labels: tokens}
	rows := viz.Axis{Name: "position", Labels: []string{"coupled", "Abacus", "learned"}}
	var values []float32
	most := 1.0
	for _, row := range [][]int{coupled, abacus, nil} {
		for i := range tokens {
			v := i
			if row != nil {
				v = row[i]
			}
			values, most = append(values, float32(v)), max(most, float64(v))
		}
	}
	r.fig.Arrays["positions"] = viz.Values(values, []string{"scheme", "character"}, len(rows.Labels), len(tokens))
	r.fig.Scales["position"] = viz.Scale{Kind: viz.ScaleSequential, Lo: 0, Hi: most, Label: "position", Format: "%.0f"}
	return viz.Item{Title: "Positions", Subtitle: "of the characters of the padded sum: as learned embeddings count, as Abacus embeddings, and as position coupling", Kind: viz.KindHeatmap,
		Heatmap: &viz.Heatmap{Scale: "position", Panels: []viz.Panel{{Rows: rows, Columns: axis, Values: "positions"}}}}, nil
}

// format measures one format. What is said is the share that is answered, or why the
// model cannot read it.
func (r *digitsRun) format(ctx context.Context, i int) (said string, ok bool, err error) {
	var prompts, answers [][]int
	var first written
	for j, s := range r.sums {
		w, err := r.write(s, additionFormats[i].format)
		if err != nil {
			return err.Error(), false, r.unreadable(i)
		}
		if j == 0 {
			first = w
		}
		prompts, answers = append(prompts, w.prompt), append(answers, w.answer)
	}
	read, err := probe.ReadAnswers(ctx, r.m, prompts, answers)
	if err != nil {
		return "", false, err
	}
	var all tally
	tokens := 0.0
	for _, a := range read {
		loss := 0.0
		for _, l := range a.Loss {
			loss, tokens = loss+l, tokens+1
		}
		all.add(a.Whole(), loss)
	}
	part := viz.Part{
		Arrays: []viz.ArrayRun{
			one("tokens_n", i, float64(len(first.prompt)+len(first.answer))), one("answer_n", i, float64(len(first.answer))),
			one("right", i, all.right/all.n), one("loss", i, all.loss/tokens),
		},
		Texts: []viz.TextRun{{Name: "tokens", Offset: i, Values: []string{strings.Join(tokenLabels(r.m.Tokenizer, first.prompt), " ") + " | " + strings.Join(tokenLabels(r.m.Tokenizer, first.answer), " ")}}},
	}
	if err := r.fig.Apply(part); err != nil {
		return "", false, err
	}
	r.emit.Part(part)
	return fmt.Sprintf("%.1f %%", 100*all.right/all.n), true, nil
}

// unreadable leaves a format's numbers blank.
func (r *digitsRun) unreadable(i int) error {
	for _, name := range []string{"tokens_n", "answer_n", "right", "loss"} {
		r.fig.Arrays[name].State[i] = viz.Blank
	}
	part := viz.Part{Texts: []viz.TextRun{{Name: "tokens", Offset: i, Values: []string{"cannot be read"}}}}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.emit.Part(part)
	return nil
}
