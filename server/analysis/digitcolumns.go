package analysis

import (
	"context"
	"fmt"
	"math"
	"slices"

	"orrery/probe"
	"orrery/viz"
)

// columnTasks are what a column of a sum asks for, by the names of Quirke and Barez;
// each column asks for one of them, and the digit in front of all for a carry alone.
var columnTasks = []struct{ name, what string }{
	{"BA", "no carry comes in and none is made"},
	{"MC", "a carry is made and none comes in"},
	{"UC1", "the column below makes a carry"},
	{"US9", "a carry runs in through a sum of 9"},
}

// taskOf is the place of a column's task.
func taskOf(carryIn, cascades, makes bool) int {
	switch {
	case carryIn && cascades:
		return 3
	case carryIn:
		return 2
	case makes:
		return 1
	}
	return 0
}

// tally is a mean of what is right and of losses.
type tally struct{ n, right, loss float64 }

func (t *tally) add(right bool, loss float64) {
	t.n++
	t.loss += loss
	if right {
		t.right++
	}
}

// columnTallies are the tallies by row and digit; the last column is the whole sum.
type columnTallies struct {
	tasks, runs [][]tally
}

// columns draws how each digit of the sum is answered.
func (r *digitsRun) columns(ctx context.Context) (*viz.Figure, error) {
	var prompts, answers [][]int
	for _, s := range r.sums {
		w, err := r.write(s, probe.PaddedSum)
		if err == nil && len(w.answer) != r.digits+1 {
			err = fmt.Errorf("the answer of %q is %d tokens, not a token for each of %d digits", w.text, len(w.answer), r.digits+1)
		}
		if err != nil {
			return nil, &hintError{err.Error(), `take a model of digits, such as add-5digit with digits=5, or show="formats"`}
		}
		prompts, answers = append(prompts, w.prompt), append(answers, w.answer)
	}
	r.beginColumns()
	t := columnTallies{grid(len(columnTasks)+1, r.digits+2), grid(r.digits+1, r.digits+2)}
	const step = 100
	for from := 0; from < len(prompts); from += step {
		to := min(from+step, len(prompts))
		read, err := probe.ReadAnswers(ctx, r.m, prompts[from:to], answers[from:to])
		if err != nil {
			return r.fig, err
		}
		for i, answer := range read {
			if err := t.add(r.sums[from+i], r.digits, answer); err != nil {
				return r.fig, err
			}
		}
		if err := r.showColumns(t); err != nil {
			return r.fig, err
		}
		r.emit.Progress(to, len(prompts), "sums")
	}
	r.finishColumns(t)
	r.emit.Figure(r.fig)
	return r.fig, nil
}

func grid(rows, columns int) [][]tally {
	out := make([][]tally, rows)
	for i := range out {
		out[i] = make([]tally, columns)
	}
	return out
}

// add counts an answer: its tokens are the digits from the front.
func (t columnTallies) add(s sum, digits int, read probe.AnswerReading) error {
	columns, _, complexity, err := probe.AdditionColumns(s.a, s.b, digits)
	if err != nil {
		return err
	}
	whole, loss := read.Whole(), 0.0
	for i := range digits + 1 {
		place := digits - i // from the units
		right, l := read.Right[i], read.Loss[i]
		loss += l
		last := columns[digits-1]
		task := taskOf(last.CarryOut, last.Cascade, false) // of the digit in front of all
		if place < digits {
			c := columns[place]
			task = taskOf(c.CarryIn, c.US9, c.SC)
		}
		for _, row := range [][]tally{t.tasks[0], t.tasks[1+task], t.runs[min(complexity, len(t.runs)-1)]} {
			row[i].add(right, l)
		}
	}
	t.tasks[0][digits+1].add(whole, loss)
	t.runs[min(complexity, len(t.runs)-1)][digits+1].add(whole, loss)
	return nil
}

// beginColumns shows the empty figure.
func (r *digitsRun) beginColumns() {
	digit := viz.Axis{Name: "digit of the sum"}
	for i := r.digits; i >= 0; i-- {
		digit.Labels = append(digit.Labels, fmt.Sprintf("A%d", i))
	}
	digit.Labels = append(digit.Labels, "all")
	tasks := viz.Axis{Name: "task", Labels: []string{"all"}}
	for _, t := range columnTasks {
		tasks.Labels = append(tasks.Labels, t.name)
	}
	runs := viz.Axis{Name: "complexity"}
	for i := range r.digits + 1 {
		runs.Labels = append(runs.Labels, fmt.Sprintf("S%d", i))
	}
	r.fig = &viz.Figure{
		Kind: viz.KindMultiples, Title: "Sums digit by digit",
		Subtitle: fmt.Sprintf("each digit given those before it · A%d comes first, A0 are the units · %s", r.digits, r.what()),
		Arrays:   map[string]*viz.Array{},
		Scales: map[string]viz.Scale{
			"right": {Kind: viz.ScaleSequential, Lo: 0, Hi: 1, Label: "share right", Format: "%.3f"},
			"loss":  {Kind: viz.ScaleLog, Lo: 1e-3, Hi: 1, Label: "loss", Unit: "nats", Format: "%.2g"},
		},
		Multiples: &viz.Multiples{Columns: 2},
	}
	item := func(key, title, subtitle string, rows viz.Axis) {
		for _, what := range []string{"right", "loss", "count"} {
			r.fig.Arrays[key+"_"+what] = viz.NewArray([]string{rows.Name, "digit"}, len(rows.Labels), len(digit.Labels))
		}
		for _, what := range []string{"right", "loss"} {
			r.fig.Multiples.Items = append(r.fig.Multiples.Items, viz.Item{Title: title + ", " + r.fig.Scales[what].Label, Subtitle: subtitle, Kind: viz.KindHeatmap, Heatmap: &viz.Heatmap{
				Scale: what, Panels: []viz.Panel{{Rows: rows, Columns: digit, Values: key + "_" + what}},
			}})
		}
	}
	item("tasks", "By what the column asks for", "BA: no carry; MC: makes one; UC1: one comes in; US9: one runs in through a sum of 9; blank: in none of the sums", tasks)
	item("runs", "By how far a carry runs", "S0: no carry; S1: one column; S2: through one sum of 9, and so on; blank: in none of the sums", runs)
	r.begin(len(r.sums), "sums")
}

// showColumns shows the tallies as they are by now; a row that no sum has is blank.
func (r *digitsRun) showColumns(t columnTallies) error {
	part := viz.Part{}
	loss := r.fig.Scales["loss"]
	for key, rows := range map[string][][]tally{"tasks": t.tasks, "runs": t.runs} {
		for i, row := range rows {
			for j, c := range row {
				at := i*len(row) + j
				part.Arrays = append(part.Arrays, one(key+"_count", at, c.n))
				if c.n == 0 {
					for _, what := range []string{"_right", "_loss"} {
						r.fig.Arrays[key+what].State[at] = viz.Blank
					}
					continue
				}
				part.Arrays = append(part.Arrays, one(key+"_right", at, c.right/c.n), one(key+"_loss", at, c.loss/c.n))
				loss = decades(loss, c.loss/c.n)
			}
		}
	}
	part.Scales = map[string]viz.Scale{"loss": loss}
	slices.SortFunc(part.Arrays, func(a, b viz.ArrayRun) int {
		if a.Name != b.Name {
			if a.Name < b.Name {
				return -1
			}
			return 1
		}
		return a.Offset - b.Offset
	})
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.emit.Part(part)
	return nil
}

// finishColumns says what was seen.
func (r *digitsRun) finishColumns(t columnTallies) {
	all := t.tasks[0][r.digits+1]
	said := fmt.Sprintf("%s writes %.2f %% of the sums right.", r.m.Name, 100*all.right/all.n)
	worst, at := math.Inf(1), -1
	for i, row := range t.tasks[1:] {
		n, right := 0.0, 0.0
		for _, c := range row[:r.digits+1] {
			n, right = n+c.n, right+c.right
		}
		if n > 0 && right/n < worst {
			worst, at = right/n, i
		}
	}
	if at >= 0 {
		said += fmt.Sprintf(" Its digits are right least often, in %.2f %%, where %s (%s).", 100*worst, columnTasks[at].what, columnTasks[at].name)
	}
	for i, row := range t.runs {
		if c := row[r.digits+1]; c.n > 0 {
			said += fmt.Sprintf(" S%d: %.2f %% of %.0f.", i, 100*c.right/c.n, c.n)
		}
	}
	r.fig.Caption = said + " Measured: loss is −ln of the right digit's probability, added up over the whole sum; those before a digit are the right ones, whatever the model would have written."
	r.fig.Badges = append(r.fig.Badges, t.badge(r.digits))
}

// badge checks that every digit of every sum is counted under one task and one run.
func (t columnTallies) badge(digits int) viz.Badge {
	off := 0.0
	for i := range digits + 1 {
		tasks, runs := 0.0, 0.0
		for _, row := range t.tasks[1:] {
			tasks += row[i].loss
		}
		for _, row := range t.runs {
			runs += row[i].loss
		}
		all := max(t.tasks[0][i].loss, 1e-300)
		off = max(off, math.Abs(tasks-t.tasks[0][i].loss)/all, math.Abs(runs-t.tasks[0][i].loss)/all)
	}
	return viz.Badge{Text: "tasks = runs = all", Value: off, Bound: 1e-9, OK: off <= 1e-9, Help: "each digit's loss added up over the tasks, over the complexities, and over all sums, as a share"}
}
