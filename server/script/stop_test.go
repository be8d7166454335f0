package script_test

import (
	"context"
	"errors"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/server/api"
	"orrery/server/script"
)

// bigModel is a random model that takes seconds a run.
func bigModel() *models.Model {
	return modeltest.Random("big", models.Config{
		Layers: 30, Width: 512, Heads: 8, KVHeads: 8, HeadWidth: 64, MLPWidth: 1024, Vocab: 500, Context: 2048,
		Norm: models.LayerNorm, NormEps: 1e-5, Positions: models.Learned, Activation: "gelu_tanh",
	}, 1)
}

// stopped are cells that are cancelled in the middle of a thing of each kind.
var stopped = []struct{ name, source string }{
	{"endless loop", "print('go')\nwhile True:\n  pass"},
	{"endless recursion", "print('go')\ndef f(n):\n  return 0 if n == 0 else f(n - 1) + f(n - 1)\nf(60)"},
	{"comprehension", "print('go')\nx = [i * i for i in range(1000000000)]"},
	{"nested comprehension", "print('go')\nx = [(i, j) for i in range(100000) for j in range(100000) if i * j < 0]"},
	{"sorted", "xs = list(range(3000000))\nprint('go')\nx = sorted([sorted(xs, key=lambda i: -i) for _ in range(100)])"},
	{"sorted without key", "xs = [i * 7919 % 3000017 for i in range(3000000)]\nprint('go')\ny = [sorted(xs) for _ in range(100)]"},
	{"list of a range", "print('go')\nx = list(range(50000000))\nwhile True:\n  pass"},
	{"sum", "print('go')\nsum(range(10000000000))"},
	{"extend", "print('go')\nx = []\nx.extend(range(1000000000))"},
	{"membership", "xs = list(range(3000000))\nprint('go')\nfor i in range(100000):\n  -1 in xs"},
	{"attempt", "print('go')\ndef f():\n  while True:\n    pass\nwhile True:\n  attempt(f)"},
	{"model run", "m = load('given')\nprint('go')\nrun_with_cache(m, [3] * 2000, names_filter='logits')"},
	{"analysis", "m = load('given')\nprint('go')\nlogit_lens(m, [3] * 1500)"},
	{"matrix product", "m = load('given')\nw = run_with_cache(m, [3] * 400, names_filter='embed')[1]['embed'][0]\nprint('go')\nfor i in range(100000):\n  w.matmul(w.T)"},
}

// TestInterrupt holds that a cancelled run stops, wherever it is; BenchmarkInterrupt
// says how soon.
func TestInterrupt(t *testing.T) {
	big := bigModel()
	for _, c := range stopped {
		t.Run(c.name, func(t *testing.T) { t.Logf("stopped after %v", interrupt(t, c.source, big)) })
	}
}

// BenchmarkInterrupt measures the time from a cancellation to the run's return.
func BenchmarkInterrupt(b *testing.B) {
	big := bigModel()
	for _, c := range stopped {
		b.Run(c.name, func(b *testing.B) {
			var longest time.Duration
			for b.Loop() {
				longest = max(longest, interrupt(b, c.source, big))
			}
			b.ReportMetric(float64(longest.Microseconds())/1000, "ms-at-most")
		})
	}
}

// interrupt runs a cell, cancels it 150 ms after it printed, and returns how
// long it took to stop.
func interrupt(t testing.TB, source string, m *models.Model) time.Duration {
	t.Helper()
	p, err := script.Compile("c1", source)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	h := newHost(t)
	h.model = m
	var at time.Time
	h.onPrint = func() {
		time.AfterFunc(150*time.Millisecond, func() { at = time.Now(); cancel() })
	}
	_, err = script.Run(ctx, p, nil, h, script.Limits{})
	took := time.Since(at)
	h.mu.Lock()
	h.late = true
	h.mu.Unlock()
	if e := asError(t, err); e.Code != api.Canceled || e.Message != "interrupted" {
		t.Fatalf("ended with %+v", e)
	}
	return took
}

func TestInterruptBeforeStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := runIn(t, ctx, "while True:\n  pass", script.Limits{})
	if e := asError(t, err); e.Code != api.Canceled {
		t.Errorf("ended with %+v", e)
	}
}

// heap returns the bytes of objects on the heap.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// TestMemory holds that a cell which wants more than its bound ends with an
// error, and that the process never grows far beyond it.
func TestMemory(t *testing.T) {
	for _, c := range []struct{ name, source string }{
		{"appends", "x = []\nwhile True:\n  x.append([0] * 1000)"},
		{"comprehension", "x = [i for i in range(10000000000)]"},
		{"list of a range", "x = list(range(10000000000))"},
		{"extend", "x = []\nx.extend(range(10000000000))"},
		{"add a range", "x = []\nx += range(10000000000)"},
		{"enumerate", "x = enumerate(range(10000000000))"},
		{"set", "x = set(range(10000000000))"},
		{"sorted", "x = sorted(range(10000000000))"},
		{"zip", "x = zip(range(10000000000), range(10000000000))"},
		{"star arguments", "def f(*xs):\n  return xs\nf(*range(10000000000))"},
		{"repeat", "x = [0] * 100000000"},
		{"repeat in place", "x = [0] * 1000\nwhile True:\n  x *= 2"},
		{"concatenate", "x = [0] * 1000\nwhile True:\n  x = x + x"},
		{"add in place", "x = [0] * 1000\nwhile True:\n  x += x"},
		{"string", "x = 'abcdefgh'\nwhile True:\n  x += x"},
		{"dictionary", "d = {}\nfor i in range(1000000000):\n  d[i] = [i]"},
		{"tolist", "t = run_with_cache(load('toy'), [1])[0]\nx = [t.tolist() for i in range(100000000)]"},
		{"tensors", "t = run_with_cache(load('toy'), [1, 2, 3])[0]\nx = [t + i for i in range(100000000)]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			runtime.GC()
			base := heap()
			ended, peaked := make(chan struct{}), make(chan uint64)
			go func() {
				peak := uint64(0)
				for {
					select {
					case <-ended:
						peaked <- peak
						return
					case <-time.After(5 * time.Millisecond):
						peak = max(peak, heap())
					}
				}
			}()
			_, _, err := runIn(t, t.Context(), c.source, script.Limits{Bytes: 100 << 20})
			e := asError(t, err)
			if !strings.Contains(e.Message, "100 MiB") || e.Hint == "" {
				t.Errorf("ended with %+v", e)
			}
			close(ended)
			if peak := <-peaked; peak > base+(500<<20) {
				t.Errorf("the heap grew by %d MiB", (peak-base)>>20)
			}
		})
	}
	// What only passes through does not count.
	_, _, err := runIn(t, t.Context(), "for i in range(200):\n  x = [i] * 1000000", script.Limits{Bytes: 100 << 20})
	if err != nil {
		t.Errorf("3 GB that were given back at once: %v", err)
	}
}

func TestStepLimit(t *testing.T) {
	_, _, err := runIn(t, t.Context(), "while True:\n  pass", script.Limits{Steps: 100000})
	if e := asError(t, err); e.Code != api.TooLarge || !strings.Contains(e.Message, "steps") || e.Line == 0 {
		t.Errorf("ended with %+v", e)
	}
	if _, _, err := run(t, "for i in range(1000000):\n  pass"); err != nil {
		t.Errorf("without a limit: %v", err)
	}
}

// slowHost hangs in Output until released.
type slowHost struct {
	*host
	release chan struct{}
}

func (h slowHost) Output(o api.Output) { <-h.release }

// TestHostThatHangs holds that a host which does not return does not keep Run,
// and is not called when Run has returned.
func TestHostThatHangs(t *testing.T) {
	h := slowHost{newHost(t), make(chan struct{})}
	p, err := script.Compile("c1", "logit_lens(load('toy'), [1, 2])")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = script.Run(ctx, p, nil, h, script.Limits{})
	var e *api.Error
	if !errors.As(err, &e) || e.Code != api.Canceled {
		t.Errorf("ended with %v", err)
	}
	// What the run still wants to say reaches nobody.
	h.mu.Lock()
	h.late = true
	h.mu.Unlock()
	close(h.release)
	time.Sleep(50 * time.Millisecond)
}
