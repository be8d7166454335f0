package train_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/tokenizer"
	"orrery/models/train"
)

func mental(t *testing.T) train.Task {
	t.Helper()
	task, err := train.FindTask("mental-2op")
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// Every prompt's text is read back, calculated and compared with its answer.
func TestMentalAnswersAreExact(t *testing.T) {
	task := mental(t)
	if len(task.Tokens) != 203 {
		t.Errorf("%d tokens, want 203", len(task.Tokens))
	}
	seen := make(map[string]bool)
	count := make(map[string]int)
	for _, e := range task.Examples {
		var words []string
		for _, id := range e.IDs {
			words = append(words, task.Tokens[id])
		}
		text := strings.Join(words, " ")
		a, errA := strconv.Atoi(words[1])
		b, errB := strconv.Atoi(words[3])
		if len(words) != 5 || words[0] != "<bos>" || words[4] != "=" || errA != nil || errB != nil || a < 0 || a > 99 || b < 0 || b > 99 {
			t.Fatalf("prompt %q", text)
		}
		want := a + b
		if words[2] == "-" {
			want = a - b
		} else if words[2] != "+" {
			t.Fatalf("prompt %q", text)
		}
		if got := task.Tokens[e.Answers[0]]; got != strconv.Itoa(want) {
			t.Errorf("%q is answered by %q, want %d", text, got, want)
		}
		if seen[text] {
			t.Errorf("%q occurs twice", text)
		}
		seen[text] = true
		count[words[2]]++
	}
	// 100² sums; of the differences those with a ≥ b, 100·101/2.
	if count["+"] != 10000 || count["-"] != 5050 {
		t.Errorf("%d sums and %d differences, want 10000 and 5050", count["+"], count["-"])
	}
}

// The shipped tokenizer must give the ids that the model is trained on, with and
// without spaces.
func TestMentalTokenizer(t *testing.T) {
	task := mental(t)
	tok, err := tokenizer.Parse(task.Tokenizer, nil)
	if err != nil {
		t.Fatal(err)
	}
	if tok.Size() != len(task.Tokens) {
		t.Errorf("tokenizer of %d tokens, want %d", tok.Size(), len(task.Tokens))
	}
	for i, e := range task.Examples {
		if i%7 != 0 {
			continue
		}
		var words []string
		for _, id := range e.IDs[1:] {
			words = append(words, task.Tokens[id])
		}
		for _, sep := range []string{"", " ", "  "} {
			text := strings.Join(words, sep)
			enc, err := tok.Encode(text, true)
			if err != nil || !slices.Equal(enc.IDs, e.IDs) {
				t.Fatalf("%q: ids %v (%v), want %v", text, enc.IDs, err, e.IDs)
			}
		}
	}
	if id, ok := tok.BOS(); ok && id != 0 {
		t.Errorf("bos is %d, want 0", id)
	}
	for _, text := range []string{"34*2=", "199+1=", "7++x="} {
		if enc, err := tok.Encode(text, true); err == nil {
			t.Errorf("%q was encoded as %v", text, enc.IDs)
		}
	}
}

func TestHeldOutSplit(t *testing.T) {
	task := mental(t)
	learn, held := task.Held(0.2, 1)
	if len(learn)+len(held) != len(task.Examples) {
		t.Fatalf("%d + %d prompts of %d", len(learn), len(held), len(task.Examples))
	}
	pair := func(e train.Example) [2]int {
		return [2]int{min(e.IDs[1], e.IDs[3]), max(e.IDs[1], e.IDs[3])}
	}
	outside := make(map[[2]int]int)
	for _, e := range held {
		outside[pair(e)]++
	}
	// 5050 unordered pairs; a fifth of them is 1010. Each has three prompts
	// (two sums, one difference), two when a = b.
	if len(outside) != 1010 {
		t.Errorf("%d pairs held out, want 1010", len(outside))
	}
	for p, n := range outside {
		if want := 3; n != want && !(p[0] == p[1] && n == 2) {
			t.Errorf("pair %v: %d prompts held out, want all %d", p, n, want)
		}
	}
	for _, e := range learn {
		if outside[pair(e)] > 0 {
			t.Fatalf("pair %v is on both sides", pair(e))
		}
	}
	_, again := task.Held(0.2, 1)
	_, other := task.Held(0.2, 2)
	same := func(a, b train.Example) bool { return slices.Equal(a.IDs, b.IDs) }
	if !slices.EqualFunc(held, again, same) {
		t.Error("the same seed gives another split")
	}
	if slices.EqualFunc(held, other, same) {
		t.Error("another seed gives the same split")
	}
}

func TestRecipes(t *testing.T) {
	for _, r := range train.Recipes() {
		if err := r.Validate(); err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
		if found, err := train.Find(r.Name); err != nil || found.Name != r.Name {
			t.Errorf("%s: not found: %v", r.Name, err)
		}
	}
	if _, err := train.Find("mental"); err == nil || !strings.Contains(err.Error(), "mental-2op") {
		t.Errorf("unknown recipe: got %v, want the names there are", err)
	}
	if _, err := train.FindTask("mental"); err == nil || !strings.Contains(err.Error(), "mental-2op") {
		t.Errorf("unknown task: got %v, want the names there are", err)
	}
}

// An answer that is held out with all of its prompts is a token that the model
// never sees as an answer: no training could get those prompts right.
func TestEveryHeldOutAnswerIsLearned(t *testing.T) {
	for _, r := range train.Recipes() {
		task, err := train.FindTask(r.Task)
		if err != nil {
			t.Fatal(err)
		}
		learn, held := task.Held(r.HeldOut, r.Seed)
		learned := make(map[int]bool)
		for _, e := range learn {
			learned[e.Answers[0]] = true
		}
		for _, e := range held {
			if !learned[e.Answers[0]] {
				t.Errorf("%s: seed %d holds out every prompt whose answer is %q", r.Name, r.Seed, task.Tokens[e.Answers[0]])
			}
		}
	}
}

func TestRecipeValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*train.Recipe)
		says   []string
	}{
		{"no steps", func(r *train.Recipe) { r.Steps = 0 }, []string{"steps is 0"}},
		{"two fields", func(r *train.Recipe) { r.Batch, r.Beta2 = -1, 1 }, []string{"batch is -1", "beta2 is 1"}},
		{"task", func(r *train.Recipe) { r.Task = "mental-9op" }, []string{"mental-9op", "mental-2op"}},
		{"vocabulary", func(r *train.Recipe) { r.Model.Vocab = 200 }, []string{"vocab of the model is 200", "203"}},
		{"context", func(r *train.Recipe) { r.Model.Context = 4 }, []string{"context of the model is 4", "5 tokens"}},
		{"model", func(r *train.Recipe) { r.Model.KVHeads = 3 }, []string{"kv_heads 3"}},
		{"first weights", func(r *train.Recipe) { r.Init, r.Zero = "xavier", []string{"blocks.0.attn.x.weight"} }, []string{`init is "xavier"`, "blocks.0.attn.x.weight", "blocks.0.attn.q.weight"}},
		{"checkpoints", func(r *train.Recipe) { r.Checkpoints = []int{0, 10, 10, 9000} }, []string{"checkpoints has 10 behind 10", "checkpoints has 9000 behind 10", "0..8000"}},
		{"edits without a share", func(r *train.Recipe) {
			r.Edits = []models.Edit{{Site: "blocks.0.attn.hook_attn_scores", Queries: []int{2}, Keys: []int{1}, Op: models.Mask}}
		}, []string{"edited is 0", "1 edits"}},
		{"a share without edits", func(r *train.Recipe) { r.Edited = 0.5 }, []string{"edited is 0.5 without edits"}},
		{"edits of another model", func(r *train.Recipe) {
			r.Edits, r.Edited = []models.Edit{{Site: "blocks.9.attn.hook_attn_scores", Rows: []int{1}, Op: models.Mask}}, 1
		}, []string{"edit 0 has rows [1]", "blocks.9"}},
		{"nothing held out", func(r *train.Recipe) { r.HeldOut = 1 }, []string{"held_out is 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := train.Recipes()[0]
			c.change(&r)
			err := r.Validate()
			for _, word := range c.says {
				if err == nil || !strings.Contains(err.Error(), word) {
					t.Errorf("got %v, want an error with %q", err, word)
				}
			}
		})
	}
}
