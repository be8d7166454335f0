package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"orrery/server/api"
	"orrery/viz"
)

// cache opens a result cache in a folder that keeps whatever was computed, and its
// log.
func cache(t *testing.T, dir string) (*Results, *bytes.Buffer) {
	t.Helper()
	f, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := openStore(f)
	if err != nil {
		t.Fatal(err)
	}
	log := &bytes.Buffer{}
	r := newResults(s, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	r.least = 0
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if err := f.root.Close(); err != nil {
			t.Error(err)
		}
	})
	return r, log
}

// studies call most kinds of analyses: figures of every kind, edits, patches, sets
// of prompts, heads, probes, a figure that is read by later code.
var studies = []string{
	`logit_lens(load("mental-2op"), "34+57=", mid=True)`,
	`logit_lens(load("mental-2op"), "34+57=", edits=[{"site": "blocks.0.hook_mlp_out", "op": "scale", "value": 0.3}])`,
	"_m = load(\"mental-2op\")\n_f = dla(_m, \"34+57=\")\nprint(_f.values(_f.names[0]))\n_f.values(_f.names[0])",
	`attention(load("mental-2op"), "34+57=")`,
	`head_detectors(load("mental-2op"))`,
	`causal_mediation(load("mental-2op"), base="34+57=", source="12+57=")`,
	`activation_patching(load("mental-2op"), prompts("{a}+{b}=", a=range(0, 30), b=range(0, 30), n=4).pairs(change="a"))`,
	`patch_lens(load("mental-2op"), "34+57=", "12+57=", patches=[patch("blocks.1.hook_resid_post", at=1)])`,
	`effects(load("mental-2op"), n=4)`,
	`helix(load("mental-2op"), show="layers", n=100)`,
	`fourier_spectrum(numbers=100, m=load("mental-2op").process(center_unembed=True, fold_ln=False, center_writing_weights=False, fold_value_biases=False))`,
	`lens_trajectory(load("mental-2op"), "34+57=")`,
	`dla(load("mental-2op"), "34+57=", by="head")`,
	`edge_attribution(load("mental-2op"), n=4)`,
	`edge_patching(load("mental-2op"), n=2, receivers=["logits", "mlp 3"])`,
	`integrated_gradients(load("mental-2op"), n=4)`,
	`knockout(load("mental-2op"), n=5)`,
	`neuron_fits(load("mental-2op"), hi=20, n=50, pairs=4, top=8)`,
	`tuned_lens(load("mental-2op"), "34+57=", n=10, steps=3)`,
	`causal_trace(load("mental-2op"), n=3)`,
	`fourier_filter(load("mental-2op"), period=10, numbers=100)`,
	`top_tokens(load("mental-2op"), "34+57=")`,
	`clock_or_pizza(load("modadd-59-pizza"), other=load("modadd-59-clock"))`,
	"_a = logit_lens(load(\"mental-2op\"), \"1+2=\")\n_b = logit_lens(load(\"mental-2op\"), \"1+2=\")\nprint(len(_a.names) == len(_b.names))",
}

// outputsOf runs cells with a cache, nil for none, and returns what each left as
// bytes, without the names of the run, and how many results were recalled.
func outputsOf(t *testing.T, r *Results, sources ...string) (outputs []string, recalled []int) {
	t.Helper()
	var text strings.Builder
	for i, s := range sources {
		fmt.Fprintf(&text, "```python {#c%d}\n%s\n```\n\n", i, s)
	}
	done, err := Execute(t.Context(), "a", []byte(text.String()), Execution{Results: r})
	if err != nil {
		t.Fatal(err)
	}
	if err := done.Failed(); err != nil {
		t.Fatal(err)
	}
	for _, c := range done.Recorded {
		for i := range c.Outputs {
			c.Outputs[i].ID = ""
		}
		data, err := json.Marshal(c.Outputs)
		if err != nil {
			t.Fatal(err)
		}
		outputs = append(outputs, string(data))
		n := 0
		if c.Recalled != nil {
			n = c.Recalled.Results
		}
		recalled = append(recalled, n)
	}
	return outputs, recalled
}

// TestRecalledIsComputed holds that what comes from the cache is, to the byte, what
// is computed without it, in this process and behind a restart.
func TestRecalledIsComputed(t *testing.T) {
	dir := t.TempDir()
	want, none := outputsOf(t, nil, studies...)
	for round, name := range []string{"the first run", "a second", "one behind a restart"} {
		r, log := cache(t, dir)
		if round == 1 { // without a restart
			outputsOf(t, r, studies...)
		}
		got, recalled := outputsOf(t, r, studies...)
		for i, source := range studies {
			if got[i] != want[i] {
				t.Errorf("%s of %s\nleft     %.300s\ncomputed %.300s", name, source, got[i], want[i])
			}
			least := min(round, 1)
			if least == 1 && strings.Count(source, "logit_lens(") == 2 {
				least = 2
			}
			if strings.HasPrefix(source, "_a") && round == 0 { // the same call twice
				least = 1
			}
			if recalled[i] != least || none[i] != 0 {
				t.Errorf("%s of %s: %d results recalled, %d without a cache", name, source, recalled[i], none[i])
			}
		}
		if log.Len() > 0 {
			t.Errorf("%s: the log says %s", name, log)
		}
	}
}

// lie changes what the cache has of every call into something that looks right and
// is not, so that a reader of the cache is seen.
func lie(t *testing.T, r *Results) {
	t.Helper()
	rows, err := r.store.db.Query("SELECT key FROM result")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	if len(keys) == 0 {
		t.Fatal("the cache is empty")
	}
	for _, key := range keys {
		row, err := r.store.result(key)
		if err != nil {
			t.Fatal(err)
		}
		f, err := row.open()
		if err != nil {
			t.Fatal(err)
		}
		f.Title = "a lie"
		if row.figure, err = encodeFigure(f); err != nil {
			t.Fatal(err)
		}
		if err := r.store.saveResult(row, resultBytes); err != nil {
			t.Fatal(err)
		}
	}
}

const lens = `logit_lens(load("mental-2op"), "34+57=")`

// TestOtherProgram holds that a result is never given to another program.
func TestOtherProgram(t *testing.T) {
	r, _ := cache(t, t.TempDir())
	want, _ := outputsOf(t, r, lens)
	lie(t, r)
	if got, n := outputsOf(t, r, lens); n[0] != 1 || !strings.Contains(got[0], "a lie") {
		t.Fatalf("the cache is not read: %.200s", got)
	}
	own, err := r.program()
	if err != nil || len(own) != 64 {
		t.Fatalf("program %q, %v", own, err)
	}
	r.program = func() (string, error) { return own[1:] + "0", nil }
	if got, n := outputsOf(t, r, lens); n[0] != 0 || got[0] != want[0] {
		t.Errorf("another program got %d results: %.200s", n[0], got)
	}
	r.program = func() (string, error) { return "", errors.New("no executable") }
	if got, n := outputsOf(t, r, lens); n[0] != 0 || got[0] != want[0] {
		t.Errorf("a program that is not known got %d results: %.200s", n[0], got)
	}
	r.program = func() (string, error) { return own, nil }
	if _, n := outputsOf(t, r, lens); n[0] != 1 {
		t.Error("the results of the program are gone")
	}
}

// TestProgramHash holds that the hash is that of the file that runs.
func TestProgramHash(t *testing.T) {
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	got, err := programHash()
	if want := fmt.Sprintf("%x", sha256.Sum256(data)); err != nil || got != want {
		t.Errorf("program %s, %v, want %s", got, err, want)
	}
}

// TestDamagedResult changes what is in the store in every way: the call is computed
// again, the log says why, and the next run finds a whole result.
func TestDamagedResult(t *testing.T) {
	const other = `logit_lens(load("mental-2op"), "12+57=")`
	for name, damage := range map[string]string{
		"a byte of the figure":         "UPDATE result SET figure = CAST(replace(CAST(figure AS TEXT), 'Logit', 'Lugit') AS BLOB)",
		"half of it":                   "UPDATE result SET figure = substr(figure, 1, length(figure) / 2)",
		"all of it":                    "UPDATE result SET figure = zeroblob(0)",
		"its sum":                      "UPDATE result SET sum = zeroblob(32)",
		"how long it took":             "UPDATE result SET millis = millis + 1",
		"when it was made":             "UPDATE result SET made_at = '2020-01-01T00:00:00Z'",
		"its place: that of another":   "UPDATE result SET key = 'x' || key; UPDATE result SET key = (SELECT substr(b.key, 2) FROM result b WHERE b.key LIKE 'x%' AND b.key != result.key) WHERE used = 1",
		"the type of its figure":       "DROP TABLE result; CREATE TABLE result (key, bytes, used, millis, made_at, sum, figure); INSERT INTO result VALUES ('x', 1, 1, 1, 1, 1, 1)",
		"the table of all the results": "DROP TABLE result",
	} {
		t.Run(name, func(t *testing.T) {
			r, log := cache(t, t.TempDir())
			want, _ := outputsOf(t, r, lens, other)
			if _, err := r.store.db.Exec(damage); err != nil {
				t.Fatal(err)
			}
			got, n := outputsOf(t, r, lens, other)
			if n[0] != 0 || got[0] != want[0] || got[1] != want[1] {
				t.Errorf("%d results recalled: %.200s", n[0], got)
			}
			gone := strings.HasPrefix(damage, "DROP")
			if !gone && !strings.Contains(log.String(), "a kept result is damaged and is computed again") {
				t.Errorf("the log says %s", log)
			}
			if gone && name != "the type of its figure" && !strings.Contains(log.String(), "a kept result cannot be read and is computed again") {
				t.Errorf("the log says %s", log)
			}
			if got, n := outputsOf(t, r, lens); !gone && n[0] != 1 || got[0] != want[0] {
				t.Errorf("afterwards %d results are recalled: %.200s", n[0], got)
			}
		})
	}
}

// picture is a figure of some bytes.
func picture(name string, numbers int) *viz.Figure {
	f := lines()
	f.Title = name
	f.Arrays["x"] = viz.Values(make([]float32, numbers), []string{"i"}, numbers)
	return f
}

// TestResultsAreBounded holds that the store keeps no more than its limit, and what
// was asked for last.
func TestResultsAreBounded(t *testing.T) {
	r, log := cache(t, t.TempDir())
	data, err := encodeFigure(picture("0", 3000))
	if err != nil {
		t.Fatal(err)
	}
	one := int64(len(data))
	r.limit = 10*one + one/2
	for i := range 10 {
		r.keep(fmt.Sprint("call ", i), picture(fmt.Sprint(i), 3000), time.Second)
	}
	for i := range 10 {
		if r.recall(fmt.Sprint("call ", i)) == nil {
			t.Fatalf("result %d of 10 is gone", i)
		}
	}
	r.recall("call 0") // and so 1 goes before it
	r.keep("call 3", picture("3 again", 3000), time.Second)
	r.keep("call 10", picture("a", 3000), time.Second)
	r.keep("call 11", picture("b", 3000), time.Second)
	for i, there := range []bool{true, false, false, true, true, true, true, true, true, true, true, true} {
		got := r.recall(fmt.Sprint("call ", i))
		if (got != nil) != there {
			t.Errorf("result %d is there: %v, want %v", i, got != nil, there)
		}
		if i == 3 && (got == nil || got.figure.Title != "3 again") {
			t.Error("a result that was kept again is the old one")
		}
	}
	r.keep("large", picture("large", 6000), time.Second)
	if r.recall("large") != nil || !strings.Contains(log.String(), "too large") {
		t.Errorf("a result of more than its share is kept: %s", log)
	}
	r.least = time.Second
	r.keep("quick", picture("quick", 1), time.Second-1)
	if r.recall("quick") != nil {
		t.Error("a result that was quick to compute is kept")
	}
	var held int64
	if err := r.store.db.QueryRow("SELECT sum(length(figure)) FROM result").Scan(&held); err != nil || held > r.limit || held < 9*one {
		t.Errorf("%d bytes are held, the limit is %d (%v)", held, r.limit, err)
	}
}

// TestFigureComesBack holds that special numbers, states and texts come back to the
// bit, and that what would not is not kept.
func TestFigureComesBack(t *testing.T) {
	f := lines()
	nan := math.Float32frombits(0x7fc12345)
	f.Arrays["x"].Data = []float32{nan, float32(math.Copysign(0, -1))}
	f.Arrays["y"].Data, f.Arrays["y"].State = []float32{math.SmallestNonzeroFloat32, float32(math.Inf(-1))}, []viz.State{viz.Blank, viz.Done}
	f.Texts["t"].Values = []string{"<é\u2028>", ""}
	f.Provenance.Params = map[string]any{"n": 1 << 53, "x": 1e21, "edits": []struct{ Z, A float32 }{{0.1, 2}}, "none": nil}
	data, err := encodeFigure(f)
	if err != nil {
		t.Fatal(err)
	}
	back, err := decodeFigure(data)
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range f.Arrays {
		b := back.Arrays[name]
		for i := range a.Data {
			v, s := a.At(i)
			w, u := b.At(i)
			if math.Float32bits(v) != math.Float32bits(w) || s != u {
				t.Errorf("%s[%d] is %v (%v), was %v (%v)", name, i, w, u, v, s)
			}
		}
	}
	f.Scales["s"] = viz.Scale{Hi: math.NaN()}
	if _, err := encodeFigure(f); err == nil {
		t.Error("a scale without a number is kept")
	}
	delete(f.Scales, "s")
	f.Texts["t"].Values = []string{"\xff", ""}
	if data, err := encodeFigure(f); err == nil {
		if back, err := decodeFigure(data); err != nil || back.Texts["t"].Values[0] != "\xff" {
			t.Errorf("a text that is no UTF-8 came back as another")
		}
	}
}

// TestNotKept holds that nothing is kept of calls that are not known by content, of
// failures, and of runs that were stopped.
func TestNotKept(t *testing.T) {
	r, _ := cache(t, t.TempDir())
	own := `effects(load("mental-2op"), n=3, metric=lambda logits, pair: logits[pair.answer])`
	for range 2 {
		if _, n := outputsOf(t, r, own, `attempt(logit_lens, load("mental-2op"), [9999])`); n[0] != 0 || n[1] != 0 {
			t.Errorf("%v results recalled", n)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	_, err := Execute(ctx, "a", []byte("```python {#c}\neffects(load(\"mental-2op\"), n=40)\n```\n"), Execution{Results: r,
		Each: func(e api.Event) {
			if e.Part != nil {
				once.Do(cancel)
			}
		}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("the run was not stopped: %v", err)
	}
	var n int
	if err := r.store.db.QueryRow("SELECT count(*) FROM result").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d results are kept (%v)", n, err)
	}
}

// TestStoreRefuses holds that a cache that cannot be written or read costs no run.
func TestStoreRefuses(t *testing.T) {
	r, log := cache(t, t.TempDir())
	want, _ := outputsOf(t, nil, lens)
	var pages int
	if err := r.store.db.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := r.store.db.Exec(fmt.Sprint("PRAGMA max_page_count = ", pages)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, n := outputsOf(t, r, lens); n[0] != 0 || got[0] != want[0] {
			t.Errorf("%d results recalled: %.200s", n[0], got)
		}
	}
	if !strings.Contains(log.String(), "a result is not kept") || !strings.Contains(log.String(), "full") {
		t.Errorf("the log says %s", log)
	}
}

// TestResultsMakeRoom holds that on a full disk what cells left takes the place of
// what can be computed again.
func TestResultsMakeRoom(t *testing.T) {
	r, _ := cache(t, t.TempDir())
	for i := range 4 {
		r.keep(fmt.Sprint("call ", i), picture("p", 50_000), time.Second)
	}
	var pages int
	if err := r.store.db.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := r.store.db.Exec(fmt.Sprint("PRAGMA max_page_count = ", pages)); err != nil {
		t.Fatal(err)
	}
	run := &Recorded{Cell: "c", State: api.StateDone, Outputs: []api.Output{{Kind: api.OutputFigure, Figure: picture("run", 40_000)}}}
	if err := r.store.saveRuns("a", run); err != nil {
		t.Fatalf("the run is lost, and the cache is not: %v", err)
	}
	back, err := r.store.runs("a")
	if err != nil || len(back) != 1 || back["c"].Outputs[0].Figure.Title != "run" {
		t.Errorf("the run is %v (%v)", back, err)
	}
	if r.recall("call 3") != nil {
		t.Error("the cache has kept its place")
	}
	r.limit = 1 << 30
	r.keep("too large", picture("p", 400_000), time.Second)
	if back, err := r.store.runs("a"); err != nil || len(back) != 1 {
		t.Errorf("a result that has no place took the run's: %v (%v)", back, err)
	}
}

// TestOpenResults holds that the cache of a folder is found from a file in it, also
// while a server has it open.
func TestOpenResults(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenResults(dir+"/a.md", slog.New(slog.DiscardHandler)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that no server has opened: %v", err)
	}
	r, _ := cache(t, dir)
	if err := os.Mkdir(dir+"/notes", 0o777); err != nil {
		t.Fatal(err)
	}
	other, err := OpenResults(dir+"/notes/a.md", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	other.least = 0
	outputsOf(t, other, lens)
	if _, n := outputsOf(t, r, lens); n[0] != 1 {
		t.Error("what the one kept the other does not find")
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
}

// TestResultsTogether runs notebooks of one folder at once.
func TestResultsTogether(t *testing.T) {
	r, log := cache(t, t.TempDir())
	want, _ := outputsOf(t, nil, lens)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 3 {
				if got, _ := outputsOf(t, r, lens); got[0] != want[0] {
					t.Errorf("left %.200s", got)
				}
			}
		})
	}
	all.Wait()
	if log.Len() > 0 {
		t.Errorf("the log says %s", log)
	}
}
