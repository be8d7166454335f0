package train_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"orrery/models/tensor"
	"orrery/models/tokenizer"
	"orrery/models/train"
	"orrery/models/weights"
)

// Every ordered pair occurs once, and its text, read back, adds up.
func TestModularAnswersAreExact(t *testing.T) {
	for name, p := range map[string]int{"modadd-113": 113, "modadd-59": 59} {
		task, err := train.FindTask(name)
		if err != nil {
			t.Fatal(err)
		}
		tok, err := tokenizer.Parse(task.Tokenizer, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[[2]int]bool{}
		for i, e := range task.Examples {
			a, errA := strconv.Atoi(task.Tokens[e.IDs[0]])
			b, errB := strconv.Atoi(task.Tokens[e.IDs[1]])
			if errA != nil || errB != nil || task.Tokens[e.Answers[0]] != strconv.Itoa((a+b)%p) || seen[[2]int{a, b}] {
				t.Fatalf("%s: example %d: %v answers %q", name, i, e.IDs, task.Tokens[e.Answers[0]])
			}
			seen[[2]int{a, b}] = true
			if i%53 != 0 {
				continue
			}
			var words []string
			for _, id := range e.IDs {
				words = append(words, task.Tokens[id])
			}
			enc, err := tok.Encode(strings.Join(words, " "), true)
			if err != nil || !slices.Equal(enc.IDs, e.IDs) {
				t.Fatalf("%s: %q is encoded as %v (%v), want %v", name, words, enc.IDs, err, e.IDs)
			}
		}
		if len(seen) != p*p {
			t.Errorf("%s: %d pairs, want %d", name, len(seen), p*p)
		}
	}
}

// The first weights of Nanda et al.: standard deviations within five standard
// errors of what they should be, biases 0, and a weight that is to begin at 0.
func TestFirstWeightsOfWidth(t *testing.T) {
	r, err := train.Find("modadd-113")
	if err != nil {
		t.Fatal(err)
	}
	r.Zero = []string{"blocks.0.attn.q.weight"}
	r.Steps, r.Checkpoints = 1, []int{0}
	r.Batch, r.MeasureEvery = 16, 10
	dir := trained(t, r, nil)
	f, err := weights.Open(filepath.Join(dir, train.CheckpointDir, train.CheckpointFile(0)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, name := range f.Names() {
		x, err := f.Float32(name)
		if err != nil {
			t.Fatal(err)
		}
		want := 1 / math.Sqrt(128)
		switch {
		case name == "unembed.weight":
			want = 1 / math.Sqrt(114)
		case strings.HasSuffix(name, ".bias") || name == r.Zero[0]:
			want = 0
		}
		if got := spread(x); !(math.Abs(got-want) <= 5*want/math.Sqrt(2*float64(x.Len()))) {
			t.Errorf("%s: standard deviation %g, want %g", name, got, want)
		}
	}
}

// spread is the root mean square of x.
func spread(x *tensor.Dense) float64 {
	sum := 0.0
	for _, v := range x.Data {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(x.Len()))
}

// Checkpoints are the weights of their step to half precision, however often
// the run was stopped in between.
func TestCheckpointsRoundTheWeights(t *testing.T) {
	short := func(steps int) train.Recipe {
		r, err := train.Find("modadd-113")
		if err != nil {
			t.Fatal(err)
		}
		r.Model.Width, r.Model.MLPWidth, r.Model.HeadWidth = 16, 24, 4
		r.Steps, r.Batch, r.Checkpoints = steps, 64, nil
		r.ReportEvery, r.MeasureEvery, r.SaveEvery = 1, 10, 10
		for s := 0; s <= steps; s += 2 {
			r.Checkpoints = append(r.Checkpoints, s)
		}
		return r
	}
	long := trained(t, short(6), nil)
	for _, step := range []int{2, 4, 6} { // the rate is constant: a short run is the beginning of a long one
		whole, err := weights.Open(trained(t, short(step), nil))
		if err != nil {
			t.Fatal(err)
		}
		defer whole.Close()
		half, err := weights.Open(filepath.Join(long, train.CheckpointDir, train.CheckpointFile(step)))
		if err != nil {
			t.Fatal(err)
		}
		defer half.Close()
		for _, name := range whole.Names() {
			x, errX := whole.Float32(name)
			y, errY := half.Float32(name)
			if errX != nil || errY != nil || !tensor.SameShape(x.Shape, y.Shape) {
				t.Fatalf("step %d: %s: %v, %v", step, name, errX, errY)
			}
			for i := range x.Data {
				v, h := float64(x.Data[i]), float64(y.Data[i])
				if !(math.Abs(v-h) <= math.Abs(v)/2048+0x1p-25) {
					t.Fatalf("step %d: %s[%d] is %g in the checkpoint and %g in the model", step, name, i, h, v)
				}
			}
		}
	}
	stopped := stopAndGoOn(t, short(6), 3)
	for _, step := range []int{0, 2, 4, 6} {
		sameFile(t, long, stopped, filepath.Join(train.CheckpointDir, train.CheckpointFile(step)))
	}
	files, err := os.ReadDir(filepath.Join(long, train.CheckpointDir))
	if err != nil || len(files) != 4 {
		t.Errorf("%d checkpoints (%v), want 4", len(files), err)
	}
}

// A few pairs are learned by heart, which says nothing about the others: the
// first phase of grokking, in a fraction of a second.
func TestMemorises(t *testing.T) {
	r, err := train.Find("modadd-59-clock")
	if err != nil {
		t.Fatal(err)
	}
	r.Model.Width, r.Model.HeadWidth, r.Model.MLPWidth = 32, 8, 128
	r.HeldOut, r.Batch, r.Steps, r.Peak, r.Floor, r.Decay = 0.9, 348, 150, 3e-3, 3e-3, 0.1
	r.ReportEvery, r.MeasureEvery, r.SaveEvery = 150, 150, 150
	card := readCard(t, trained(t, r, nil))
	if card.Train.Prompts != 348 || !(card.Train.Accuracy > 0.99) || !(card.HeldOut.Accuracy < 0.1) {
		t.Errorf("%d of %d pairs learned from and %d of %d others right: want all and next to none", card.Train.Correct, card.Train.Prompts, card.HeldOut.Correct, card.HeldOut.Prompts)
	}
}
