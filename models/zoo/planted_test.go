package zoo_test

import (
	"reflect"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/train"
	"orrery/models/zoo"
)

// plantedWait and plantedTransfer are the stages that mental-planted is trained
// to have: blocks 0 to 2 wait, 3 and 4 transfer, 5 computes.
const plantedWait, plantedTransfer = 2, 2

// arithmetic are a task's examples as prompts of package ablate, grouped by
// operator, and its contexts.
func arithmetic(examples []train.Example) (prompts []ablate.Prompt) {
	for _, e := range examples {
		p := ablate.Prompt{IDs: e.IDs, Answer: e.Answers[0], Other: -1, Group: "+"}
		if e.IDs[2] == 2 {
			p.Group = "-"
		}
		p.Roles = []ablate.Role{{Kind: ablate.BOS}, {Kind: ablate.Operand}, {Kind: ablate.Operator}, {Kind: ablate.Operand, Index: 1}, {Kind: ablate.Equals}}
		prompts = append(prompts, p)
	}
	return prompts
}

// faithfulness is that of windows (wait, transfer) of "All for One" on prompts of
// mental-2op's task, with CAMA's means over all of the task.
func faithfulness(t *testing.T, m *models.Model, examples []train.Example, task train.Task, windows ...[2]int) map[[2]int]float64 {
	t.Helper()
	prompts, contexts := arithmetic(examples), arithmetic(task.Examples)
	table, err := ablate.CAMATable(t.Context(), m, contexts)
	if err != nil {
		t.Fatal(err)
	}
	var numbers []int
	for id := 4; id < m.Config.Vocab; id++ {
		numbers = append(numbers, id)
	}
	a, err := ablate.StartAllForOne(t.Context(), m, prompts, table, ablate.AllForOneOptions{Among: numbers})
	if err != nil {
		t.Fatal(err)
	}
	var recipes []ablate.Recipe
	for _, w := range windows {
		recipes = append(recipes, ablate.Recipe{Wait: w[0], Mode: ablate.WaitCAMA, Transfer: w[1]})
	}
	outcomes, _, err := a.Apply(t.Context(), recipes, false, func(int, ablate.Outcome) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	grid := make(map[[2]int]float64)
	for i, o := range outcomes {
		f, err := a.Faithfulness(o)
		if err != nil {
			t.Fatal(err)
		}
		grid[[2]int{recipes[i].Wait, recipes[i].Transfer}] = f.Mean
	}
	return grid
}

// What was planted is found, and nothing beside it: one block less to transfer,
// or one more to wait, and next to nothing is left.
func TestPlantedStagesAreFound(t *testing.T) {
	m, err := zoo.Open("mental-planted")
	if err != nil {
		t.Fatal(err)
	}
	recipe, err := train.Find("mental-planted")
	if err != nil {
		t.Fatal(err)
	}
	task, err := train.FindTask(recipe.Task)
	if err != nil {
		t.Fatal(err)
	}
	_, held := task.Held(recipe.HeldOut, recipe.Seed)
	planted := [2]int{plantedWait, plantedTransfer}
	less, later := [2]int{plantedWait, plantedTransfer - 1}, [2]int{plantedWait + 1, plantedTransfer}
	got := faithfulness(t, m, train.Spread(held, 100), task, planted, less, later)
	if !(got[planted] >= 0.95) || !(got[less] < 0.2) || !(got[later] < 0.2) {
		t.Errorf("faithfulness by (wait, transfer): %v, want %v at least 0.95 and the others below 0.2", got, planted)
	}
}

// The masks that the model is trained under are those of the method.
func TestPlantedMasksAreTheMethods(t *testing.T) {
	recipe, err := train.Find("mental-planted")
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string][5][5]bool)
	for _, e := range recipe.Edits {
		mask := got[e.Site]
		for _, q := range e.Queries {
			for _, k := range e.Keys {
				mask[q][k] = true
			}
		}
		got[e.Site] = mask
	}
	want := make(map[string][5][5]bool)
	for l := range recipe.Model.Layers {
		peek := ablate.PeekNone
		if l > plantedWait && l <= plantedWait+plantedTransfer {
			peek = ablate.PeekAll
		}
		removed, err := ablate.PeekMask(5, 1, peek, nil)
		if err != nil {
			t.Fatal(err)
		}
		var mask [5][5]bool
		for q := range mask {
			mask[q] = [5]bool(removed[q])
		}
		want[models.Site{Layer: l, Kind: models.AttnScores}.String()] = mask
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("masks\n%v\nwant\n%v", got, want)
	}
}
