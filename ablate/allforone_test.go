package ablate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// numbers are the ids that stand for numbers in the reference's models.
func numbers() (ids []int) {
	for i := range 50 {
		ids = append(ids, i)
	}
	return ids
}

func operatorName(id int) string { return map[int]string{51: "plus", 52: "minus"}[id] }

// taskPrompts reads a set of prompts, grouped by their operators.
func (g golden) taskPrompts(t *testing.T, raw json.RawMessage) (prompts []ablate.Prompt, partners []int) {
	t.Helper()
	var list []struct {
		Tokens  []int `json:"tokens"`
		Answer  int   `json:"answer"`
		Partner int   `json:"partner"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		prompts = append(prompts, task(p.Tokens, p.Answer))
		partners = append(partners, p.Partner)
	}
	return prompts, partners
}

// task is a prompt of the reference with its group and roles.
func task(ids []int, answer int) ablate.Prompt {
	p := ablate.Prompt{IDs: ids, Answer: answer, Other: -1, Roles: make([]ablate.Role, len(ids))}
	for i := range ids {
		switch {
		case i == 0:
			p.Roles[i].Kind = ablate.BOS
		case i == len(ids)-1:
			p.Roles[i].Kind = ablate.Equals
		case i%2 == 1:
			p.Roles[i] = ablate.Role{Kind: ablate.Operand, Index: i / 2}
		default:
			p.Roles[i] = ablate.Role{Kind: ablate.Operator, Index: i/2 - 1}
			p.Group += operatorName(ids[i])
		}
	}
	return p
}

// contexts enumerates all operands 0..19 of the reference's averaging sets: all
// of them, or those whose results stay within 0..49.
func contexts(valid bool, operators ...int) (out []ablate.Prompt) {
	var rec func(ids []int, value, at int)
	rec = func(ids []int, value, at int) {
		if at == len(operators) {
			if !valid || value >= 0 && value < 50 {
				out = append(out, task(append(append([]int(nil), ids...), 53), 0))
			}
			return
		}
		for x := range 20 {
			next := value + x
			if operators[at] == 52 {
				next = value - x
			}
			rec(append(append([]int(nil), ids...), operators[at], x), next, at+1)
		}
	}
	for a := range 20 {
		rec([]int{50, a}, a, 0)
	}
	return out
}

func (g golden) table(t *testing.T, valid bool) *ablate.Table {
	t.Helper()
	table, err := ablate.CAMATable(context.Background(), g.model, append(contexts(valid, 51), contexts(valid, 52)...))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func (g golden) start(t *testing.T, valid bool) *ablate.AllForOne {
	t.Helper()
	prompts, partners := g.taskPrompts(t, g.prompts["af1"])
	a, err := ablate.StartAllForOne(context.Background(), g.model, prompts, g.table(t, valid), ablate.AllForOneOptions{Among: numbers(), Partner: partners})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func apply(t *testing.T, a *ablate.AllForOne, recipes []ablate.Recipe) []ablate.Outcome {
	t.Helper()
	out, report, err := a.Apply(context.Background(), recipes, true, func(int, ablate.Outcome) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if report.Checked == 0 || report.Different != 0 {
		t.Errorf("report %+v", report)
	}
	return out
}

// checkOutcomes compares KEY.* [recipe,prompt], or the logits alone.
func (g golden) checkOutcomes(t *testing.T, a *ablate.AllForOne, out []ablate.Outcome, key string) {
	t.Helper()
	n := len(a.Prompts)
	got := tensor.New(len(out), n, g.model.Config.Vocab)
	p, logp, margin := tensor.New(len(out), n), tensor.New(len(out), n), tensor.New(len(out), n)
	accuracy, agreement, kept := tensor.New(len(out)), tensor.New(len(out)), tensor.New(len(out))
	var top, topAny []int
	for i, o := range out {
		for row := range n {
			copy(got.Sub(i, row).Data, o.Logits[row])
			p.Set(float32(o.P[row]), i, row)
			logp.Set(float32(math.Exp(o.LogPBase[row])), i, row)
			margin.Set(float32(o.Margin[row]), i, row)
		}
		top, topAny = append(top, o.Top...), append(topAny, o.TopAny...)
		accuracy.Data[i], agreement.Data[i] = float32(a.Accuracy(o).Mean), float32(a.Agreement(o).Mean)
		kept.Data[i] = -1 // the reference's mark for a model that gets nothing right
		if f, err := a.Faithfulness(o); err == nil {
			kept.Data[i] = float32(f.Mean)
		}
	}
	if g.has(t, key+".logits") {
		modeltest.Close(t, key+".logits", got, g.read(t, key+".logits").Reshape(got.Shape...), plainBound, plainBound)
	}
	if _, ok := g.values.Info(key + ".p_answer"); !ok {
		return
	}
	modeltest.Close(t, key+".p_answer", p, g.read(t, key+".p_answer").Reshape(p.Shape...), plainBound, plainBound)
	modeltest.Close(t, key+".p_base_prediction", logp, g.read(t, key+".p_base_prediction").Reshape(p.Shape...), plainBound, plainBound)
	modeltest.Close(t, key+".ld_best_wrong", margin, g.read(t, key+".ld_best_wrong").Reshape(p.Shape...), plainBound, plainBound)
	if !reflect.DeepEqual(top, g.ints(t, key+".argmax_number")) || !reflect.DeepEqual(topAny, g.ints(t, key+".argmax_vocab")) {
		t.Errorf("%s: top tokens differ", key)
	}
	modeltest.Close(t, key+".accuracy", accuracy, g.read(t, key+".accuracy").Reshape(len(out)), 1e-6, 0)
	modeltest.Close(t, key+".agreement_with_base", agreement, g.read(t, key+".agreement_with_base").Reshape(len(out)), 1e-6, 0)
	modeltest.Close(t, key+".recovered_accuracy", kept, g.read(t, key+".recovered_accuracy").Reshape(len(out)), 1e-6, 0)
}

// checkBase compares the runs without edits.
func (g golden) checkBase(t *testing.T, a *ablate.AllForOne, key string) {
	t.Helper()
	if g.part {
		return
	}
	g.checkOutcomes(t, a, apply(t, a, []ablate.Recipe{{Wait: -1, Mode: ablate.WaitFree, Transfer: ablate.NoMasks}}), key)
	if g.has(t, key+".argmax_number") && !reflect.DeepEqual(a.Base.Top, g.ints(t, key+".argmax_number")) {
		t.Errorf("%s: the base runs answer %v", key, a.Base.Top)
	}
}

// checkTokens compares the prompts that results are of with those of the list.
func (g golden) checkTokens(t *testing.T, prompts []ablate.Prompt, key string) {
	t.Helper()
	var ids, answers []int
	for _, p := range prompts {
		ids, answers = append(ids, p.IDs...), append(answers, p.Answer)
	}
	if !reflect.DeepEqual(ids, g.ints(t, key+".tokens")) || !reflect.DeepEqual(answers, g.ints(t, key+".answer")) {
		t.Fatalf("%s: the prompts or their answers are others", key)
	}
}

// TestTableGolden compares every mean, standard error and count.
func TestTableGolden(t *testing.T) {
	eachGolden(t, "03_cama_tables.safetensors", func(t *testing.T, g golden) {
		for set, valid := range map[string]bool{"all": false, "valid": true} {
			table := g.table(t, valid)
			if table.First != 1 {
				t.Fatalf("the first varying position is %d, want 1", table.First)
			}
			for _, op := range []string{"plus", "minus"} {
				if tokens := table.Tokens(op, table.First); tokens != nil {
					t.Errorf("there are means of %d tokens at the first varying position, where nothing is replaced", len(tokens))
				}
				for name, pos := range map[string]int{"operator": 2, "second": 3, "equals": 4} {
					key := op + "." + set + "." + name
					if !g.has(t, key+".values") {
						continue
					}
					tokens := g.ints(t, key+".values")
					if !reflect.DeepEqual(table.Tokens(op, pos), tokens) {
						t.Errorf("%s has means of %v, want %v", key, table.Tokens(op, pos), tokens)
						continue
					}
					g.checkMeans(t, table, op, pos, tokens, key)
				}
				if !g.has(t, op+"."+set+".global_mean") {
					continue
				}
				global, err := table.Global(op)
				if err != nil {
					t.Fatal(err)
				}
				modeltest.Close(t, op+" global mean", global.Mean, g.read(t, op+"."+set+".global_mean"), plainBound, plainBound)
				places := g.read(t, op+"."+set+".positional_mean")
				for pos := range table.T {
					place, err := table.Place(op, pos)
					if err != nil {
						t.Fatal(err)
					}
					for l := range table.Layers {
						modeltest.Close(t, fmt.Sprint(op, " mean at ", pos, " behind block ", l), place.Mean.Sub(l), places.Sub(l, pos), plainBound, plainBound)
					}
				}
			}
		}
	})
}

func (g golden) checkMeans(t *testing.T, table *ablate.Table, group string, pos int, tokens []int, key string) {
	t.Helper()
	want := g.read(t, key+".mean")
	mean, sem := tensor.New(want.Shape...), tensor.New(want.Shape...)
	var counts []int
	for i, token := range tokens {
		own, err := table.Own(group, pos, token)
		if err != nil {
			t.Fatal(err)
		}
		copy(mean.Sub(i).Data, own.Mean.Data)
		copy(sem.Sub(i).Data, own.SEM.Data)
		counts = append(counts, own.Count)
	}
	modeltest.Close(t, key+".mean", mean, want, plainBound, plainBound)
	if !reflect.DeepEqual(counts, g.ints(t, key+".count")) {
		t.Errorf("%s: counts %v", key, counts)
	}
	if _, ok := g.values.Info(key + ".sem"); ok {
		modeltest.Close(t, key+".sem", sem, g.read(t, key+".sem"), plainBound, plainBound)
	}
}

// TestPeekMaskGolden compares the masks, for 5 and 7 tokens, and the variants of
// what the last token may read.
func TestPeekMaskGolden(t *testing.T) {
	eachGolden(t, "03_cama.safetensors", func(t *testing.T, g golden) {
		check := func(name string, T int, peek ablate.Peek, open []int, want []int) {
			t.Helper()
			removed, err := ablate.PeekMask(T, 1, peek, open)
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range want {
				if removed[i/T][i%T] != (w == 1) {
					t.Errorf("%s: query %d, key %d: removed is %t", name, i/T, i%T, removed[i/T][i%T])
				}
			}
		}
		check("all", 5, ablate.PeekAll, nil, g.ints(t, "abp.full_removed"))
		check("none", 5, ablate.PeekNone, nil, g.ints(t, "abp.self_removed"))
		check("all of 7", 7, ablate.PeekAll, nil, g.ints(t, "abp.full_removed_T7"))
		check("none of 7", 7, ablate.PeekNone, nil, g.ints(t, "abp.self_removed_T7"))
		if !g.has(t, "peek_variants_w0_P1.removed") {
			return
		}
		removed := g.ints(t, "peek_variants_w0_P1.removed")
		for i, v := range []struct {
			peek ablate.Peek
			open []int
		}{{ablate.PeekAll, nil}, {ablate.PeekOperands, []int{1, 3}}, {ablate.PeekOperators, []int{2}}, {ablate.PeekChosen, []int{1}}, {ablate.PeekChosen, []int{3}}, {ablate.PeekEveryone, nil}, {ablate.PeekNone, nil}} {
			check(fmt.Sprint("variant ", i), 5, v.peek, append([]int{4}, v.open...), removed[25*i:25*i+25])
		}
	})
}

// TestAllForOneGolden compares CAMA at every block, the (wait, transfer) grid with
// and without CAMA and with free compute blocks, what the last token peeks at,
// edge removal and the baselines.
func TestAllForOneGolden(t *testing.T) {
	eachGolden(t, "03_cama.safetensors", func(t *testing.T, g golden) {
		for set, valid := range map[string]bool{"all": false, "valid": true} {
			a := g.start(t, valid)
			g.checkOutcomes(t, a, apply(t, a, ablate.WaitSweep(g.model, ablate.WaitCAMA)), "cama."+set)
		}
		a := g.start(t, false)
		g.checkBase(t, a, "base")
		if !g.part {
			g.checkTokens(t, a.Prompts, "af1")
			if _, partners := g.taskPrompts(t, g.prompts["af1"]); !reflect.DeepEqual(partners, g.ints(t, "af1.partner")) {
				t.Fatal("the partners are others")
			}
		}
		L := g.model.Config.Layers
		grid := ablate.WindowGrid(g.model, ablate.WaitCAMA)
		for i, r := range grid {
			if at := g.ints(t, "abp.grid"); at[2*i] != r.Wait || at[2*i+1] != r.Transfer {
				t.Fatalf("cell %d is %d,%d, want %v", i, r.Wait, r.Transfer, at[2*i:2*i+2])
			}
		}
		g.checkOutcomes(t, a, apply(t, a, grid), "af1.cama")
		g.checkOutcomes(t, a, apply(t, a, ablate.WindowGrid(g.model, ablate.WaitFree)), "af1.none")
		for i := range grid {
			grid[i].FreeCompute = true
		}
		g.checkOutcomes(t, a, apply(t, a, grid), "af1.cama_compute_free")
		var peeks []ablate.Recipe
		for _, r := range []ablate.Recipe{{Peek: ablate.PeekAll}, {Peek: ablate.PeekOperands}, {Peek: ablate.PeekOperators}, {Peek: ablate.PeekChosen, Open: []int{1}}, {Peek: ablate.PeekChosen, Open: []int{3}}, {Peek: ablate.PeekEveryone}, {Peek: ablate.PeekNone}} {
			r.Transfer = 1
			peeks = append(peeks, r)
		}
		g.checkOutcomes(t, a, apply(t, a, peeks), "peek_variants_w0_P1")
		g.checkOutcomes(t, a, apply(t, a, ablate.EdgeRemoval(g.model, false)), "edge_removal.keep_self")
		g.checkOutcomes(t, a, apply(t, a, ablate.EdgeRemoval(g.model, true)), "edge_removal.drop_self")
		var heads, modes, peeking []ablate.Recipe
		for l := range L {
			for h := range g.model.Config.Heads {
				heads = append(heads, ablate.Recipe{Wait: -1, Transfer: ablate.NoMasks, Cut: []ablate.Head{{Layer: l, Head: h}}})
			}
		}
		g.checkOutcomes(t, a, apply(t, a, heads), "head_edge_removal")
		for _, mode := range []ablate.WaitMode{ablate.WaitZero, ablate.WaitGlobal, ablate.WaitPositional, ablate.WaitResample, ablate.WaitIsolated} {
			modes = append(modes, ablate.WaitSweep(g.model, mode)...)
			for w := range L - 1 {
				peeking = append(peeking, ablate.Recipe{Wait: w, Mode: mode, Transfer: 1})
			}
		}
		g.checkOutcomes(t, a, apply(t, a, modes), "wait_modes")
		g.checkOutcomes(t, a, apply(t, a, peeking), "wait_modes_abp_P1")
	})
}

// TestPruneGolden compares the removal of single heads from AF1, by edges and by
// z, and greedy pruning.
func TestPruneGolden(t *testing.T) {
	eachGolden(t, "03_cama.safetensors", func(t *testing.T, g golden) {
		a := g.start(t, false)
		window := g.ints(t, "head_self_peek.w_P")
		r := ablate.Recipe{Wait: window[0], Transfer: window[1]}
		var edges, zero []ablate.Recipe
		for i, h := range r.TransferHeads(g.model) {
			if at := g.ints(t, "head_self_peek.layer_head"); at[2*i] != h.Layer || at[2*i+1] != h.Head {
				t.Fatalf("head %d is %v, want %v", i, h, at[2*i:2*i+2])
			}
			cut, z := r, r
			cut.Cut, z.ZeroZ = []ablate.Head{h}, []ablate.Head{h}
			edges, zero = append(edges, cut), append(zero, z)
		}
		g.checkOutcomes(t, a, apply(t, a, edges), "head_self_peek.edge_removal")
		g.checkOutcomes(t, a, apply(t, a, zero), "head_self_peek.zero_z")
		p, err := a.Prune(context.Background(), r, ablate.ScoreLogProb, func([]ablate.Head, ablate.Outcome) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		var order []int
		for _, h := range p.Removed {
			order = append(order, h.Layer, h.Head)
		}
		if want := g.ints(t, "greedy_pruning.order"); !reflect.DeepEqual(order, want) {
			t.Errorf("removed %v, want %v", order, want)
		}
		want := g.read(t, "greedy_pruning.mean_logp_base_prediction")
		got := tensor.New(want.Shape...)
		for i, o := range p.Steps {
			got.Data[i] = float32(ablate.Summarise(o.LogPBase).Mean)
		}
		modeltest.Close(t, "pruning", got, want, plainBound, plainBound)
		if kept := p.Kept(g.model, len(p.Removed)-1); len(kept) != 1 || kept[0] != p.Removed[len(p.Removed)-1] {
			t.Errorf("the last head kept is %v", kept)
		}
	})
}

// TestThreeOperandsGolden compares CAMA and AF1 with three operands.
func TestThreeOperandsGolden(t *testing.T) {
	eachGolden(t, "03_cama.safetensors", func(t *testing.T, g golden) {
		var three map[string]json.RawMessage
		if err := json.Unmarshal(g.prompts["three"], &three); err != nil {
			t.Fatal(err)
		}
		for name, operators := range map[string][]int{"plus_plus": {51, 51}, "plus_minus": {51, 52}} {
			prompts, _ := g.taskPrompts(t, three[name])
			for set, valid := range map[string]bool{"all": false, "valid": true} {
				if valid && g.part {
					continue // 5,000 contexts more for the same
				}
				table, err := ablate.CAMATable(context.Background(), g.model, contexts(valid, operators...))
				if err != nil {
					t.Fatal(err)
				}
				a, err := ablate.StartAllForOne(context.Background(), g.model, prompts, table, ablate.AllForOneOptions{Among: numbers()})
				if err != nil {
					t.Fatal(err)
				}
				g.checkOutcomes(t, a, apply(t, a, ablate.WaitSweep(g.model, ablate.WaitCAMA)), "three."+name+".cama."+set)
				if !valid {
					g.checkBase(t, a, "three."+name+".base")
					if !g.part {
						g.checkTokens(t, a.Prompts, "three."+name)
					}
					g.checkOutcomes(t, a, apply(t, a, ablate.WindowGrid(g.model, ablate.WaitCAMA)), "three."+name+".af1")
				}
			}
		}
	})
}

// TestAttentionGolden compares the last token's patterns under masks alone.
func TestAttentionGolden(t *testing.T) {
	eachGolden(t, "03_cama.safetensors", func(t *testing.T, g golden) {
		prompts, _ := g.taskPrompts(t, g.prompts["af1"])
		a, err := ablate.StartAllForOne(context.Background(), g.model, prompts[:1], g.table(t, false), ablate.AllForOneOptions{Among: numbers()})
		if err != nil {
			t.Fatal(err)
		}
		var heads []ablate.Head
		for l := range g.model.Config.Layers {
			for h := range g.model.Config.Heads {
				heads = append(heads, ablate.Head{Layer: l, Head: h})
			}
		}
		rows, err := a.Attention(context.Background(), ablate.Recipe{Wait: 0, Mode: ablate.WaitFree, Transfer: 1}, heads)
		if err != nil {
			t.Fatal(err)
		}
		want := g.read(t, "abp.pattern_w0_P1_prompt0")
		for i, h := range heads {
			got := tensor.New(5)
			for k, s := range rows[i] {
				got.Data[k] = float32(s.Mean)
			}
			modeltest.Close(t, "pattern of head "+h.String(), got, want.Sub(h.Layer, h.Head, 4), plainBound, plainBound)
		}
	})
}

func TestAllForOneRefuses(t *testing.T) {
	g := toy(t)
	a := g.start(t, false)
	for _, test := range []struct {
		name   string
		recipe ablate.Recipe
		want   string
	}{
		{"beyond the layers", ablate.Recipe{Wait: 1, Transfer: 2}, "blocks 0..1 wait and 2 transfer, and the model has 3"},
		{"wait outside", ablate.Recipe{Wait: 3, Transfer: ablate.NoMasks}, "wait 3 is outside -1..2"},
		{"no such head", ablate.Recipe{Cut: []ablate.Head{{Layer: 1, Head: 3}}}, "head 1.3 does not exist"},
		{"no such layer", ablate.Recipe{CutLayers: []int{5}}, "layer 5 is outside 0..2"},
		{"unknown mode", ablate.Recipe{Mode: "mean"}, `"mean"`},
		{"unknown peek", ablate.Recipe{Transfer: 1, Peek: "some"}, `"some"`},
		{"nothing chosen", ablate.Recipe{Transfer: 1, Peek: ablate.PeekChosen}, "needs the positions"},
		{"chosen outside", ablate.Recipe{Transfer: 1, Peek: ablate.PeekChosen, Open: []int{5}}, "position 5 is outside 0..4"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := a.Apply(context.Background(), []ablate.Recipe{test.recipe}, false, func(int, ablate.Outcome) error { return nil })
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v does not say %q", err, test.want)
			}
		})
	}
	prompts, _ := g.taskPrompts(t, g.prompts["af1"])
	strange := append([]ablate.Prompt(nil), prompts...)
	strange[3].IDs = []int{50, 1, 51, 33, 53} // an operand that no context has
	b, err := ablate.StartAllForOne(context.Background(), g.model, strange, a.Table, ablate.AllForOneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Apply(context.Background(), ablate.WaitSweep(g.model, ablate.WaitCAMA), false, func(int, ablate.Outcome) error { return nil }); err == nil || !strings.Contains(err.Error(), "token 33 at position 3") {
		t.Errorf("a token without a mean: %v", err)
	}
	if _, err := ablate.StartAllForOne(context.Background(), g.model, prompts, a.Table, ablate.AllForOneOptions{Among: []int{1, 2}}); err == nil || !strings.Contains(err.Error(), "not among") {
		t.Errorf("an answer outside the choice: %v", err)
	}
	if _, err := ablate.CAMATable(context.Background(), g.model, prompts[:1]); err == nil || !strings.Contains(err.Error(), "nothing to average") {
		t.Errorf("a table of one context: %v", err)
	}
}
