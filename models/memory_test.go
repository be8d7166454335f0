package models_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"orrery/models"
	"orrery/models/weights"
)

// resident returns a line of /proc/self/status in bytes, and skips where there
// is none.
func resident(t testing.TB, name string) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("this system does not show a process' memory in /proc")
	}
	for _, line := range strings.Split(string(status), "\n") {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			var kb int64
			if _, err := fmt.Sscan(value, &kb); err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Skipf("/proc/self/status has no line %s", name)
	return 0
}

// lowestPeak lets the process' peak of memory start again from what it holds.
func lowestPeak(t testing.TB) int64 {
	t.Helper()
	debug.FreeOSMemory()
	debug.FreeOSMemory() // cleanups of the first run in between
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Skip("the peak of memory cannot be set back:", err)
	}
	return resident(t, "VmHWM")
}

// fileSize is the size of a directory's weights.
func fileSize(t testing.TB, dir string) int64 {
	t.Helper()
	st, err := os.Stat(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return st.Size()
}

// TestMemoryOfAFile holds that a model takes its file's size, and scratch memory
// that does not grow with the model: at the peak as at the end.
func TestMemoryOfAFile(t *testing.T) {
	const config = `{"model_type":"llama","num_hidden_layers":8,"num_attention_heads":8,"num_key_value_heads":2,
		"hidden_size":512,"intermediate_size":1536,"vocab_size":16000,"rms_norm_eps":1e-5,"tie_word_embeddings":true}`
	dir := t.TempDir()
	if err := models.WriteSynthetic(dir, []byte(config), weights.BF16, 1); err != nil {
		t.Fatal(err)
	}
	size := fileSize(t, dir)
	if size < 60e6 {
		t.Fatalf("the file has %d bytes", size)
	}
	before := lowestPeak(t)
	var start, end runtime.MemStats
	runtime.ReadMemStats(&start)
	m, err := models.LoadLazily(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := resident(t, "VmHWM") - before; got > size/20 {
		t.Errorf("loading took %d bytes for a file of %d", got, size)
	}
	if _, err := m.Run(context.Background(), models.Prompt(make([]int, 16)...)); err != nil {
		t.Fatal(err)
	}
	peak := resident(t, "VmHWM") - before
	runtime.GC()
	runtime.GC() // pools of scratch memory take two
	runtime.ReadMemStats(&end)
	n, of, panels := m.Packed()
	if n != of || int64(panels) > size*101/100 {
		t.Errorf("%d of %d matrices take %d bytes of panels for a file of %d", n, of, panels, size)
	}
	const scratch = 16 << 20 // of runs, whatever the size of the model
	if heap := int64(end.HeapAlloc) - int64(start.HeapAlloc); heap > scratch {
		t.Errorf("%d bytes are left beside the panels", heap)
	}
	if peak > size*101/100+scratch {
		t.Errorf("the peak was %d bytes for a file of %d", peak, size)
	}
	held := resident(t, "RssAnon")
	for range 200 { // what nobody refers to goes behind a collection, on a busy machine late
		runtime.GC()
		if resident(t, "RssAnon") < held-size*9/10 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if left := resident(t, "RssAnon"); left >= held-size*9/10 {
		t.Errorf("%d bytes are left of %d when the model is gone", left, held)
	}
	t.Logf("a file of %d bytes: %d of panels, %d at the peak", size, panels, peak)
}

// BenchmarkLargeModel loads the directory that ORRERY_LARGE_MODEL names, such
// as one that orrery bench synth wrote, reads a lens of 64 tokens and patches
// the residual stream of 16 tokens at every layer and position. It reports the
// times and the peak of memory as a share of the file.
func BenchmarkLargeModel(b *testing.B) {
	dir := os.Getenv("ORRERY_LARGE_MODEL")
	if dir == "" {
		b.Skip("ORRERY_LARGE_MODEL names no model directory; see orrery bench synth")
	}
	ctx := context.Background()
	for b.Loop() {
		before := lowestPeak(b)
		stage := time.Now()
		report := func(unit string) {
			b.ReportMetric(time.Since(stage).Seconds(), unit)
			stage = time.Now()
		}
		m, err := models.Load(dir)
		if err != nil {
			b.Fatal(err)
		}
		report("s-load")
		lens(b, m, 64)
		report("s-lens")
		in := models.Prompt(tokens(m, 16)...)
		base, err := m.NewBase(ctx, in)
		if err != nil {
			b.Fatal(err)
		}
		var variants []models.Variant
		for l := range m.Config.Layers {
			for pos := range in.T {
				variants = append(variants, models.Variant{Edits: []models.Edit{{
					Site: fmt.Sprintf("resid_pre%d", l), Positions: []int{pos}, Op: models.Set, Value: models.Number(0.5),
				}}})
			}
		}
		if _, err := base.Rerun(ctx, variants, models.Need{Last: true, Tokens: []int{17, 4}}, models.RerunOptions{}, func(models.Cell) error { return nil }); err != nil {
			b.Fatal(err)
		}
		report("s-sweep")
		b.ReportMetric(float64(resident(b, "VmHWM")-before)/float64(fileSize(b, dir)), "peak/file")
		runtime.KeepAlive(m)
	}
}

// tokens are n ids spread over the vocabulary.
func tokens(m *models.Model, n int) []int {
	ids := make([]int, n)
	for i := range ids {
		ids[i] = (i*7919 + 11) % m.Config.Vocab
	}
	return ids
}

// lens reads logits off the residual stream behind every layer.
func lens(b *testing.B, m *models.Model, n int) {
	b.Helper()
	cache := models.NewCache()
	sites, err := m.Match("*resid_post")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := m.Run(context.Background(), models.Prompt(tokens(m, n)...), models.Record(cache, sites)); err != nil {
		b.Fatal(err)
	}
	for _, s := range cache.Sites() {
		x, _ := cache.Get(s)
		if _, err := m.Unembed(x.Reshape(-1, m.Config.Width)); err != nil {
			b.Fatal(err)
		}
	}
}
