package analysis

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

// finish adds the tables, the sentence and the badges.
func (r *patchLensRun) finish() {
	r.tableOfTries()
	r.tableOfLogits()
	for i, try := range r.shown {
		if i > 0 {
			r.say(" ")
		}
		r.sentence(try)
	}
	if len(r.shown) == 0 {
		r.unmoved()
	}
	var text strings.Builder
	for _, w := range r.fig.Tokens.Patch.Words {
		text.WriteString(w.Text)
	}
	r.fig.Caption = text.String()
	r.fig.Badges = []viz.Badge{{Text: "last layer = logits", Value: r.last, Bound: 1e-5, OK: r.last <= 1e-5,
		Help: "largest absolute difference between the lens of the last layer and the logits, over all runs shown"}}
	if len(r.shown) == 0 {
		return
	}
	r.fig.Badges = append([]viz.Badge{
		{Text: "outside the cone = " + r.baseName() + ", bit for bit", Value: float64(r.outside), OK: r.outside == 0,
			Help: "how many numbers of the residual stream, and of what attention and MLPs add to it, outside of the outlined cells differ by any bit from those of the " + r.baseName()},
		{Text: "own value back", Value: r.own, OK: r.own == 0,
			Help: "largest change of a logit when the " + r.baseName() + " gets its own values at the cells that were moved"},
		{Text: "re-run = full pass", Value: float64(r.rerun), OK: r.rerun == 0,
			Help: "how many logits of the patched run differ by any bit between an exact re-run and a full pass under the same edits"},
	}, r.fig.Badges...)
}

// say adds plain text to the sentence, token a chip, number a number that it is about.
func (r *patchLensRun) say(text string) { r.word(viz.Word{Text: text}) }

func (r *patchLensRun) word(w viz.Word) {
	p := r.fig.Tokens.Patch
	if n := len(p.Words); n > 0 && !w.Token && !w.Strong && !p.Words[n-1].Token && !p.Words[n-1].Strong {
		p.Words[n-1].Text += w.Text
		return
	}
	p.Words = append(p.Words, w)
}

func (r *patchLensRun) number(format string, v float64) {
	r.word(viz.Word{Text: viz.FormatNumber(format, v), Strong: true})
}

// token says the token at a position of a panel.
func (r *patchLensRun) token(panel, position int) {
	axis := r.fig.Tokens.Panels[panel].Columns
	r.word(viz.Word{Text: viz.TokenText(axis.Labels[position]), Token: true, Role: axis.Roles[position]})
}

func (r *patchLensRun) name(id int) string {
	return viz.TokenText(tokenLabels(r.m.Tokenizer, []int{id})[0])
}

// sentence says what a try does, with its numbers.
func (r *patchLensRun) sentence(try int) {
	r.subject(r.tries[try])
	o := r.outcomes[try]
	if r.answer == r.other {
		r.verb(r.answer, r.before.answer, o.answer)
		r.say(". Both runs answer with the same token.")
		return
	}
	r.verb(r.answer, r.before.answer, o.answer)
	r.say(" and ")
	r.verb(r.other, r.before.other, o.other)
	if v, ok := r.restored(o); ok {
		r.say(": ")
		r.number("%.0f", 100*v)
		r.word(viz.Word{Text: " %", Strong: true})
		what := "logit difference"
		if r.measure.Name != "logit_diff" {
			what = "difference of " + r.measure.Label
		}
		r.say(" of the " + what + " between the two runs is restored.")
		return
	}
	what := fmt.Sprintf("The logit of %s less that of %s", r.name(r.answer), r.name(r.other))
	if r.measure.Name != "logit_diff" {
		what = r.measure.Label
	}
	r.say(". " + what + " goes from ")
	r.number("%.2f", r.before.value)
	r.say(" to ")
	r.number("%.2f", o.value)
	r.say(".")
}

// verb says how the probability of a token changes.
func (r *patchLensRun) verb(id int, before, after float64) {
	text := " leaves "
	switch {
	case after-before >= 0.0005:
		text = " raises "
	case before-after >= 0.0005:
		text = " lowers "
	}
	r.say(strings.TrimPrefix(text, map[bool]string{true: " "}[r.endsWithSpace()]) + "P(" + r.name(id) + ")")
	if text == " leaves " {
		r.say(" at ")
		r.number("%.3f", after)
		return
	}
	r.say(" from ")
	r.number("%.3f", before)
	r.say(" to ")
	r.number("%.3f", after)
}

func (r *patchLensRun) endsWithSpace() bool {
	w := r.fig.Tokens.Patch.Words
	return len(w) > 0 && strings.HasSuffix(w[len(w)-1].Text, " ")
}

// subject says what a try moves: "The clean value of 34 after block 3".
func (r *patchLensRun) subject(try []ablate.Move) {
	if len(try) > 1 {
		r.say(fmt.Sprintf("Moving %d values together (%s)", len(try), r.label(try)))
		return
	}
	v := try[0]
	from, into, _ := v.Sites(r.m) // checked before
	at, to := r.places(v)
	if r.along(v, at) {
		return
	}
	switch v.Giver() {
	case ablate.FromClean:
		r.say("The clean value of ")
	case ablate.FromCorrupted:
		r.say("The corrupted run's own value of ")
	case ablate.FromZero:
		r.say("Putting zeros in place of ")
	default:
		r.say(fmt.Sprintf("Putting the mean of %d prompts in place of ", r.means))
	}
	stream := from.Kind == models.ResidPre || from.Kind == models.ResidPost
	if !stream {
		r.say(r.siteWords(v, from) + " at ")
	}
	panel := 0
	if v.Giver() != ablate.FromClean {
		panel = r.into()
	}
	r.positions(panel, at)
	if stream {
		r.say(" " + r.siteWords(v, from))
	}
	if into != from || !slices.Equal(at, to) {
		r.say(", put at ")
		r.positions(r.into(), to)
		r.say(" " + r.siteWords(ablate.Move{Heads: v.Heads, Neurons: v.Neurons}, into))
	}
}

// along says what travels along an edge or a path, and how; false where a move is
// made at a site.
func (r *patchLensRun) along(v ablate.Move, at []int) bool {
	given, panel := "the clean run's output of ", r.into()
	switch v.Giver() {
	case ablate.FromClean:
		panel = 0
	case ablate.FromCorrupted:
		given = "the run's own output of "
	case ablate.FromZero:
		given = "zeros for "
	default:
		given = fmt.Sprintf("the mean over %d prompts for ", r.means)
	}
	if source, end, ok := v.Edge(r.m); ok {
		r.say("Letting " + end + " alone read " + given + source + " at ")
		r.positions(panel, at)
		return true
	}
	source, end, ok := v.Path(r.m)
	if !ok {
		return false
	}
	before, after := "Letting "+end+" alone take what ", " brings there"
	if end == string(ablate.LogitsInput) {
		before, after = "Letting ", " travel to the logits"
	}
	r.say(before + given + source + " at ")
	r.positions(panel, at)
	r.say(after + " (" + freezes[string(v.Freeze)] + ")")
	return true
}

// positions says tokens, or that they are all.
func (r *patchLensRun) positions(panel int, at []int) {
	if len(at) == len(r.moved.Clean.IDs) {
		r.say("all positions")
		return
	}
	for i, p := range at {
		if i > 0 {
			r.say(" ")
		}
		r.token(panel, p)
	}
}

// siteWords says a site in words: "after block 3", "head 2 of block 3".
func (r *patchLensRun) siteWords(v ablate.Move, s models.Site) string {
	var b strings.Builder
	switch s.Kind {
	case models.ResidPost:
		fmt.Fprintf(&b, "after block %d", s.Layer)
	case models.ResidPre:
		if fmt.Fprintf(&b, "before block %d", s.Layer); s.Layer == 0 {
			b.Reset()
			b.WriteString("in the embedding")
		}
	case models.Z, models.Result:
		fmt.Fprintf(&b, "the output of the attention heads of block %d", s.Layer)
		if v.Heads != nil {
			b.Reset()
			fmt.Fprintf(&b, "head %s", headNames(s.Layer, v.Heads))
		}
		return b.String()
	case models.Embed:
		b.WriteString("the embedding")
	case models.AttnOut:
		fmt.Fprintf(&b, "the attention output of block %d", s.Layer)
	case models.MLPOut:
		fmt.Fprintf(&b, "the MLP output of block %d", s.Layer)
	default:
		b.WriteString(s.String())
		if v.Heads != nil {
			fmt.Fprintf(&b, " of head %s", headNames(s.Layer, v.Heads))
		}
	}
	if v.Neurons != nil {
		fmt.Fprintf(&b, ", number %s", strings.Trim(intList(v.Neurons), "[]"))
	}
	return b.String()
}

// headNames are heads as layer.head.
func headNames(layer int, heads []int) string {
	names := make([]string, len(heads))
	for i, h := range heads {
		names[i] = fmt.Sprintf("%d.%d", layer, h)
	}
	return strings.Join(names, ", ")
}

// label names a try in a few words: "block 3 · 34".
func (r *patchLensRun) label(try []ablate.Move) string {
	var parts []string
	for _, v := range try {
		from, into, _ := v.Sites(r.m) // checked before
		source, end, joined := v.Edge(r.m)
		if !joined {
			source, end, joined = v.Path(r.m)
		}
		name := source + " → " + end
		if !joined {
			name = strings.TrimPrefix(strings.TrimPrefix(r.siteWords(v, from), "after "), "the output of the ")
		}
		if v.Freeze != "" {
			name += ", " + strings.ReplaceAll(string(v.Freeze), "_", " ") + " frozen"
		}
		where := "all"
		if _, to := r.places(v); len(to) < len(r.moved.Clean.IDs) {
			var tokens []string
			for _, p := range to {
				tokens = append(tokens, r.tokenAt(v, p))
			}
			where = strings.Join(tokens, " ")
		}
		if into != from && !joined {
			name += " → " + strings.TrimPrefix(r.siteWords(ablate.Move{}, into), "after ")
		}
		if g := v.Giver(); g != ablate.FromClean {
			name = string(g) + ": " + name
		}
		parts = append(parts, name+" · "+where)
	}
	return strings.Join(parts, "; ")
}

// tokenAt is the token that a move puts its value at, as the clean run has it
// where it comes from there.
func (r *patchLensRun) tokenAt(v ablate.Move, position int) string {
	ids := r.moved.Corrupted.IDs
	if v.Giver() == ablate.FromClean && v.To == nil {
		ids = r.moved.Clean.IDs
	}
	return r.name(ids[position])
}

// unmoved is the sentence of two runs between which nothing was moved yet.
func (r *patchLensRun) unmoved() {
	r.say(fmt.Sprintf("The clean run answers %s with probability ", r.name(r.answer)))
	r.number("%.3f", r.clean.answer)
	if !r.alone {
		r.say(fmt.Sprintf(", the corrupted one %s with ", r.name(r.other)))
		r.number("%.3f", r.before.other)
	}
	r.say("; nothing is moved yet.")
}

// tableOfTries lists what was tried with what came of it.
func (r *patchLensRun) tableOfTries() {
	n := len(r.tries)
	if n == 0 {
		return
	}
	names := viz.NewText(n)
	answer, other, value, restored := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	all := true
	for i, try := range r.tries {
		names.Values[i] = r.label(try)
		answer[i], other[i] = float32(r.outcomes[i].answer), float32(r.outcomes[i].other)
		value[i] = float32(r.outcomes[i].value)
		v, ok := r.restored(r.outcomes[i])
		restored[i], all = float32(100*v), all && ok
	}
	r.fig.Texts["try"] = names
	column := func(name, label, unit, format string, values []float32) viz.Column {
		a := viz.NewArray([]string{"try"}, n)
		a.Set(0, values)
		r.fig.Arrays[name] = a
		return viz.Column{Name: label, Unit: unit, Values: name, Format: format}
	}
	t := &viz.Table{Rows: n, Columns: []viz.Column{{Name: "Tried so far", Text: "try"}, column("try_answer", "P("+r.name(r.answer)+")", "", "%.3f", answer)}}
	if r.other != r.answer {
		t.Columns = append(t.Columns, column("try_other", "P("+r.name(r.other)+")", "", "%.3f", other))
	}
	if r.measure.Name != "logit_diff" && r.measure.Name != "prob" { // the sentence and the first column have these
		t.Columns = append(t.Columns, column("try_value", r.measure.Label, r.measure.Unit, "%.3g", value))
	}
	if all {
		t.Columns = append(t.Columns, column("try_restored", "restored", "%", "%.0f", restored))
	}
	r.fig.Tokens.Patch.Tries = t
}

// tableOfLogits compares the best tokens of all runs shown at the last position.
func (r *patchLensRun) tableOfLogits() {
	runs := []*ablate.SeenRun{r.moved.Clean}
	if !r.alone {
		runs = append(runs, r.moved.Corrupted)
	}
	runs = append(runs, r.runs...)
	last := len(r.moved.Clean.IDs) - 1
	var ids []int
	for _, run := range runs {
		z := slices.Clone(run.Logits.Sub(last).Data)
		for range min(logitRows, len(z)) {
			id := topID(z, -1)
			z[id] = float32(math.Inf(-1))
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	for _, id := range []int{r.answer, r.other} {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	text := viz.NewText(len(ids))
	copy(text.Values, tokenLabels(r.m.Tokenizer, ids))
	for i := range text.Values {
		text.Values[i] = viz.TokenText(text.Values[i])
	}
	r.fig.Texts["logit_token"] = text
	t := &viz.Table{Rows: len(ids), Columns: []viz.Column{{Name: "Logits at the last token", Text: "logit_token"}}}
	for i, run := range runs {
		name := fmt.Sprint("logits_", i)
		a := viz.NewArray([]string{"token"}, len(ids))
		for k, id := range ids {
			a.Set(k, []float32{run.Logits.Sub(last).Data[id]})
		}
		r.fig.Arrays[name] = a
		title := strings.ToLower(strings.TrimSuffix(r.fig.Tokens.Panels[i].Title, " run"))
		if len(r.shown) == 2 && i >= len(runs)-2 {
			title = r.label(r.tries[r.shown[i-(len(runs)-2)]])
		}
		t.Columns = append(t.Columns, viz.Column{Name: title, Values: name, Format: "%.2f"})
	}
	r.fig.Tokens.Patch.Logits = t
}
