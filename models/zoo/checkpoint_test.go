package zoo_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/tensor"
	"orrery/models/train"
	"orrery/models/weights"
	"orrery/models/zoo"
)

// A model that kept nothing along its training has its last step.
func TestLastCheckpointIsTheModel(t *testing.T) {
	for _, name := range zoo.Names() {
		card, err := zoo.CardOf(name)
		if err != nil {
			t.Fatal(err)
		}
		steps, err := zoo.Checkpoints(name)
		if err != nil || len(steps) == 0 || steps[len(steps)-1] != card.Steps || !slices.IsSorted(steps) {
			t.Fatalf("%s: checkpoints of steps %v (%v), want them to end in %d", name, steps, err, card.Steps)
		}
		a, errA := zoo.Open(name)
		b, errB := zoo.OpenCheckpoint(name, card.Steps)
		if errA != nil || errB != nil || a.Hash() != b.Hash() || a.Hash() == "" || b.Name != name {
			t.Errorf("%s: the last checkpoint is another model (%v, %v)", name, errA, errB)
		}
	}
}

// kept is a finished training of a fraction of a second, with checkpoints.
func kept(t *testing.T) (dir string, r train.Recipe) {
	t.Helper()
	r, err := train.Find("modadd-113")
	if err != nil {
		t.Fatal(err)
	}
	r.Model.Width, r.Model.MLPWidth, r.Model.HeadWidth = 16, 24, 4
	r.Steps, r.Batch, r.Checkpoints = 6, 64, []int{0, 2, 5, 6}
	r.ReportEvery, r.MeasureEvery, r.SaveEvery = 10, 10, 10
	dir = t.TempDir()
	if err := train.Run(t.Context(), r, dir, nil); err != nil {
		t.Fatal(err)
	}
	return dir, r
}

// A checkpoint runs on exactly the numbers that its file holds.
func TestCheckpointsAreTheirFiles(t *testing.T) {
	dir, _ := kept(t)
	steps, err := zoo.Checkpoints(dir)
	if err != nil || !slices.Equal(steps, []int{0, 2, 5, 6}) {
		t.Fatalf("steps %v (%v), want those of the recipe", steps, err)
	}
	hashes := map[string]bool{}
	for _, step := range steps[:3] {
		m, err := zoo.OpenCheckpoint(dir, step)
		if err != nil {
			t.Fatal(err)
		}
		f, err := weights.Open(filepath.Join(dir, train.CheckpointDir, train.CheckpointFile(step)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		m.Params().Each(func(name string, got *tensor.Dense) {
			want, err := f.Float32(name)
			if info, _ := f.Info(name); err != nil || info.DType != weights.F16 || !slices.Equal(got.Data, want.Data) {
				t.Errorf("step %d: %s is not the file's (%v, %s)", step, name, err, info.DType)
			}
		})
		up, err := models.New(m.Config, m.Params()) // the same numbers in float32
		if err != nil {
			t.Fatal(err)
		}
		x, errX := m.Run(t.Context(), models.Prompt(3, 4, 113))
		y, errY := up.Run(t.Context(), models.Prompt(3, 4, 113))
		if errX != nil || errY != nil || !slices.Equal(x.Logits.Data, y.Logits.Data) {
			t.Errorf("step %d: float16 weights and their float32 copies give different logits (%v, %v)", step, errX, errY)
		}
		hashes[m.Hash()] = true
		if ids, err := m.Encode("3 4="); err != nil || !slices.Equal(ids, []int{3, 4, 113}) || !strings.HasSuffix(m.Name, "@"+string(rune('0'+step))) {
			t.Errorf("step %d: model %q encodes as %v (%v)", step, m.Name, ids, err)
		}
	}
	if len(hashes) != 3 {
		t.Errorf("%d different models, want 3", len(hashes))
	}
}

func TestNoCheckpoint(t *testing.T) {
	var none *zoo.NoCheckpointError
	if _, err := zoo.OpenCheckpoint("mental-2op", 77); !errors.As(err, &none) || !strings.Contains(err.Error(), "step 77") || !strings.Contains(err.Error(), "8000") {
		t.Errorf("got %v, want a NoCheckpointError with the steps", err)
	}
	if _, err := zoo.Open("mental-2op@77"); !errors.As(err, &none) {
		t.Errorf("by name: got %v, want a NoCheckpointError", err)
	}
	if m, err := zoo.Open("mental-2op@8000"); err != nil || m.Name != "mental-2op" {
		t.Errorf("the last step by name: %v", err)
	}
	for name, want := range map[string]bool{"mental-2op": true, "modadd-113@500": true, "mental-2op@77": true, "modadd-113@": false, "modadd-9@500": false, ".": false} {
		if got := zoo.Shipped(name); got != want {
			t.Errorf("%q is shipped: %v, want %v", name, got, want)
		}
	}
	var unknown *zoo.UnknownModelError
	if _, err := zoo.Checkpoints("mental-9op"); !errors.As(err, &unknown) {
		t.Errorf("got %v, want an UnknownModelError", err)
	}
	if _, err := zoo.Checkpoints(t.TempDir()); err == nil || !strings.Contains(err.Error(), "card.json") {
		t.Errorf("an empty directory: got %v", err)
	}
	dir, _ := kept(t)
	if err := os.Truncate(filepath.Join(dir, train.CheckpointDir, train.CheckpointFile(2)), 100); err != nil {
		t.Fatal(err)
	}
	if _, err := zoo.OpenCheckpoint(dir, 2); err == nil || !strings.Contains(err.Error(), "step 2") {
		t.Errorf("a damaged file: got %v", err)
	}
}
