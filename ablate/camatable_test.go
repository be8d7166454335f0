package ablate_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// TestThreeOperandTablesGolden compares the means of three operands, whose
// conditioning is on the own token whatever stands before it.
func TestThreeOperandTablesGolden(t *testing.T) {
	eachReference(t, "03_cama_tables.safetensors", func(t *testing.T, g golden) {
		for name, operators := range map[string][]int{"plus_plus": {51, 51}, "plus_minus": {51, 52}} {
			for set, valid := range map[string]bool{"all": false, "valid": true} {
				table, err := ablate.CAMATable(context.Background(), g.model, contexts(valid, operators...))
				if err != nil {
					t.Fatal(err)
				}
				group := operatorName(operators[0]) + operatorName(operators[1])
				for pos := 2; pos < 7; pos++ {
					key := fmt.Sprintf("three.%s.%s.pos%d", name, set, pos)
					tokens := g.ints(t, key+".values")
					if !reflect.DeepEqual(table.Tokens(group, pos), tokens) {
						t.Errorf("%s has means of %v, want %v", key, table.Tokens(group, pos), tokens)
						continue
					}
					g.checkMeans(t, table, group, pos, tokens, key)
				}
			}
		}
	})
}

// TestReplacementGolden compares what CAMA puts into the first two prompts of each
// operator.
func TestReplacementGolden(t *testing.T) {
	eachReference(t, "03_cama.safetensors", func(t *testing.T, g golden) {
		for set, valid := range map[string]bool{"all": false, "valid": true} {
			a := g.start(t, valid)
			want := g.read(t, "cama."+set+".replacement_first4")
			got := tensor.New(want.Shape...)
			half := len(a.Prompts) / 2
			for i, row := range []int{0, 1, half, half + 1} {
				p := a.Prompts[row]
				for pos := 2; pos < len(p.IDs); pos++ {
					own, err := a.Table.Own(p.Group, pos, p.IDs[pos])
					if err != nil {
						t.Fatal(err)
					}
					for w := range a.Table.Layers {
						copy(got.Sub(w, i, pos-2).Data, own.Mean.Sub(w).Data)
					}
				}
			}
			modeltest.Close(t, "cama."+set+".replacement", got, want, plainBound, plainBound)
		}
	})
}

// bySecond splits the groups of prompts by their second operand, so that the means
// of a group are conditioned on it besides.
func bySecond(prompts []ablate.Prompt) (out []ablate.Prompt) {
	for _, p := range prompts {
		p.Group = secondGroup(p)
		out = append(out, p)
	}
	return out
}

func secondGroup(p ablate.Prompt) string { return fmt.Sprint(p.Group, " ", p.IDs[3]) }

// scriptTables are the means over contexts with results within 0..49: by the
// definition, and of groups that are split by the second operand.
func (g golden) scriptTables(t *testing.T) (own, second *ablate.Table) {
	t.Helper()
	second, err := ablate.CAMATable(context.Background(), g.model, bySecond(append(contexts(true, 51), contexts(true, 52)...)))
	if err != nil {
		t.Fatal(err)
	}
	return g.table(t, true), second
}

// TestScriptTableGolden compares the released script's way of storing the
// operator's means, by the second operand. Where results are filtered that is
// another condition than the definition's, since the second operand then says
// something of the first: the reference says by how much.
func TestScriptTableGolden(t *testing.T) {
	eachReference(t, "03_cama_tables.safetensors", func(t *testing.T, g golden) {
		own, second := g.scriptTables(t)
		for op, token := range map[string]int{"plus": 51, "minus": 52} {
			mean, err := own.Own(op, 2, token)
			if err != nil {
				t.Fatal(err)
			}
			want := g.read(t, op+".valid.operator_by_second.mean")
			got, worst := tensor.New(want.Shape...), 0.0
			for b := range want.Dim(0) {
				x, err := second.Place(secondGroup(task([]int{50, 0, token, b, 53}, 0)), 2)
				if err != nil {
					t.Fatal(err)
				}
				copy(got.Sub(b).Data, x.Mean.Data)
				for i, v := range x.Mean.Data {
					worst = max(worst, math.Abs(float64(v)-float64(mean.Mean.Data[i])))
				}
			}
			modeltest.Close(t, op+" by the second operand", got, want, plainBound, plainBound)
			modeltest.Close(t, op+" largest deviation", vector([]float64{worst}), g.read(t, op+".valid.operator_conditioned_on_B_max_deviation"), plainBound, plainBound)
		}
	})
}

// TestScriptRunGolden compares what the model answers when the operator's mean is
// the released script's, put in by hand at the operator, the second operand and
// the equals sign.
func TestScriptRunGolden(t *testing.T) {
	eachReference(t, "03_cama.safetensors", func(t *testing.T, g golden) {
		own, second := g.scriptTables(t)
		a := g.start(t, true)
		prob, margin := metric(t, "prob"), metric(t, "margin")
		var out []ablate.Outcome
		for w := range g.model.Config.Layers {
			var o ablate.Outcome
			for row, p := range a.Prompts {
				at, err := second.Place(secondGroup(p), 2)
				if err != nil {
					t.Fatal(err)
				}
				into := tensor.New(3, g.model.Config.Width)
				copy(into.Sub(0).Data, at.Mean.Sub(w).Data)
				for pos := 3; pos < 5; pos++ {
					if at, err = own.Own(p.Group, pos, p.IDs[pos]); err != nil {
						t.Fatal(err)
					}
					copy(into.Sub(pos-2).Data, at.Mean.Sub(w).Data)
				}
				r := ablate.Readout{Run: g.under(t, p.IDs, models.Edit{Site: fmt.Sprintf("blocks.%d.hook_resid_post", w), Positions: []int{2, 3, 4}, Op: models.Set, Value: models.Tensor(into)}), Answer: p.Answer, Among: numbers()}
				o.Logits = append(o.Logits, r.Run)
				o.Top, o.TopAny = append(o.Top, r.Top()), append(o.TopAny, models.Argmax(r.Run))
				o.P, o.Margin = append(o.P, prob.Of(r)), append(o.Margin, margin.Of(r))
				o.LogPBase = append(o.LogPBase, models.LogProbs(r.Run)[a.Base.Top[row]])
			}
			out = append(out, o)
		}
		g.checkOutcomes(t, a, out, "cama.script_literal_valid")
	})
}

// under is the logits behind a prompt's last token under an edit.
func (g golden) under(t *testing.T, ids []int, edit models.Edit) []float32 {
	t.Helper()
	hooks, err := g.model.Edits(edit)
	if err != nil {
		t.Fatal(err)
	}
	in, err := models.Rows([][]int{ids})
	if err != nil {
		t.Fatal(err)
	}
	out, err := g.model.Run(context.Background(), in, hooks...)
	if err != nil {
		t.Fatal(err)
	}
	return out.Logits.Sub(0, len(ids)-1).Data
}

// TestTableInParts: the means behind the first blocks, made alone, are those of the
// whole table to the bit; what is not made is NaN, and no recipe may put it in.
func TestTableInParts(t *testing.T) {
	m, prompts, whole := copyTask(t)
	table, err := ablate.NewTable(m, prompts)
	if err != nil {
		t.Fatal(err)
	}
	a, err := ablate.StartAllForOne(t.Context(), m, prompts, table, ablate.AllForOneOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	full, err := ablate.StartAllForOne(t.Context(), m, prompts, whole, ablate.AllForOneOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	L := m.Config.Layers
	p, last := prompts[0], len(prompts[0].IDs)-1
	for _, n := range []int{1, L, L} { // behind the last, recipes meet means that were read before
		for wait := range L {
			recipe := []ablate.Recipe{{Wait: wait, Transfer: 0}}
			emit := func(int, ablate.Outcome) error { return nil }
			got, _, err := a.Apply(t.Context(), recipe, false, emit)
			if wait >= table.Filled() {
				if err == nil {
					t.Errorf("a recipe that waits to block %d went through with a table of %d", wait, table.Filled())
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			want, _, err := full.Apply(t.Context(), recipe, false, emit)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("wait %d with a table of %d: %v, want %v", wait, table.Filled(), got, want)
			}
		}
		if err := table.Fill(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		part, err := table.Own(p.Group, last, p.IDs[last])
		if err != nil {
			t.Fatal(err)
		}
		want, err := whole.Own(p.Group, last, p.IDs[last])
		if err != nil {
			t.Fatal(err)
		}
		for l := range L {
			x, y := part.Mean.Sub(l), want.Mean.Sub(l)
			if l < n && !x.EqualBits(y) {
				t.Errorf("block %d of a table of %d differs", l, n)
			}
			if l >= n && x.Data[0] == x.Data[0] {
				t.Errorf("block %d of a table of %d is %g, want NaN", l, n, x.Data[0])
			}
		}
		if e, _ := table.Uncertainty(L - 1); (e == e) != (n == L) {
			t.Errorf("uncertainty of block %d of a table of %d: %g", L-1, n, e)
		}
	}
	if err := table.Fill(t.Context(), L+1); err == nil {
		t.Error("a table of more blocks than there are")
	}
}
