package ablate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"orrery/models"
)

// Keep says which prompts stay in a set.
type Keep string

// What is kept.
const (
	KeepAll     Keep = "all"
	KeepCorrect Keep = "correct" // those whose answer is the model's top token
)

// SetOptions choose prompts of a template.
type SetOptions struct {
	N    int    // how many prompts at most; 0 for all there are
	Seed uint64 // of the order in which they are tried
	Keep Keep   // "" for KeepAll
}

// PromptSet is a set of prompts of one length with single-token answers, and
// the account of what was left out.
type PromptSet struct {
	Prompts  []Prompt
	Template Template
	Options  SetOptions
	// Candidates is how many choices of values the template has, Tried how many
	// of them were looked at until N were found.
	Candidates, Tried int
	// Asked is how many prompts the model was asked, and Correct how many of
	// them it got right; 0 unless only correct ones are kept.
	Asked, Correct int
	Dropped        []Drop
	// Whole is how many prompts the set has of which this is a part; 0 for a
	// whole one.
	Whole int
}

// Part is a set of some of the prompts, with the account of the whole.
func (s *PromptSet) Part(prompts []Prompt) *PromptSet {
	part := *s
	part.Prompts = prompts
	if part.Whole == 0 {
		part.Whole = len(s.Prompts)
	}
	return &part
}

// Listed reports whether the prompts were given as a list, not made from a
// template.
func (s *PromptSet) Listed() bool { return s.Template.Text == "" }

// Drop is one reason why prompts were left out.
type Drop struct {
	Reason  string
	Count   int
	Example string // the first of them
}

// Accuracy is the share of prompts that the model gets right before the filter,
// 0 where it was not asked.
func (s *PromptSet) Accuracy() float64 {
	if s.Asked == 0 {
		return 0
	}
	return float64(s.Correct) / float64(s.Asked)
}

// AccuracyAfter is the share among those that are kept, 0 where the model was
// not asked.
func (s *PromptSet) AccuracyAfter() float64 {
	if s.Options.Keep == KeepCorrect {
		return 1
	}
	return s.Accuracy()
}

// Ask counts which of a set that keeps all the model gets right. Prompts without
// an answer are not counted. It costs one run a prompt, the first time.
func (s *PromptSet) Ask(ctx context.Context, m *models.Model) error {
	if s.Options.Keep == KeepCorrect || s.Asked > 0 {
		return nil
	}
	asked := slices.DeleteFunc(slices.Clone(s.Prompts), func(p Prompt) bool { return p.Answer < 0 })
	right, err := rightAnswers(ctx, m, asked)
	if err != nil {
		return err
	}
	s.Asked, s.Correct = len(asked), 0
	for _, ok := range right {
		if ok {
			s.Correct++
		}
	}
	return nil
}

// Report says in words what the set is, how often the model is right before and
// after the filter, and what was dropped and why.
func (s *PromptSet) Report() string {
	n, text := len(s.Prompts), ""
	if s.Whole > 0 {
		n, text = s.Whole, fmt.Sprintf("a part of %d of ", n)
	}
	if s.Listed() {
		text += fmt.Sprintf("%d prompts of a list of %d", n, s.Candidates)
	} else {
		text += fmt.Sprintf("%d prompts of %d tried, of %d in all", n, s.Tried, s.Candidates)
	}
	switch {
	case s.Asked == 0:
	case len(s.Prompts) == 0:
		text += fmt.Sprintf("; the model gets %d of %d right", s.Correct, s.Asked)
	case s.Options.Keep == KeepCorrect:
		text += fmt.Sprintf("; the model's accuracy is %.1f %% before the filter (%d of %d right) and 100 %% after it", 100*s.Accuracy(), s.Correct, s.Asked)
	default:
		text += fmt.Sprintf("; the model's accuracy is %.1f %% (%d of %d right), and all are kept", 100*s.Accuracy(), s.Correct, s.Asked)
	}
	return text + dropReport(s.Dropped)
}

// dropReport says what was dropped, behind what was kept.
func dropReport(dropped []Drop) (text string) {
	for _, d := range dropped {
		text += fmt.Sprintf("; %d dropped: %s (such as %q)", d.Count, d.Reason, d.Example)
	}
	return text
}

func (s *PromptSet) drop(reason, example string) { s.Dropped = drop(s.Dropped, reason, example) }

// drop counts one more.
func drop(list []Drop, reason, example string) []Drop {
	for i := range list {
		if list[i].Reason == reason {
			list[i].Count++
			return list
		}
	}
	return append(list, Drop{reason, 1, example})
}

// maxCandidates bounds what is enumerated: a list of so many choices takes 8 MB.
const maxCandidates = 1 << 20

// Prompts makes a set of a template's prompts: all of them, or the first N of a
// shuffled list that pass. Left out, and reported with the reason, are prompts
// whose number of tokens is not that of most, answers that are not one token
// behind the prompt, or out of range, or no whole numbers, and with
// KeepCorrect those that the model gets wrong. An empty set is an error.
//
// It costs one tokenization a prompt tried, and one run with KeepCorrect.
func Prompts(ctx context.Context, m *models.Model, t Template, opt SetOptions) (*PromptSet, error) {
	if m.Tokenizer == nil {
		return nil, models.ErrNoTokenizer
	}
	if opt.Keep == "" {
		opt.Keep = KeepAll
	}
	if opt.Keep != KeepAll && opt.Keep != KeepCorrect {
		return nil, fmt.Errorf("keep is %q, want %q or %q", opt.Keep, KeepAll, KeepCorrect)
	}
	if opt.N < 0 {
		return nil, fmt.Errorf("n is %d, want 1 or more, or 0 for all", opt.N)
	}
	pieces, operators, err := t.parse()
	if err != nil {
		return nil, err
	}
	s := &PromptSet{Template: t, Options: opt, Candidates: t.candidates(operators)}
	if s.Candidates > maxCandidates {
		return nil, fmt.Errorf("template %q has more than %d choices of values: take smaller ranges", t.Text, maxCandidates)
	}
	order := rand.New(rand.NewPCG(opt.Seed, 0)).Perm(s.Candidates)
	if opt.N == 0 {
		slices.Sort(order)
	}
	length, err := t.usualLength(m, pieces, operators, order)
	if err != nil {
		return nil, err
	}
	const chunk = 256 // prompts of a run
	for at := 0; at < len(order) && (opt.N == 0 || len(s.Prompts) < opt.N); {
		var made []Prompt
		for ; at < len(order) && len(made) < chunk && (opt.N == 0 || opt.Keep == KeepCorrect || len(s.Prompts)+len(made) < opt.N); at++ {
			s.Tried++
			p, reason, err := t.prompt(m, pieces, t.choose(order[at], operators), length)
			if err != nil {
				return nil, err
			}
			if reason != "" {
				s.drop(reason, p.Text)
				continue
			}
			made = append(made, p)
		}
		if err := s.add(ctx, m, made); err != nil {
			return nil, err
		}
		s.progress(ctx)
	}
	if len(s.Prompts) == 0 {
		return nil, fmt.Errorf("no prompt of template %q is left: %s", t.Text, s.Report())
	}
	return s, nil
}

// add keeps prompts until there are enough, and asks the model no more of them than
// that takes; those behind the last one kept do not count as tried.
func (s *PromptSet) add(ctx context.Context, m *models.Model, made []Prompt) error {
	if s.Options.Keep == KeepAll || len(made) == 0 {
		s.Prompts = append(s.Prompts, made...)
		return nil
	}
	for at := 0; at < len(made); {
		lacking := len(made) - at
		if s.Options.N > 0 {
			if lacking = min(lacking, s.Options.N-len(s.Prompts)); lacking == 0 {
				s.Tried -= len(made) - at
				return nil
			}
		}
		asked := made[at : at+lacking]
		right, err := s.passes(ctx, m, asked)
		if err != nil {
			return err
		}
		at += lacking
		for i, p := range asked {
			s.Asked++
			if !right[i] {
				s.drop("the model gets it wrong", p.Text)
				continue
			}
			s.Correct++
			s.Prompts = append(s.Prompts, p)
		}
	}
	return nil
}

// candidates counts the choices of values; more than maxCandidates is as good
// as that many and one.
func (t Template) candidates(operators int) int {
	n := 1
	for _, r := range t.Operands {
		n = min(n*min(r.size(), maxCandidates+1), maxCandidates+1)
	}
	for range operators {
		n = min(n*len(t.Operators), maxCandidates+1)
	}
	return n
}

// choice is one value for each operand and, as an index, each operator.
type choice struct{ operands, ops []int }

// choose is one choice of values by its number.
func (t Template) choose(i, operators int) (c choice) {
	for range operators {
		c.ops = append(c.ops, i%len(t.Operators))
		i /= len(t.Operators)
	}
	c.operands = make([]int, len(t.Operands))
	for at := len(t.Operands) - 1; at >= 0; at-- {
		r := t.Operands[at]
		c.operands[at] = r.at(i % r.size())
		i /= r.size()
	}
	return c
}

// usualLength is the number of tokens that most of the first prompts have, the
// smaller of two equally frequent ones.
func (t Template) usualLength(m *models.Model, pieces []piece, operators int, order []int) (int, error) {
	count := map[int]int{}
	for _, i := range order[:min(len(order), 500)] {
		c := t.choose(i, operators)
		ids, err := m.Encode(t.fill(pieces, c.operands, c.ops).text)
		if err == nil {
			count[len(ids)]++
		}
	}
	best := 0
	for n, c := range count {
		if best == 0 || c > count[best] || c == count[best] && n < best {
			best = n
		}
	}
	if best == 0 {
		c := t.choose(order[0], operators)
		_, err := m.Encode(t.fill(pieces, c.operands, c.ops).text)
		return 0, fmt.Errorf("no prompt of template %q can be encoded: %w", t.Text, err)
	}
	return best, nil
}

// prompt makes one prompt, or says why it is left out.
func (t Template) prompt(m *models.Model, pieces []piece, c choice, length int) (p Prompt, reason string, err error) {
	f := t.fill(pieces, c.operands, c.ops)
	p = Prompt{Text: f.text, Operands: c.operands, Other: -1, operators: c.ops}
	for _, op := range c.ops {
		p.Group += t.Operators[op]
	}
	answer, err := t.answer(f)
	if errors.Is(err, errRange) || errors.Is(err, errWhole) {
		return p, err.Error(), nil
	}
	if err != nil {
		return p, "", fmt.Errorf("template %q: %w", t.Text, err)
	}
	p.result = answer
	enc, err := m.Tokenizer.Encode(f.text, true)
	if err != nil {
		return p, "it cannot be encoded", nil
	}
	p.IDs = enc.IDs
	if len(p.IDs) != length {
		return p, fmt.Sprintf("it does not have %d tokens as most have", length), nil
	}
	if p.Answer, reason = answerToken(m, f.text, fmt.Sprint(answer), p.IDs); reason != "" {
		return p, reason, nil
	}
	p.Roles = roles(pieces, f, enc.Offsets)
	return p, "", nil
}

// answerToken is the one token that the text goes on with.
func answerToken(m *models.Model, text, answer string, ids []int) (int, string) {
	long, err := m.Encode(text + answer)
	if err != nil {
		return 0, "its answer cannot be encoded"
	}
	if len(long) != len(ids)+1 || !slices.Equal(long[:len(ids)], ids) {
		return 0, "its answer is not one token behind the prompt"
	}
	return long[len(ids)], ""
}

// roles reads the tokens' parts off the pieces that they stand in.
func roles(pieces []piece, f filled, offsets [][2]int) []Role {
	out := make([]Role, len(offsets))
	for i, span := range offsets {
		if span[0] == span[1] {
			if i == 0 {
				out[i] = Role{Kind: BOS}
			}
			continue
		}
		operators := 0
		for k, p := range pieces {
			lo, hi := max(f.spans[k][0], span[0]), min(f.spans[k][1], span[1])
			word := ""
			if lo < hi {
				word = strings.TrimSpace(f.text[lo:hi])
			}
			sign := p.operator >= 0 || p.operand < 0 && isOperator(strings.TrimSpace(p.text))
			switch {
			case word == "":
			case p.operand >= 0:
				out[i] = Role{Operand, p.operand}
			case sign:
				out[i] = Role{Operator, operators}
			case word == "=":
				out[i] = Role{Kind: Equals}
			}
			if sign {
				operators++
			}
		}
	}
	return out
}

func isOperator(word string) bool { return word != "" && strings.Contains("+ - − * × / ÷", word) }
