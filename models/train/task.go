package train

import (
	"fmt"
	"slices"
	"strings"

	"orrery/models/nearest"
)

// Example is one prompt with its exact answer.
type Example struct {
	IDs    []int // token ids of the prompt, [T]; T is the same in all of a task
	Answer int   // id of the token that must follow
	Group  int   // what a split keeps together: examples of one group are never divided
}

// Task is a finite set of prompts with exact answers.
type Task struct {
	Name      string
	Data      string    // what the prompts are, one sentence for the model's card
	Split     string    // what a group is, one sentence for the card
	Tokens    []string  // the vocabulary, by id
	Tokenizer []byte    // its tokenizer.json
	Examples  []Example // in a fixed order
}

// Tasks returns every task that a recipe can name.
func Tasks() []Task { return []Task{mental2op()} }

// FindTask returns the task of that name; an unknown one is an error that lists the names.
func FindTask(name string) (Task, error) {
	tasks := Tasks()
	var names []string
	for _, t := range tasks {
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	return Task{}, fmt.Errorf("unknown task %q; there is %s", name, strings.Join(nearest.Names(name, names, len(names)), ", "))
}

// Held divides the task's examples into those to learn from and those held out.
// Groups are shuffled by the seed; the first round(share·groups) of them are
// held out, all of their examples with them. The order of examples is kept.
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
	return learn, held
}
