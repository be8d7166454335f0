package ablate_test

import (
	"context"
	"reflect"
	"testing"

	"orrery/ablate"
)

// TestFirstContrastsAreContrasts compares them with all contrasts, for a model that
// is always right, for one that is so of some prompts only, so that partners are drawn
// again, for partners that do not exist, and for a list.
func TestFirstContrastsAreContrasts(t *testing.T) {
	m := mental(t)
	ctx := context.Background()
	plus := func(aLo, aHi, bHi int) ablate.Template {
		return ablate.Template{Text: "{a}+{b}=", Operands: []ablate.Range{{Name: "a", Lo: aLo, Hi: aHi}, {Name: "b", Lo: 0, Hi: bHi}}}
	}
	right := promptSet(t, m, plus(0, 100, 100), ablate.SetOptions{N: 300, Seed: 1, Keep: ablate.KeepCorrect})
	list, err := ablate.PromptList(ctx, m, right.Prompts, ablate.KeepAll)
	if err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]*ablate.PromptSet{
		"right": right, "listed": list,
		"few right": promptSet(t, m, plus(95, 130, 60), ablate.SetOptions{Keep: ablate.KeepCorrect}),
		"nearly":    promptSet(t, m, plus(90, 101, 100), ablate.SetOptions{Keep: ablate.KeepCorrect}),
		"alone":     promptSet(t, m, plus(3, 4, 50), ablate.SetOptions{Keep: ablate.KeepCorrect}),
	} {
		for _, operand := range []int{-1, 0, 1} {
			all, err := ablate.Contrasts(ctx, m, set, ablate.ChangeOperand, operand, 7)
			if err != nil { // no partner at all
				if _, _, again := ablate.FirstContrasts(ctx, m, set, ablate.ChangeOperand, operand, 7, 9, func(ablate.Contrast) bool { return true }); again == nil || again.Error() != err.Error() {
					t.Errorf("%s, operand %d: error %v, want %v", name, operand, again, err)
				}
				continue
			}
			for _, n := range []int{1, 20, 1000} {
				wanted := func(c ablate.Contrast) bool { return c.Corrupted.Operands[0]%3 == 0 }
				var want []ablate.Contrast
				for _, c := range all.Contrasts {
					if wanted(c) && len(want) < n {
						want = append(want, c)
					}
				}
				got, looked, err := ablate.FirstContrasts(ctx, m, set, ablate.ChangeOperand, operand, 7, n, wanted)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got, want) || looked > len(all.Contrasts) || len(got) < n && looked != len(all.Contrasts) {
					t.Errorf("%s, operand %d: %d of the first %d, looked at %d of %d; they are not those of all contrasts (%d)", name, operand, len(got), n, looked, len(all.Contrasts), len(want))
				}
			}
		}
	}
}
