package probe_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"orrery/models"
	"orrery/models/zoo"
	"orrery/probe"
)

// TestReadAnswersIsGeneration: what is read of an answer is what greedy generation
// writes, up to its first error, with its log-probabilities; prompts of two lengths
// and more rows than go together.
func TestReadAnswersIsGeneration(t *testing.T) {
	m := must(zoo.Open("add-5digit"))(t)
	rng := rand.New(rand.NewPCG(3, 1))
	var prompts, answers [][]int
	for i := range 40 {
		a, b := rng.IntN(100000), 99999-rng.IntN(3) // many sums of 9, some too hard
		if i%2 == 1 {
			b = rng.IntN(100000)
		}
		if i == 8 {
			a, b = 99999, 1 // which the shipped model gets wrong
		}
		prompts = append(prompts, must(m.Encode(fmt.Sprintf("%05d+%05d=", a, b)))(t))
		answers = append(answers, must(m.Encode(fmt.Sprintf("%06d", a+b)))(t))
	}
	prompts[7] = append(prompts[7], answers[7][0]) // the rest of an answer is one too
	answers[7] = answers[7][1:]
	read := must(probe.ReadAnswers(context.Background(), m, prompts, answers))(t)
	written := must(m.Generate(context.Background(), prompts, models.GenerateOptions{Tokens: 6}, nil))(t)
	wrong := 0
	for i, r := range read {
		n := len(answers[i])
		if got := slices.Equal(written[i].IDs[:n], answers[i]); got != r.Whole() {
			t.Errorf("prompt %d: %v is written, %v read", i, written[i].IDs, r.Said)
		}
		if !r.Whole() {
			wrong++
		}
		for j := range n {
			if r.Said[j] != written[i].IDs[j] {
				t.Errorf("prompt %d: token %d is %d, written %d", i, j, r.Said[j], written[i].IDs[j])
			}
			if !r.Right[j] {
				break // from here on generation goes on from another text
			}
			within(t, "loss", r.Loss[j], -written[i].LogProbs[j], 1e-12, 0)
		}
	}
	if wrong == 0 {
		t.Error("all 40 are right: nothing that is wrong was read")
	}
	for name, bad := range map[string][2][][]int{"count": {prompts, answers[1:]}, "empty": {{{}}, {{1}}}, "no answer": {{{1}}, {{}}}} {
		if _, err := probe.ReadAnswers(context.Background(), m, bad[0], bad[1]); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}
