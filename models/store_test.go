package models_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"orrery/models"
	"orrery/models/tensor"
	"orrery/models/weights"
)

// lazily loads a directory as Load does one above 256 MiB.
func lazily(t testing.TB, dir string) *models.Model {
	t.Helper()
	m, err := models.LoadLazily(dir)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// synthetic writes random weights for the config.json of a golden.
func synthetic(t *testing.T, family string, dtype weights.DType) string {
	t.Helper()
	config, err := os.ReadFile(filepath.Join(goldenDir(t, family), "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := models.WriteSynthetic(dir, config, dtype, 1); err != nil {
		t.Fatal(err)
	}
	return dir
}

// upcast returns the model with every weight as float32, packed from memory.
func upcast(t *testing.T, m *models.Model) *models.Model {
	t.Helper()
	plain, err := models.New(m.Config, m.Params())
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// TestFileTypesKeepTheirBits compares logits, gradients of weights and sites,
// and the heads' own results, computed from panels in the file's type, with
// those of the same numbers as float32 in memory.
func TestFileTypesKeepTheirBits(t *testing.T) {
	in := models.Prompt(3, 1, 4, 1, 5)
	objective := func(logits *tensor.Dense) (float64, *tensor.Dense, error) {
		d := tensor.New(logits.Shape...)
		for i := range d.Data {
			d.Data[i] = float32(i%7) - 3
		}
		return 0, d, nil
	}
	for _, family := range families(t) {
		for _, dtype := range []weights.DType{weights.F32, weights.F16, weights.BF16} {
			t.Run(family+" "+string(dtype), func(t *testing.T) {
				m := lazily(t, synthetic(t, family, dtype))
				got := gradient(t, m, in, objective, models.Want{Params: true, Sites: models.All})
				plain := upcast(t, m)
				want := gradient(t, plain, in, objective, models.Want{Params: true, Sites: models.All})
				if !got.Output.Logits.EqualBits(want.Output.Logits) {
					t.Error("logits differ")
				}
				want.Params.Each(func(name string, x *tensor.Dense) {
					if y, _ := got.Params.Get(name); !x.EqualBits(y) {
						t.Errorf("the gradient of %s differs", name)
					}
				})
				for _, s := range want.Sites.Sites() {
					x, _ := want.Sites.Get(s)
					if y, ok := got.Sites.Get(s); !ok || !x.EqualBits(y) {
						t.Errorf("the gradient at %s differs", s)
					}
				}
				if m.Hash() != plain.Hash() {
					t.Errorf("hash %s, and %s in memory", m.Hash(), plain.Hash())
				}
				n, of, size := m.Packed()
				large := family == "gpt2" || family == "llama3" // enough for the edges of panels not to count
				if all := 4 * m.Config.WeightCount(); n != of || dtype != weights.F32 && large && size > all*2/3 {
					t.Errorf("%d of %d matrices packed, in %d bytes for %d as float32", n, of, size, all)
				}
			})
		}
	}
}

// TestEmbeddingsBeforeAndBehindPacking looks rows up in the file, and in the
// packed unembedding of a tied model.
func TestEmbeddingsBeforeAndBehindPacking(t *testing.T) {
	m := lazily(t, synthetic(t, "gpt2", weights.BF16))
	rows := func() *tensor.Dense {
		cache := models.NewCache()
		run(t, m, models.Prompt(1, 0, m.Config.Vocab-1), models.Record(cache, func(s models.Site) bool { return s.Kind == models.Embed }))
		x, ok := cache.Get(models.Site{Layer: -1, Kind: models.Embed})
		if !ok {
			t.Fatal("no embedding")
		}
		return x
	}
	if n, _, _ := m.Packed(); n != 0 {
		t.Fatalf("%d matrices were packed by loading", n)
	}
	first, second := rows(), rows()
	if !first.EqualBits(second) {
		t.Error("a row of the packed unembedding differs from that of the file")
	}
	want := m.Params().Embed
	for i, id := range []int{1, 0, m.Config.Vocab - 1} {
		if !first.Sub(0, i).EqualBits(want.Sub(id)) {
			t.Errorf("row %d is not that of id %d", i, id)
		}
	}
}

// TestFirstRunsMeet starts many runs of a model of which nothing is packed yet.
func TestFirstRunsMeet(t *testing.T) {
	dir := synthetic(t, "llama3", weights.BF16)
	want := run(t, lazily(t, dir), models.Prompt(1, 2, 3))
	m := lazily(t, dir)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			out, err := m.Run(context.Background(), models.Prompt(1, 2, 3))
			if err != nil || !out.Logits.EqualBits(want) {
				t.Errorf("a first run differs from that of another copy (%v)", err)
			}
		})
	}
	wg.Wait()
}

// TestCancelledFirstRuns holds that a cancelled run packs nothing for the next
// one to trip over.
func TestCancelledFirstRuns(t *testing.T) {
	m := lazily(t, synthetic(t, "gpt2", weights.F16))
	ctx, cancel := context.WithCancel(context.Background())
	hooks := []models.Hook{{
		Sites: func(s models.Site) bool { return s.Kind == models.ResidMid },
		Fn:    func(models.Site, *tensor.Dense) error { cancel(); return nil },
	}}
	if _, err := m.Run(ctx, models.Prompt(1, 2), hooks...); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want %v", err, context.Canceled)
	}
	if n, of, _ := m.Packed(); n == 0 || n == of {
		t.Errorf("%d of %d matrices packed behind half a block", n, of)
	}
	if !run(t, m, models.Prompt(1, 2)).EqualBits(run(t, upcast(t, m), models.Prompt(1, 2))) {
		t.Error("the run behind a cancelled one differs")
	}
}

// TestLateNaN plants a NaN where a large file would show it to the first run
// only.
func TestLateNaN(t *testing.T) {
	from := goldenDir(t, "llama3")
	for name, at := range map[string][]int{"model.layers.1.mlp.down_proj.weight": {3, 5}, "model.embed_tokens.weight": {2, 1}} {
		dir := t.TempDir()
		planted(t, from, dir, name, at)
		_, err := models.Load(dir)
		mustSay(t, err, fmt.Sprintf("%s%v is NaN", name, at))
		m := lazily(t, dir)
		_, err = m.Run(context.Background(), models.Prompt(2))
		mustSay(t, err, fmt.Sprintf("%s%v is NaN", name, at))
		var numeric models.NumericError
		if !errors.As(err, &numeric) {
			t.Errorf("error of type %T, want a NumericError", err)
		}
		if _, again := m.Run(context.Background(), models.Prompt(2)); again == nil || again.Error() != err.Error() {
			t.Errorf("the second run says %v, the first %v", again, err)
		}
	}
	dir := t.TempDir()
	planted(t, from, dir, "model.norm.weight", []int{4})
	_, err := models.LoadLazily(dir)
	mustSay(t, err, "model.norm.weight[4] is NaN")
}

// planted copies a model directory with a NaN in one tensor.
func planted(t *testing.T, from, to, name string, at []int) {
	t.Helper()
	f := openFile(t, from)
	var ts []weights.Tensor
	for _, n := range f.Names() {
		x := floats(t, f, n).Clone()
		if n == name {
			x.Set(float32(math.NaN()), at...)
		}
		ts = append(ts, weights.Tensor{Name: n, Dense: x})
	}
	config, err := os.ReadFile(filepath.Join(from, "config.json"))
	if err == nil {
		err = os.WriteFile(filepath.Join(to, "config.json"), config, 0o600)
	}
	if err == nil {
		err = weights.WriteFile(filepath.Join(to, "model.safetensors"), ts, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestChangedCheckpoints cuts, changes, removes and replaces a file between
// Load and the first run.
func TestChangedCheckpoints(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files are read into memory on this system")
	}
	in := models.Prompt(1, 2, 3)
	var changed *weights.ChangedError
	for name, change := range map[string]func(path string) error{
		"cut": func(path string) error { return os.Truncate(path, 600) },
		"written to": func(path string) error {
			b, err := os.ReadFile(path)
			if err == nil {
				b = append(bytes.Clone(b), 0)
				err = os.WriteFile(path, b, 0o600)
			}
			return err
		},
	} {
		dir := synthetic(t, "gpt2", weights.F32)
		m := lazily(t, dir)
		path := filepath.Join(dir, "model.safetensors")
		if err := change(path); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Run(context.Background(), in); !errors.As(err, &changed) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want a ChangedError with the file's name", name, err)
		}
		if m.Hash() != "" {
			t.Errorf("%s: the file hashes to %s", name, m.Hash())
		}
		if err := m.Save(t.TempDir()); !errors.As(err, &changed) {
			t.Errorf("%s: saving says %v", name, err)
		}
	}
	dir := synthetic(t, "gpt2", weights.F32)
	want := run(t, lazily(t, dir), in)
	m := lazily(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if !run(t, m, in).EqualBits(want) {
		t.Error("the model of a removed file gives other logits")
	}
}

// TestReplacedWeights holds that With's models know nothing of the file.
func TestReplacedWeights(t *testing.T) {
	m := lazily(t, synthetic(t, "llama3", weights.BF16))
	other := models.InitParams(m.Config, 7)
	a, err := m.With(other)
	if err != nil {
		t.Fatal(err)
	}
	b, err := models.New(m.Config, other)
	if err != nil {
		t.Fatal(err)
	}
	if !run(t, a, models.Prompt(1, 2)).EqualBits(run(t, b, models.Prompt(1, 2))) {
		t.Error("With on a loaded model runs other weights")
	}
	if n, _, _ := m.Packed(); n != 0 {
		t.Errorf("With packed %d matrices of the model that it started from", n)
	}
}

// TestBlocks reads the weights of one block, from a file and in memory.
func TestBlocks(t *testing.T) {
	m := lazily(t, synthetic(t, "gpt2", weights.BF16))
	want := m.Params()
	for name, m := range map[string]*models.Model{"file": m, "memory": upcast(t, m)} {
		for l := range want.Blocks {
			b, err := m.Block(l)
			if err != nil {
				t.Fatal(err)
			}
			got := &models.Params{Blocks: []models.BlockParams{*b}}
			n := 0
			got.Each(func(string, *tensor.Dense) { n++ })
			(&models.Params{Blocks: want.Blocks[l : l+1]}).Each(func(name string, x *tensor.Dense) {
				n--
				if y, ok := got.Get(name); !ok || !y.EqualBits(x) {
					t.Errorf("%s of layer %d differs", name, l)
				}
			})
			if n != 0 {
				t.Errorf("%s: layer %d has %d weights too many", name, l, n)
			}
		}
	}
}

// TestSavedFromFile saves a model of which nothing was packed.
func TestSavedFromFile(t *testing.T) {
	for _, family := range []string{"gpt2", "llama3"} {
		m := lazily(t, synthetic(t, family, weights.F16))
		dir := t.TempDir()
		if err := m.Save(dir); err != nil {
			t.Fatal(err)
		}
		again, err := models.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if again.Hash() != m.Hash() || m.Hash() == "" {
			t.Errorf("%s: hash %q behind saving, %q before", family, again.Hash(), m.Hash())
		}
		if n, _, _ := m.Packed(); n != 0 {
			t.Errorf("%s: saving and hashing packed %d matrices", family, n)
		}
	}
}

// TestGarbageClosesFiles lets models go and looks at the open files.
func TestGarbageClosesFiles(t *testing.T) {
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("this system does not list open files in /proc")
		}
		return len(entries)
	}
	dir := synthetic(t, "gpt2", weights.F32)
	before := open()
	for range 200 {
		run(t, lazily(t, dir), models.Prompt(1))
	}
	for range 20 { // cleanups follow a collection
		if runtime.GC(); open() < before+50 {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("%d files are open, %d before 200 models were loaded and dropped", open(), before)
}
