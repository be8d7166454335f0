package ablate_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"orrery/ablate"
)

// row is a prompt as a file without ids has it.
func row(text, answer string) ablate.Prompt {
	return ablate.Prompt{Text: text, AnswerText: answer, Answer: -1, Other: -1}
}

// TestPromptList gives the prompts of a template as texts, and gets what the
// template knows of them.
func TestPromptList(t *testing.T) {
	m := mental(t)
	made := promptSet(t, m, twoOperators(40), ablate.SetOptions{N: 12, Seed: 5, Keep: ablate.KeepCorrect})
	var rows []ablate.Prompt
	for _, p := range made.Prompts {
		rows = append(rows, row(p.Text, m.Tokenizer.Label(p.Answer)))
	}
	rows = append(rows, row("1+2", "3"), row("x", "3"), row("1+2=", "4"), row("1+2=", "-3"), row("1+2=", ""))
	s, err := ablate.PromptList(context.Background(), m, rows, ablate.KeepCorrect)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Prompts) != 12 || s.Asked != 13 || s.Correct != 12 || !s.Listed() || len(s.Dropped) != 5 {
		t.Fatalf("%s", s.Report())
	}
	for i, p := range s.Prompts {
		q := made.Prompts[i]
		if p.Text != q.Text || !reflect.DeepEqual(p.IDs, q.IDs) || p.Answer != q.Answer || p.Group != q.Group || !reflect.DeepEqual(p.Operands, q.Operands) || !reflect.DeepEqual(p.Roles, q.Roles) {
			t.Errorf("%+v is not %+v", p, q)
		}
	}
	for _, want := range []string{"12 prompts of a list of 17", "12 of 13 right", "cannot be encoded", "5 tokens as most", "gets it wrong", "not one token", "no answer"} {
		if !strings.Contains(s.Report(), want) {
			t.Errorf("the report does not say %q: %s", want, s.Report())
		}
	}
	ids := []ablate.Prompt{{Text: "1+2=", IDs: []int{1, 2, 3, 4, 5}, Answer: -1, Other: -1}, {IDs: []int{1 << 30}, Answer: -1, Other: -1}}
	if _, err := ablate.PromptList(context.Background(), m, ids, ablate.KeepAll); err == nil || !strings.Contains(err.Error(), "not those of its text") || !strings.Contains(err.Error(), "outside the vocabulary") {
		t.Errorf("ids of another model give %v", err)
	}
}

// TestAsk counts without leaving out.
func TestAsk(t *testing.T) {
	m := mental(t)
	s, err := ablate.PromptList(context.Background(), m, []ablate.Prompt{row("1+2=", "3"), row("1+2=", "4"), row("5+5=", "")}, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ask(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	if len(s.Prompts) != 3 || s.Asked != 2 || s.Correct != 1 || s.Accuracy() != 0.5 || s.AccuracyAfter() != 0.5 {
		t.Errorf("%s", s.Report())
	}
}

// TestContrastsAmong finds partners in a list by each change.
func TestContrastsAmong(t *testing.T) {
	m := mental(t)
	var rows []ablate.Prompt
	for _, text := range []string{"10+20=", "10+21=", "20-10=", "30+0=", "11+21=", "10-20="} {
		rows = append(rows, row(text, ""))
	}
	for i, answer := range []string{"30", "31", "10", "30", "32", "0"} { // the last is no sum of its text: a list may say what it likes
		rows[i].AnswerText = answer
	}
	s, err := ablate.PromptList(context.Background(), m, rows, ablate.KeepAll)
	if err != nil {
		t.Fatal(err)
	}
	for change, want := range map[ablate.Change]string{
		ablate.ChangeOperand: "10+20= 10+21=", ablate.ChangeOperands: "10+20= 11+21=", ablate.ChangeOperator: "10+20= 10-20=",
		ablate.ChangeBoth: "10+21= 10-20=", ablate.KeepResult: "10+20= 30+0=",
	} {
		c, err := ablate.Contrasts(context.Background(), m, s, change, -1, 1)
		if err != nil {
			t.Fatal(change, err)
		}
		found := ""
		for _, p := range c.Contrasts {
			found += fmt.Sprintf("%s %s\n", p.Clean.Text, p.Corrupted.Text)
		}
		if !strings.Contains(found, want) || len(c.Contrasts)+c.Alone != len(rows) {
			t.Errorf("%s: %q is not in\n%s", change, want, found)
		}
	}
	if _, err := ablate.Contrasts(context.Background(), m, s, ablate.ChangeOperand, 2, 1); err == nil {
		t.Error("operand 2 of two was taken")
	}
}

func TestContrastList(t *testing.T) {
	m := mental(t)
	pair := func(clean, corrupted string) ablate.Contrast {
		return ablate.Contrast{Clean: row(clean, ""), Corrupted: row(corrupted, "")}
	}
	set, pairs, err := ablate.ContrastList(context.Background(), m, []ablate.Contrast{pair("1+2=", "1+2"), pair("1+2=", "1+3="), pair("2+2=", "2+3="), pair("5+5=", "5+5="), pair("1+2", "1+3"), pair("x", "1+2=")}, ablate.KeepAll)
	if err != nil || len(pairs.Contrasts) != 2 || len(set.Prompts) != 2 || len(pairs.Dropped) != 4 {
		t.Fatalf("%+v, %v", pairs, err)
	}
	for _, want := range []string{"unequal length", "the same", "5 tokens as most", "the clean prompt: it cannot be encoded", "1+2= | 1+2"} {
		if text := pairs.Report(set.Template); !strings.Contains(text, want) {
			t.Errorf("%s does not say %q", text, want)
		}
	}
	if _, _, err := ablate.ContrastList(context.Background(), m, []ablate.Contrast{pair("1+2=", "1+2")}, ablate.KeepAll); err == nil || !strings.Contains(err.Error(), "none of 1 pairs") {
		t.Errorf("a list without a usable pair gives %v", err)
	}
	right := []ablate.Contrast{{Clean: row("1+2=", "3"), Corrupted: row("1+3=", "4")}, {Clean: row("1+2=", "3"), Corrupted: row("1+4=", "4")}}
	set, pairs, err = ablate.ContrastList(context.Background(), m, right, ablate.KeepCorrect)
	if err != nil || len(pairs.Contrasts) != 1 || set.Asked != 4 || set.Correct != 3 {
		t.Errorf("%+v, %+v, %v", set, pairs, err)
	}
}

func TestContrastsWith(t *testing.T) {
	m := mental(t)
	s := promptSet(t, m, twoOperators(40), ablate.SetOptions{N: 3, Seed: 5, Keep: ablate.KeepCorrect})
	partners := []ablate.Prompt{row("7+8=", "15"), row("7+8=", "16"), row("7+8", "15")}
	c, err := ablate.ContrastsWith(context.Background(), m, s, partners)
	if err != nil || len(c.Contrasts) != 1 || len(c.Dropped) != 2 || c.Contrasts[0].Corrupted.Group != "+" {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := ablate.ContrastsWith(context.Background(), m, s, partners[:2]); err == nil || !strings.Contains(err.Error(), "2 partners are given for 3 prompts") {
		t.Errorf("too few partners give %v", err)
	}
}

// TestRead reads parts off tokens' texts, whatever their cut.
func TestRead(t *testing.T) {
	for _, test := range []struct {
		words []string
		want  string
	}{
		{[]string{"", "34", "+", "57", "="}, "- operand0 operator0 operand1 equals"},
		{[]string{"", "4", "2", "+", "20", " -", " 15", " ="}, "- operand0 operand0 operator0 operand1 operator1 operand2 equals"},
		{[]string{"Q", ":", " 3", " ×", " 4", "=", "12"}, "- - operand0 operator0 operand1 equals answer"},
		{[]string{"3", "-", "4", "=", " ", "-", "1"}, "operand0 operator0 operand1 equals - answer answer"},
		{[]string{"In", " 2020", " the"}, "- - -"},
		{[]string{"34", "+"}, "- -"},
	} {
		r, _ := ablate.Read(test.words)
		var got []string
		for _, role := range r.Roles {
			got = append(got, role.String())
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%q: %v, want %s", test.words, got, test.want)
		}
	}
}

// TestValues takes operands from a list.
func TestValues(t *testing.T) {
	m := mental(t)
	tmpl := ablate.Template{Text: "{a}+{b}=", Operands: []ablate.Range{{Name: "a", Values: []int{3, 50, 7}}, {Name: "b", Lo: 0, Hi: 4}}}
	s := promptSet(t, m, tmpl, ablate.SetOptions{})
	if len(s.Prompts) != 12 || s.Prompts[4].Text != "50+0=" {
		t.Errorf("%d prompts, the fifth is %s", len(s.Prompts), s.Prompts[4].Text)
	}
	c, err := ablate.Contrasts(context.Background(), m, s, ablate.ChangeOperand, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Contrasts {
		if a := p.Corrupted.Operands[0]; a != 3 && a != 50 && a != 7 || a == p.Clean.Operands[0] {
			t.Errorf("%s against %s", p.Clean.Text, p.Corrupted.Text)
		}
	}
	tmpl.Operands[0].Values = []int{3, 3}
	if _, err := ablate.Prompts(context.Background(), m, tmpl, ablate.SetOptions{}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a value that stands there twice gives %v", err)
	}
}
