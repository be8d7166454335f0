package train_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/train"
)

// tiny is a recipe of a fraction of a second.
func tiny() train.Recipe {
	r := train.Recipes()[0]
	r.Name = "tiny"
	r.Model.Layers, r.Model.Width, r.Model.Heads, r.Model.KVHeads, r.Model.HeadWidth, r.Model.MLPWidth = 2, 16, 2, 2, 8, 24
	r.Model.Rotary.Dim = 8
	r.Steps, r.Batch, r.Warmup, r.Decay = 12, 64, 3, 0.1
	r.ReportEvery, r.MeasureEvery, r.SaveEvery = 2, 5, 4
	return r
}

// trained runs a recipe in a directory of its own.
func trained(t *testing.T, r train.Recipe, report func(train.Progress)) string {
	t.Helper()
	dir := t.TempDir()
	if err := train.Run(t.Context(), r, dir, report); err != nil {
		t.Fatal(err)
	}
	return dir
}

// sameFile reports a file that differs between two directories.
func sameFile(t *testing.T, a, b, name string) {
	t.Helper()
	x, errX := os.ReadFile(filepath.Join(a, name))
	y, errY := os.ReadFile(filepath.Join(b, name))
	if errX != nil || errY != nil || len(x) == 0 || !bytes.Equal(x, y) {
		t.Errorf("%s differs: %d and %d bytes (%v, %v)", name, len(x), len(y), errX, errY)
	}
}

// readCard reads card.json.
func readCard(t *testing.T, dir string) train.Card {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "card.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c train.Card
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// A run that is stopped at any step and resumed ends with the same bytes.
func TestResumeGivesTheSameBits(t *testing.T) {
	whole := trained(t, tiny(), nil)
	for _, stops := range [][]int{{2}, {4}, {6, 6, 10}, {12}} {
		dir := t.TempDir()
		for _, stop := range stops {
			ctx, cancel := context.WithCancel(t.Context())
			err := train.Run(ctx, tiny(), dir, func(p train.Progress) {
				if p.Step >= stop {
					cancel()
				}
			})
			if stop < 12 && !errors.Is(err, context.Canceled) {
				t.Fatalf("stopped at %d: got %v, want context.Canceled", stop, err)
			}
			cancel()
		}
		if err := train.Run(t.Context(), tiny(), dir, nil); err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprint(stops), func(t *testing.T) {
			sameFile(t, whole, dir, "model.safetensors")
			sameFile(t, whole, dir, "config.json")
			sameFile(t, whole, dir, "recipe.json")
			a, b := readCard(t, whole), readCard(t, dir)
			a.Minutes, b.Minutes = 0, 0
			x, _ := json.Marshal(a)
			y, _ := json.Marshal(b)
			if !bytes.Equal(x, y) {
				t.Errorf("stopped at %v: card\n%s\nwant\n%s", stops, y, x)
			}
		})
	}
}

// stopAndGoOn trains a recipe that is stopped at a step and taken up again.
func stopAndGoOn(t *testing.T, r train.Recipe, stop int) string {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := train.Run(ctx, r, dir, func(p train.Progress) {
		if p.Step >= stop {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped at %d: got %v, want context.Canceled", stop, err)
	}
	if err := train.Run(t.Context(), r, dir, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The same recipe in processes with one, two and three threads, and with
// another seed.
func TestThreadsDoNotMatter(t *testing.T) {
	if dir := os.Getenv("ORRERY_TRAIN_DIR"); dir != "" {
		if err := train.Run(t.Context(), tiny(), dir, nil); err != nil {
			t.Fatal(err)
		}
		return
	}
	here := trained(t, tiny(), nil)
	for _, threads := range []string{"1", "3"} {
		dir := t.TempDir()
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestThreadsDoNotMatter$")
		cmd.Env = append(os.Environ(), "GOMAXPROCS="+threads, "ORRERY_TRAIN_DIR="+dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		sameFile(t, here, dir, "model.safetensors")
	}
	other := tiny()
	other.Seed++
	a, b := readCard(t, here), readCard(t, trained(t, other, nil))
	if a.SHA256 == b.SHA256 || len(a.SHA256) != 64 {
		t.Errorf("seeds %d and %d give models %q and %q", a.Seed, b.Seed, a.SHA256, b.SHA256)
	}
}

func TestRunReports(t *testing.T) {
	var steps []int
	var last train.Progress
	dir := trained(t, tiny(), func(p train.Progress) {
		steps = append(steps, p.Step)
		if measured := p.Step%5 == 0 || p.Step == 12; measured == math.IsNaN(p.HeldOutAccuracy) {
			t.Errorf("step %d: held-out accuracy %g", p.Step, p.HeldOutAccuracy)
		}
		if saved := p.Step%4 == 0; saved != p.Saved {
			t.Errorf("step %d: saved is %v", p.Step, p.Saved)
		}
		if !(p.Loss > 0) || !(p.TrainAccuracy >= 0) || !(p.GradNorm > 0) || !(p.LearningRate > 0) || p.Steps != 12 {
			t.Errorf("step %d: %+v", p.Step, p)
		}
		last = p
	})
	if want := []int{2, 4, 5, 6, 8, 10, 12}; !slices.Equal(steps, want) {
		t.Errorf("reports at %v, want %v", steps, want)
	}
	if last.ETA != 0 {
		t.Errorf("%v left behind the last step", last.ETA)
	}
	card := readCard(t, dir)
	if len(card.Curve) != 3 || card.Curve[2].HeldOutAccuracy != card.HeldOut.Accuracy || card.HeldOut.Loss != last.HeldOutLoss {
		t.Errorf("card's curve %+v does not end in its score %+v", card.Curve, card.HeldOut)
	}
	if card.Train.Prompts+card.HeldOut.Prompts != 15050 || card.Parameters == 0 {
		t.Errorf("card %+v", card)
	}
	m, err := models.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if ids, err := m.Encode("34+57="); err != nil || len(ids) != 5 {
		t.Errorf("the trained model encodes a prompt as %v (%v)", ids, err)
	}
}

// A model of this size learns a little in a few steps; a broken gradient or
// optimiser does not.
func TestLossFalls(t *testing.T) {
	r := tiny()
	r.Steps, r.Batch, r.Peak, r.ReportEvery, r.MeasureEvery, r.SaveEvery = 150, 128, 1e-2, 50, 1000, 1000
	var losses []float64
	trained(t, r, func(p train.Progress) { losses = append(losses, p.Loss) })
	// ln 203 = 5.3 is what equal logits give; the frequencies of the answers
	// alone are worth 4.9.
	if len(losses) != 3 || !(losses[2] < 4.2) || !(losses[2] < losses[0]) {
		t.Errorf("losses %v", losses)
	}
}

func TestRunRefuses(t *testing.T) {
	dir := trained(t, tiny(), nil)
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T) (train.Recipe, string)
		says    []string
	}{
		{"recipe that cannot run", func(t *testing.T) (train.Recipe, string) {
			r := tiny()
			r.Steps = -1
			return r, t.TempDir()
		}, []string{"steps is -1"}},
		{"state of another recipe", func(*testing.T) (train.Recipe, string) {
			r := tiny()
			r.Peak, r.Steps = 0.5, 20
			return r, dir
		}, []string{"another recipe", "peak was 0.001 and is 0.5", "steps was 12 and is 20", "another directory"}},
		{"damaged state", func(t *testing.T) (train.Recipe, string) {
			d := t.TempDir()
			b, err := os.ReadFile(filepath.Join(dir, "state.safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(d, "state.safetensors"), b[:len(b)-10], 0o644); err != nil {
				t.Fatal(err)
			}
			return tiny(), d
		}, []string{"state.safetensors", "cut short", "start anew"}},
		{"rate that blows up", func(t *testing.T) (train.Recipe, string) {
			r := tiny()
			r.Peak, r.Warmup, r.Clip, r.Decay = 1e30, 0, 0, 0
			return r, t.TempDir()
		}, []string{"step", "peak"}},
		{"directory that is a file", func(t *testing.T) (train.Recipe, string) {
			return tiny(), filepath.Join(dir, "card.json")
		}, []string{"card.json"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, d := c.prepare(t)
			err := train.Run(t.Context(), r, d, nil)
			for _, word := range c.says {
				if err == nil || !strings.Contains(err.Error(), word) {
					t.Errorf("got %v, want an error with %q", err, word)
				}
			}
		})
	}
}

// Every feature of a recipe survives a stop: edits, answers of several tokens,
// prompts besides, weights that begin at 0.
func TestResumeOfEveryRecipe(t *testing.T) {
	for _, r := range train.Recipes() {
		t.Run(r.Name, func(t *testing.T) {
			r.Model.Layers = min(r.Model.Layers, 6)
			r.Model.Width, r.Model.HeadWidth, r.Model.MLPWidth = 16, 8, 24
			if r.Model.Positions == models.Rotary {
				r.Model.Rotary.Dim = 8
			}
			r.Steps, r.Batch, r.Checkpoints, r.HeldOut = 5, 32, nil, 0.01
			r.ReportEvery, r.MeasureEvery, r.SaveEvery = 1, 4, 10
			whole, stopped := trained(t, r, nil), stopAndGoOn(t, r, 2)
			sameFile(t, whole, stopped, "model.safetensors")
			a, b := readCard(t, whole), readCard(t, stopped)
			if a.HeldOut != b.HeldOut || (a.HeldOutEdited == nil) != (r.Edits == nil) || len(a.Curve) != 2 {
				t.Errorf("cards differ: %+v, %+v", a.HeldOut, b.HeldOut)
			}
		})
	}
}
