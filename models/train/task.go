package train

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"orrery/models/nearest"
)

// Example is one prompt with its exact answers.
type Example struct {
	IDs     []int // token ids of the prompt, [T]; T is the same in all of a task
	Answers []int // ids of the tokens that must follow the last of IDs, one each; as many in all of a task
	Group   int   // what a split keeps together: examples of one group are never divided
}

// Task is a finite set of prompts with exact answers.
type Task struct {
	Name      string
	Data      string    // what the prompts are, one sentence for the model's card
	Split     string    // what a group is, one sentence for the card
	Tokens    []string  // the vocabulary, by id
	Tokenizer []byte    // its tokenizer.json
	Examples  []Example // in a fixed order
	Besides   []Example // of other prompts, learned from besides unless their group is held out; never measured
}

// tasks returns what makes each task that a recipe can name.
func tasks() map[string]func() Task {
	return map[string]func() Task{
		"add-5digit": addDigits,
		"mental-2op": mental2op,
		"mental-3op": mental3op,
		"modadd-113": func() Task { return modularAddition(113, true) },
		"modadd-59":  func() Task { return modularAddition(59, false) },
	}
}

// FindTask returns the task of that name; an unknown one is an error that lists the names.
func FindTask(name string) (Task, error) {
	all := tasks()
	of, ok := all[name]
	if !ok {
		names := slices.Sorted(maps.Keys(all))
		return Task{}, fmt.Errorf("unknown task %q; there is %s", name, strings.Join(nearest.Names(name, names, len(names)), ", "))
	}
	return of(), nil
}

// Held divides the task's examples into those to learn from and those held out.
// Groups are shuffled by the seed; the first round(share·groups) of them are
// held out, all of their examples with them. The order of examples is kept, and
// Besides stand behind those to learn from.
func (t Task) Held(share float64, seed uint64) (learn, held []Example) {
	var groups []int
	for _, e := range t.Examples {
		groups = append(groups, e.Group)
	}
	slices.Sort(groups)
	groups = slices.Compact(groups)
	n := int(share*float64(len(groups)) + 0.5)
	out := make(map[int]bool, n)
	for _, i := range permutation(len(groups), seed, streamSplit)[:n] {
		out[groups[i]] = true
	}
	for _, e := range t.Examples {
		if out[e.Group] {
			held = append(held, e)
		} else {
			learn = append(learn, e)
		}
	}
	for _, e := range t.Besides {
		if !out[e.Group] {
			learn = append(learn, e)
		}
	}
	return learn, held
}
