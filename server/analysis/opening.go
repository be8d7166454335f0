package analysis

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

// moveArg is the argument of patch that an axis of a sweep chooses.
var moveArg = map[string]string{"pos": "at", "query": "queries", "key": "keys", "head": "heads", "kv_head": "heads", "d_head": "neurons", "d_mlp": "neurons", "d_model": "neurons"}

// opening says how the cells of a panel are written as patches: run is what the
// patch puts in, window how many of the model's layers it does so in, rest the
// call's other arguments, which stand before the patches.
func (l patchLayout) opening(panel, window, layers int, run ablate.Giver, rest string) *viz.Opening {
	o := &viz.Opening{Call: "patch_lens({model}, {pair}" + rest + ", patches=[{row}])"}
	for c := range l.shape[l.column] {
		o.Columns = append(o.Columns, fmt.Sprintf(", %s=%d", moveArg[l.sweep.Axes[l.column]], c))
	}
	chosen := l.unravel(l.panel, panel)
	for row := range l.length(l.row) {
		index := l.unravel(l.row, row)
		for a, i := range chosen {
			index[a] = i
		}
		args := ""
		for a, axis := range l.sweep.Axes {
			if i, ok := index[a]; ok && axis != "layer" {
				args += fmt.Sprintf(", %s=%d", moveArg[axis], i)
			}
		}
		after := ""
		if run != ablate.FromClean {
			after = ", run=" + strconv.Quote(string(run))
		}
		lo := max(index[0]-(window-1)/2, 0)
		var moves []string
		for layer := lo; layer < min(index[0]-(window-1)/2+window, layers); layer++ {
			moves = append(moves, fmt.Sprintf("patch(\"blocks.%d.%s\"%s{column}%s)", layer, l.sweep.Site, args, after))
		}
		text := strings.Join(moves, ", ")
		if len(moves) > 1 {
			text = "[" + text + "]"
		}
		o.Rows = append(o.Rows, text)
	}
	return o
}

// measureArg writes a metric that is not patch_lens' usual one as its argument, with
// a comma before it. A function without a name cannot be written.
func measureArg(metric any) string {
	switch f := metric.(type) {
	case MetricFunc:
		if f.Name != Nameless {
			return ", measure=" + f.Name
		}
	case string:
		if f != "logit_diff" {
			return fmt.Sprintf(", measure=%q", f)
		}
	}
	return ""
}

// unravel is at in reverse: the index on some axes of a number.
func (l patchLayout) unravel(axes []int, n int) map[int]int {
	index := map[int]int{}
	for _, a := range slices.Backward(axes) {
		index[a] = n % l.shape[a]
		n /= l.shape[a]
	}
	return index
}

// pairSource writes two prompts as the arguments of patch_lens: values of source
// are put into base.
func pairSource(source, base ablate.Prompt) string {
	return "clean=" + promptText(source) + ", corrupted=" + promptText(base)
}

// answerArgs writes the answers that a run of one prompt is measured by, where they
// are others than it would take itself; nothing where they are not known as tokens.
func answerArgs(m *models.Model, answer, other int) string {
	text := ""
	for _, a := range []struct {
		name string
		id   int
	}{{"answer", answer}, {"other", other}} {
		if m.Tokenizer == nil || a.id < 0 {
			return ""
		}
		token, ok := m.Tokenizer.Token(a.id)
		if !ok {
			return ""
		}
		text += fmt.Sprintf(", %s=%s", a.name, strconv.Quote(token))
	}
	return text
}

// promptText writes a prompt of a set as an argument.
func promptText(p ablate.Prompt) string {
	if p.Text == "" {
		return promptSource(Prompt{IDs: p.IDs})
	}
	return promptSource(Prompt{Text: p.Text})
}

// templateArgs writes those parameters of a template that are not the usual
// ones, each with a comma before it.
func templateArgs(a Args) string {
	text := ""
	for _, p := range setParams("{a}{op}{b}=", 0) {
		if p.Name == "n" || p.Name == "keep" {
			continue
		}
		switch v := a[p.Name].(type) {
		case string:
			if v != p.Default.(string) {
				text += fmt.Sprintf(", %s=%q", p.Name, v)
			}
		case int:
			if v != p.Default.(int) {
				text += fmt.Sprintf(", %s=%d", p.Name, v)
			}
		case []string:
			if !slices.Equal(v, p.Default.([]string)) {
				quoted := make([]string, len(v))
				for i, s := range v {
					quoted[i] = strconv.Quote(s)
				}
				text += fmt.Sprintf(", %s=[%s]", p.Name, strings.Join(quoted, ", "))
			}
		}
	}
	return text
}
