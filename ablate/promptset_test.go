package ablate_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/zoo"
)

func mental(t *testing.T) *models.Model {
	t.Helper()
	m, err := zoo.Open("mental-2op")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// twoOperators is the task of mental-2op.
func twoOperators(hi int) ablate.Template {
	return ablate.Template{
		Text: "{a}{op}{b}=", Operators: []string{"+", "-"}, Lo: 0, Hi: 200,
		Operands: []ablate.Range{{Name: "a", Lo: 0, Hi: hi}, {Name: "b", Lo: 0, Hi: hi}},
	}
}

func promptSet(t *testing.T, m *models.Model, tmpl ablate.Template, opt ablate.SetOptions) *ablate.PromptSet {
	t.Helper()
	s, err := ablate.Prompts(context.Background(), m, tmpl, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPromptsEnumerate counts: of 20·20·2 prompts, 190 differences are negative.
func TestPromptsEnumerate(t *testing.T) {
	m := mental(t)
	s := promptSet(t, m, twoOperators(20), ablate.SetOptions{Keep: ablate.KeepCorrect})
	if len(s.Prompts) != 610 || s.Candidates != 800 || s.Tried != 800 || len(s.Dropped) != 1 || s.Dropped[0].Count != 190 {
		t.Fatalf("%d prompts: %s", len(s.Prompts), s.Report())
	}
	if s.Asked != 610 || s.Correct != 610 || s.Accuracy() != 1 {
		t.Errorf("the model gets %d of %d right, and its card says all", s.Correct, s.Asked)
	}
	p := s.Prompts[len(s.Prompts)-1]
	want := []ablate.Role{{Kind: ablate.BOS}, {Kind: ablate.Operand}, {Kind: ablate.Operator}, {Kind: ablate.Operand, Index: 1}, {Kind: ablate.Equals}}
	if p.Text != "19-19=" || p.Group != "-" || m.Tokenizer.Label(p.Answer) != "0" || !reflect.DeepEqual(p.Roles, want) {
		t.Errorf("the last prompt is %+v", p)
	}
}

// TestPromptsSeed checks that a seed gives one set, another seed another, and
// that n counts kept prompts.
func TestPromptsSeed(t *testing.T) {
	m := mental(t)
	one := promptSet(t, m, twoOperators(100), ablate.SetOptions{N: 30, Seed: 1, Keep: ablate.KeepCorrect})
	again := promptSet(t, m, twoOperators(100), ablate.SetOptions{N: 30, Seed: 1, Keep: ablate.KeepCorrect})
	other := promptSet(t, m, twoOperators(100), ablate.SetOptions{N: 30, Seed: 2, Keep: ablate.KeepCorrect})
	if !reflect.DeepEqual(one, again) || reflect.DeepEqual(one.Prompts, other.Prompts) || len(one.Prompts) != 30 {
		t.Errorf("%d prompts, the same again: %t, with another seed: %t", len(one.Prompts), reflect.DeepEqual(one, again), reflect.DeepEqual(one.Prompts, other.Prompts))
	}
	if one.Asked != 30 {
		t.Errorf("asked %d times for 30 prompts of a model that is always right", one.Asked)
	}
}

// TestPromptsKeepCorrect takes operands that the model never saw: those that it
// gets wrong are dropped and counted, of the partners, too.
func TestPromptsKeepCorrect(t *testing.T) {
	m := mental(t)
	tmpl := ablate.Template{Text: "{a}+{b}=", Operands: []ablate.Range{{Name: "a", Lo: 95, Hi: 130}, {Name: "b", Lo: 0, Hi: 60}}}
	s := promptSet(t, m, tmpl, ablate.SetOptions{Keep: ablate.KeepCorrect})
	if s.Correct != len(s.Prompts) || !(s.Accuracy() > 0 && s.Accuracy() < 0.9) || s.Asked-s.Correct != s.Dropped[len(s.Dropped)-1].Count {
		t.Fatalf("%s", s.Report())
	}
	all := promptSet(t, m, tmpl, ablate.SetOptions{})
	if len(all.Prompts) != s.Asked {
		t.Errorf("%d prompts without the filter, and %d were asked", len(all.Prompts), s.Asked)
	}
	c, err := ablate.Contrasts(context.Background(), m, s, ablate.ChangeOperand, -1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Contrasts {
		for _, q := range []ablate.Prompt{p.Clean, p.Corrupted} {
			out, err := m.RunFor(context.Background(), models.Prompt(q.IDs...), models.Need{Last: true})
			if err != nil {
				t.Fatal(err)
			}
			if (ablate.Readout{Run: out.Logits.Data}).Top() != q.Answer {
				t.Fatalf("%s is kept, and the model gets it wrong", q.Text)
			}
		}
	}
}

// TestPromptsOpenWithSpecialTokens: where the tokenizer puts no token at the
// beginning, the text says it, and is a sum all the same.
func TestPromptsOpenWithSpecialTokens(t *testing.T) {
	m := mental(t)
	ranges := []ablate.Range{{Name: "a", Lo: 3, Hi: 9}, {Name: "b", Lo: 0, Hi: 9}}
	plain := promptSet(t, m, ablate.Template{Text: "{a}+{b}=", Operands: ranges}, ablate.SetOptions{})
	opened := promptSet(t, m, ablate.Template{Text: "<bos>{a}+{b}=", Operands: ranges}, ablate.SetOptions{})
	if len(plain.Prompts) != 54 || len(opened.Prompts) != 54 {
		t.Fatalf("%d and %d prompts", len(plain.Prompts), len(opened.Prompts))
	}
	for i, p := range opened.Prompts {
		if q := plain.Prompts[i]; p.Answer != q.Answer || !slices.Equal(p.IDs[1:], q.IDs) || p.IDs[0] != q.IDs[0] {
			t.Errorf("%q is %v with answer %d, and %q %v with %d", p.Text, p.IDs, p.Answer, q.Text, q.IDs, q.Answer)
		}
	}
}

func TestPromptsRefuse(t *testing.T) {
	m := mental(t)
	ab := []ablate.Range{{Name: "a", Lo: 0, Hi: 5}, {Name: "b", Lo: 0, Hi: 5}}
	for _, test := range []struct {
		name string
		tmpl ablate.Template
		opt  ablate.SetOptions
		want string
	}{
		{"unknown name", ablate.Template{Text: "{a}+{c}=", Operands: ab}, ablate.SetOptions{}, "{c}"},
		{"operand left out", ablate.Template{Text: "{a}+1=", Operands: ab}, ablate.SetOptions{}, "lacks the operand {b}"},
		{"empty range", ablate.Template{Text: "{a}+1=", Operands: []ablate.Range{{Name: "a", Lo: 3, Hi: 3}}}, ablate.SetOptions{}, "3..3 is empty"},
		{"no operators", ablate.Template{Text: "{a}{op}{b}=", Operands: ab}, ablate.SetOptions{}, "no operators"},
		{"open brace", ablate.Template{Text: "{a}+{b=", Operands: ab}, ablate.SetOptions{}, "not closed"},
		{"nothing left", ablate.Template{Text: "{a}+{b}=", Operands: ab, Lo: 100, Hi: 200}, ablate.SetOptions{}, "25 dropped: the answer is out of range"},
		{"answers of two tokens", ablate.Template{Text: "{a}+{b}=", Operands: ab, Expression: "{a}-{b}-9"}, ablate.SetOptions{}, "not one token"},
		{"unknown keep", ablate.Template{Text: "{a}+{b}=", Operands: ab}, ablate.SetOptions{Keep: "right"}, `"right"`},
		{"no expression", ablate.Template{Text: "{a}+{b}==", Operands: ab}, ablate.SetOptions{}, "is no operator"},
		{"too many", ablate.Template{Text: "{a}+{b}=", Operands: []ablate.Range{{Name: "a", Lo: 0, Hi: 1 << 40}, {Name: "b", Lo: 0, Hi: 9}}}, ablate.SetOptions{}, "smaller ranges"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ablate.Prompts(context.Background(), m, test.tmpl, test.opt)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v does not say %q", err, test.want)
			}
		})
	}
}

func TestEvaluate(t *testing.T) {
	for text, want := range map[string]int{"12+34": 46, "42 + 20 - 15": 47, "2+3*4": 14, "12÷4−1": 2, "2×3×4": 24, "7": 7, "9-2-3": 4} {
		if got, err := ablate.Evaluate(text); err != nil || got != want {
			t.Errorf("%s = %d, %v, want %d", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "empty", "+": "want a number", "1+": "ends with an operator", "7/2": "no whole number", "1/0": "no whole number", "a+b": "want a number",
		"1^2": "'^' is no operator", "3é4": "'é' is no operator",
		// The products and sums that wrap around would be small and plausible.
		"4294967296*4294967296": "more than 63 bits", "9223372036854775807+9": "more than 63 bits", "0-9223372036854775807-9": "more than 63 bits",
		"9223372036854775807+1+9": "more than 63 bits", "9223372036854775808": "out of range",
	} {
		if v, err := ablate.Evaluate(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q = %d, and the error %v does not say %q", text, v, err, want)
		}
	}
	for text, want := range map[string]int{"9223372036854775806+1": 1<<63 - 1, "0-9223372036854775807-1": -1 << 63, "3037000499*3037000499": 9223372030926249001, "0*9223372036854775807*2": 0} {
		if v, err := ablate.Evaluate(text); err != nil || v != want {
			t.Errorf("%q = %d, %v, want %d", text, v, err, want)
		}
	}
}

// TestContrasts checks of every change what it says.
func TestContrasts(t *testing.T) {
	m := mental(t)
	s := promptSet(t, m, twoOperators(100), ablate.SetOptions{N: 40, Seed: 3, Keep: ablate.KeepCorrect})
	for _, change := range ablate.Changes {
		c, err := ablate.Contrasts(context.Background(), m, s, change, -1, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Contrasts)+c.Alone != len(s.Prompts) || change != ablate.ChangeOperator && c.Alone > 2 {
			t.Errorf("%s: %d contrasts and %d alone of %d prompts", change, len(c.Contrasts), c.Alone, len(s.Prompts))
		}
		for _, p := range c.Contrasts {
			x, y := p.Clean, p.Corrupted
			differ := 0
			for i := range x.Operands {
				if x.Operands[i] != y.Operands[i] {
					differ++
				}
			}
			same, group := x.Answer == y.Answer, x.Group == y.Group
			ok := map[ablate.Change]bool{
				ablate.ChangeOperand: differ == 1 && group && !same, ablate.ChangeOperator: differ == 0 && !group && !same,
				ablate.ChangeOperands: differ == 2 && group && !same, ablate.ChangeBoth: differ == 1 && !group && !same, ablate.ChangeAny: !same, ablate.KeepResult: differ > 0 && group && same,
			}[change]
			if !ok {
				t.Fatalf("%s: %s against %s", change, x.Text, y.Text)
			}
		}
	}
	b, err := ablate.Contrasts(context.Background(), m, s, ablate.ChangeOperand, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range b.Contrasts {
		if p.Clean.Operands[0] != p.Corrupted.Operands[0] {
			t.Fatalf("operand 1 was to change: %s against %s", p.Clean.Text, p.Corrupted.Text)
		}
	}
	if _, err := ablate.Contrasts(context.Background(), m, s, "sum", -1, 1); err == nil {
		t.Error("an unknown change was taken")
	}
	if _, err := ablate.Contrasts(context.Background(), m, s, ablate.ChangeOperand, 2, 1); err == nil {
		t.Error("operand 2 of two was taken")
	}
}

// TestPromptsSayHowFarTheyAre: a set that asks the model reports, never past its
// end, and one that does not ask says nothing.
func TestPromptsSayHowFarTheyAre(t *testing.T) {
	m, err := zoo.Open("mental-2op")
	if err != nil {
		t.Fatal(err)
	}
	tmpl := ablate.Template{Text: "{a}+{b}=", Operands: []ablate.Range{{Name: "a", Lo: 0, Hi: 40}, {Name: "b", Lo: 0, Hi: 40}}}
	for _, c := range []struct {
		opt  ablate.SetOptions
		unit string
		last int
	}{
		{ablate.SetOptions{Keep: ablate.KeepCorrect}, "prompts tried", 1600},
		{ablate.SetOptions{Keep: ablate.KeepCorrect, N: 300}, "prompts", 300},
		{ablate.SetOptions{N: 300}, "", 0},
	} {
		said, last := "", 0
		ctx := ablate.WithProgress(t.Context(), func(done, total int, unit string) {
			if done < last || done > total {
				t.Errorf("%d of %d after %d", done, total, last)
			}
			said, last = unit, done
		})
		if _, err := ablate.Prompts(ctx, m, tmpl, c.opt); err != nil {
			t.Fatal(err)
		}
		if said != c.unit || last != c.last {
			t.Errorf("%+v: ends at %d %s, want %d %s", c.opt, last, said, c.last, c.unit)
		}
	}
}
