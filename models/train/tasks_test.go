package train_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"orrery/models/tokenizer"
	"orrery/models/train"
)

func task(t *testing.T, name string) train.Task {
	t.Helper()
	task, err := train.FindTask(name)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// text spells ids.
func text(task train.Task, ids []int, between string) string {
	var words []string
	for _, id := range ids {
		words = append(words, task.Tokens[id])
	}
	return strings.Join(words, between)
}

// encodes checks that a prompt's text gives the ids that are trained on.
func encodes(t *testing.T, task train.Task, prompt string, want []int) {
	t.Helper()
	tok, err := tokenizer.Parse(task.Tokenizer, nil)
	if err != nil {
		t.Fatal(err)
	}
	enc, err := tok.Encode(prompt, true)
	if err != nil || !slices.Equal(enc.IDs, want) {
		t.Fatalf("%q: ids %v (%v), want %v", prompt, enc.IDs, err, want)
	}
}

// Every third prompt of three operands is read back and calculated from left to
// right, and the number of prompts is that of a count over all numbers.
func TestThreeOperandsAreExact(t *testing.T) {
	task := task(t, "mental-3op")
	want := 0
	for i := range 50 * 50 * 50 {
		a, b, c := i/2500, i/50%50, i%50
		for _, r := range []int{a + b + c, a + b - c, a - b + c, a - b - c} {
			if r >= 0 {
				want++
			}
		}
	}
	if len(task.Examples) != want || len(task.Tokens) != 152 {
		t.Errorf("%d prompts of %d tokens, want %d of 152", len(task.Examples), len(task.Tokens), want)
	}
	for i := 0; i < len(task.Examples); i += 3 {
		e := task.Examples[i]
		words := strings.Fields(text(task, e.IDs, " "))
		result, err := strconv.Atoi(words[1])
		for at := 3; at < 6 && err == nil; at += 2 {
			var n int
			n, err = strconv.Atoi(words[at])
			if words[at-1] == "-" {
				n = -n
			}
			result += n
		}
		if err != nil || words[0] != "<bos>" || words[6] != "=" || task.Tokens[e.Answers[0]] != strconv.Itoa(result) {
			t.Fatalf("%v is answered by %q (%v)", words, task.Tokens[e.Answers[0]], err)
		}
		if i%9999 == 0 {
			encodes(t, task, strings.Join(words[1:], ""), e.IDs)
		}
	}
	learn, held := task.Held(0.05, 1)
	triple := func(e train.Example) [3]int {
		x := [3]int{e.IDs[1], e.IDs[3], e.IDs[5]}
		slices.Sort(x[:])
		return x
	}
	outside := map[[3]int]bool{}
	for _, e := range held {
		outside[triple(e)] = true
	}
	if len(outside) != 1105 { // a twentieth of the 50·51·52/6 triples
		t.Errorf("%d triples held out, want 1105", len(outside))
	}
	for _, e := range learn {
		if outside[triple(e)] {
			t.Fatalf("triple %v is on both sides", triple(e))
		}
	}
}

// The sums of digits, those learned from besides too, add up, answer for answer.
func TestDigitSumsAreExact(t *testing.T) {
	task := task(t, "add-5digit")
	nines := func(examples []train.Example) float64 {
		n := 0
		for _, e := range examples {
			for d := range 5 {
				if e.IDs[d]+e.IDs[6+d] == 9 {
					n++
				}
			}
		}
		return float64(n) / float64(5*len(examples))
	}
	for i, e := range slices.Concat(task.Examples, task.Besides) {
		all := text(task, e.IDs, "")
		whole := all[:12] + text(task, e.Answers, "")
		a, errA := strconv.Atoi(whole[:5])
		b, errB := strconv.Atoi(whole[6:11])
		sum, errS := strconv.Atoi(whole[12:])
		if errA != nil || errB != nil || errS != nil || whole[5] != '+' || whole[11] != '=' || len(whole) != 18 || a+b != sum || all != whole[:17] {
			t.Fatalf("example %d: %q, %q", i, all, whole)
		}
		if i%9999 == 0 {
			encodes(t, task, all, e.IDs)
		}
	}
	// Of 500,000 places each: within five standard deviations of 1/10 and of
	// 2/5 + 3/5 · 1/10.
	if x, y := nines(task.Examples), nines(task.Besides); !(x > 0.0978 && x < 0.1022) || !(y > 0.4564 && y < 0.4636) {
		t.Errorf("places that add up to 9: %g of those drawn evenly and %g of the others, want 0.1 and 0.46", x, y)
	}
	learn, held := task.Held(0.05, 1)
	if len(held) != 5000 || len(learn) < 194_990 || len(learn) > 195_000 {
		t.Errorf("%d to learn from and %d held out, want 195000 and 5000", len(learn), len(held))
	}
}
