package ablate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"orrery/models"
)

// PromptList makes a set of prompts that are given: rows with a text or ids.
// What a row leaves out is read off the model and the text: ids, the tokens of
// answers, roles and operands of arithmetic. Left out, and reported with the
// reason, are rows that cannot be encoded, whose ids are not those of their text,
// whose number of tokens is not that of most, whose answer is not one token, and
// with KeepCorrect those that the model gets wrong. An empty set is an error.
func PromptList(ctx context.Context, m *models.Model, rows []Prompt, keep Keep) (*PromptSet, error) {
	if keep == "" {
		keep = KeepAll
	}
	if keep != KeepAll && keep != KeepCorrect {
		return nil, fmt.Errorf("keep is %q, want %q or %q", keep, KeepAll, KeepCorrect)
	}
	if len(rows) == 0 {
		return nil, errors.New("the list of prompts is empty")
	}
	s := &PromptSet{Options: SetOptions{Keep: keep}, Candidates: len(rows), Tried: len(rows)}
	var made []Prompt
	for _, p := range rows {
		p, reason := readIDs(m, p)
		if reason != "" {
			s.drop(reason, p.name())
			continue
		}
		made = append(made, p)
	}
	length := commonLength(made)
	same := made[:0]
	for _, p := range made {
		if len(p.IDs) != length {
			s.drop(fmt.Sprintf("it does not have %d tokens as most have", length), p.name())
			continue
		}
		p, reason := readAnswers(m, p, keep)
		if reason != "" {
			s.drop(reason, p.name())
			continue
		}
		same = append(same, p)
	}
	made = same
	if err := s.add(ctx, m, made); err != nil {
		return nil, err
	}
	if len(s.Prompts) == 0 {
		return nil, fmt.Errorf("no prompt of the list is left: %s", s.Report())
	}
	return s, nil
}

// name is what a prompt is called in a report.
func (p Prompt) name() string {
	if p.Text != "" {
		return p.Text
	}
	return fmt.Sprint(p.IDs)
}

// commonLength is the number of tokens that most prompts have, the smaller of
// two equally frequent ones.
func commonLength(prompts []Prompt) int {
	count := map[int]int{}
	for _, p := range prompts {
		count[len(p.IDs)]++
	}
	best := 0
	for n, c := range count {
		if best == 0 || c > count[best] || c == count[best] && n < best {
			best = n
		}
	}
	return best
}

// readIDs tokenizes a prompt, or says why it cannot be used.
func readIDs(m *models.Model, p Prompt) (Prompt, string) {
	if p.Text != "" && m.Tokenizer != nil {
		enc, err := m.Tokenizer.Encode(p.Text, true)
		if err != nil {
			return p, "it cannot be encoded: " + err.Error()
		}
		if p.IDs != nil && !slices.Equal(p.IDs, enc.IDs) {
			return p, "its ids are not those of its text under this model"
		}
		p.IDs = enc.IDs
	}
	if len(p.IDs) == 0 {
		return p, "it has no ids, and there is no text that the model could read"
	}
	for _, id := range p.IDs {
		if id < 0 || id >= m.Config.Vocab {
			return p, fmt.Sprintf("an id is outside the vocabulary 0..%d", m.Config.Vocab-1)
		}
	}
	if m.Tokenizer != nil {
		p.read(m)
	}
	return p, ""
}

// readAnswers finds the tokens of a prompt's answers, or says why it cannot be
// used.
func readAnswers(m *models.Model, p Prompt, keep Keep) (Prompt, string) {
	for _, a := range []struct {
		what string
		text *string
		id   *int
	}{{"answer", &p.AnswerText, &p.Answer}, {"other answer", &p.OtherText, &p.Other}} {
		if *a.text != "" {
			id, reason := readAnswer(m, p, *a.text)
			if reason == "" && *a.id >= 0 && *a.id != id {
				reason = "it is not the token that is given beside it"
			}
			if reason != "" {
				return p, fmt.Sprintf("its %s cannot be used: %s", a.what, reason)
			}
			*a.id, *a.text = id, ""
		}
		if *a.id < -1 || *a.id >= m.Config.Outputs() {
			return p, fmt.Sprintf("its %s is outside the vocabulary 0..%d", a.what, m.Config.Outputs()-1)
		}
	}
	if keep == KeepCorrect && p.Answer < 0 {
		return p, "it has no answer that the model could get right"
	}
	return p, ""
}

// readAnswer is the token of an answer: what the text goes on with, or without a
// text the token that is spelled so.
func readAnswer(m *models.Model, p Prompt, answer string) (int, string) {
	if m.Tokenizer == nil {
		return 0, "the model has no tokenizer to read it with"
	}
	if p.Text != "" {
		return answerToken(m, p.Text, answer, p.IDs)
	}
	if id, ok := m.Tokenizer.ID(answer); ok {
		return id, ""
	}
	return 0, "it is no token"
}

// read fills in roles, operands and the group where they are left out and the
// prompt is arithmetic.
func (p *Prompt) read(m *models.Model) {
	r, ok := Read(words(m, p.IDs))
	bos, has := m.Tokenizer.BOS()
	if has && p.IDs[0] == bos && r.Roles[0] == (Role{}) {
		r.Roles[0] = Role{Kind: BOS}
	}
	if p.Roles == nil {
		p.Roles = r.Roles
	}
	if !ok {
		return
	}
	if p.Operands == nil {
		p.Operands = r.Operands
	}
	if p.Group == "" {
		p.Group = r.Group
	}
}

// words are the texts of tokens, "" for special ones.
func words(m *models.Model, ids []int) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		if !m.Tokenizer.IsSpecial(id) {
			out[i] = m.Tokenizer.Label(id)
		}
	}
	return out
}
