package analysis

import (
	"context"
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/zoo"
)

// asked counts, in n, the reports of sets of prompts that are made.
func asked(ctx context.Context, n *atomic.Int64) context.Context {
	return ablate.WithProgress(ctx, func(int, int, string) { n.Add(1) })
}

// TestShelfGivesWhatBindMakes takes calls that differ in one thing each through one
// shelf, twice: the second time none is made again, and each is what it would be
// without a shelf.
func TestShelfGivesWhatBindMakes(t *testing.T) {
	m, err := zoo.Open("mental-2op")
	if err != nil {
		t.Fatal(err)
	}
	other, err := models.New(m.Config, models.InitParams(m.Config, 1))
	if err != nil {
		t.Fatal(err)
	}
	other.Tokenizer = m.Tokenizer
	base := Prompts{
		Template: ablate.Template{Text: "{a}+{b}=", Lo: 0, Hi: 200, Operands: []ablate.Range{{Name: "a", Lo: 0, Hi: 30}, {Name: "b", Lo: 0, Hi: 30}}},
		Options:  ablate.SetOptions{N: 20, Seed: 1, Keep: ablate.KeepCorrect},
	}
	calls := map[string]Prompts{"base": base}
	for name, change := range map[string]func(p *Prompts){
		"seed":     func(p *Prompts) { p.Options.Seed = 2 },
		"n":        func(p *Prompts) { p.Options.N = 21 },
		"template": func(p *Prompts) { p.Template.Text = "{a}-{b}=" },
		"range": func(p *Prompts) {
			p.Template.Operands = []ablate.Range{{Name: "a", Lo: 0, Hi: 31}, {Name: "b", Lo: 0, Hi: 30}}
		},
		"answers": func(p *Prompts) { p.Template.Hi = 20 },
		"pairs":   func(p *Prompts) { p.Pairs = &Pairing{Change: ablate.ChangeOperand, Operand: -1, Seed: 1} },
		"partner": func(p *Prompts) { p.Pairs = &Pairing{Change: ablate.ChangeOperand, Operand: 0, Seed: 1} },
		"control": func(p *Prompts) {
			p.Pairs = &Pairing{Change: ablate.ChangeOperand, Operand: -1, Seed: 1, Control: true}
		},
	} {
		p := base
		change(&p)
		calls[name] = p
	}
	var made atomic.Int64
	ctx := asked(WithShelf(context.Background(), NewShelf()), &made)
	for round := range 2 {
		for name, p := range calls {
			for _, model := range []*models.Model{m, other} {
				if model == other {
					p.Options.Keep = ablate.KeepAll // it gets nothing right
				}
				want, err := p.Bind(context.Background(), model)
				if err != nil {
					t.Fatal(err)
				}
				before := made.Load()
				got, err := bind(ctx, p, model)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s: the shelf gives other prompts than Bind, in round %d", name, round)
				}
				if round == 1 && made.Load() != before {
					t.Errorf("%s: made again", name)
				}
			}
		}
	}
	if made.Load() == 0 {
		t.Error("nothing was made")
	}
}

// TestShelfIsBounded: what was used longest ago goes, what is too large is not kept.
func TestShelfIsBounded(t *testing.T) {
	sized := func(n int) BoundPrompts {
		return BoundPrompts{Set: &ablate.PromptSet{Prompts: make([]ablate.Prompt, n)}}
	}
	ten := sized(10)
	s := NewShelf()
	s.limit = 3 * ten.size()
	for i := range 3 {
		s.put(fmt.Sprint(i), sized(10))
	}
	s.take("0")
	s.put("3", sized(10))
	s.put("large", sized(31))
	for key, want := range map[string]bool{"0": true, "1": false, "2": true, "3": true, "large": false} {
		if got := s.take(key) != nil; got != want {
			t.Errorf("%s: kept is %t, want %t", key, got, want)
		}
	}
	if s.bytes != s.limit || len(s.kept) != 3 {
		t.Errorf("%d bytes of %d in %d entries", s.bytes, s.limit, len(s.kept))
	}
}
