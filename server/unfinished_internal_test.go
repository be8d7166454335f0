package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"orrery/ablate"
	"orrery/server/analysis"
	"orrery/server/api"
	"orrery/viz"
)

// A long sweep, to interrupt, and a short one.
const (
	long  = `activation_patching(load("mental-2op"), n=60, hi=30, sweep="attn_head_by_pos_every")`
	short = `activation_patching(load("mental-2op"), n=6, hi=30, sweep="block_every")`
)

// gathered keeps runs in memory.
type gathered map[string][]ablate.FinishedRun

func (g gathered) Kept(string) []ablate.FinishedRun        { return nil }
func (g gathered) Keep(sweep string, r ablate.FinishedRun) { g[sweep] = append(g[sweep], r) }
func (g gathered) Forget(string)                           {}

// leave puts the first runs of the short call into a store, as so many rows.
func leave(t *testing.T, r *Results, runs, rows int) {
	t.Helper()
	a, err := analysis.Find("activation_patching")
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewCatalog().Open("mental-2op")
	if err != nil {
		t.Fatal(err)
	}
	bound, err := a.Bind(analysis.Args{"m": m, "n": 6, "hi": 30, "sweep": "block_every"})
	if err != nil {
		t.Fatal(err)
	}
	key, err := a.Key(bound)
	if err != nil {
		t.Fatal(err)
	}
	all := gathered{}
	quiet := analysis.Emit{Progress: func(int, int, string) {}, Figure: func(*viz.Figure) {}, Part: func(viz.Part) {}}
	if _, err := a.Resume(t.Context(), bound, quiet, all); err != nil {
		t.Fatal(err)
	}
	every := r.every
	r.every = time.Hour
	u := open(t, r, key)
	r.every = every
	for sweep, list := range all {
		for i, one := range list[:runs] {
			if u.Keep(sweep, one); (i+1)%(runs/rows) == 0 {
				u.write()
			}
		}
	}
	u.stop()
	if n, _ := partsOf(t, r); len(all) != 1 || n != int64(rows) {
		t.Fatalf("%d rows of %d sweeps", n, len(all))
	}
}

// execute runs a cell with a cache, and stops it when so many cells of a sweep are
// done; 0 for not at all.
func execute(t *testing.T, r *Results, source string, stop int) *viz.Figure {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done, err := Execute(ctx, "a", []byte("```python {#c}\n"+source+"\n```\n"), Execution{Results: r, Each: func(e api.Event) {
		if p := e.Progress; p != nil && p.Progress.Unit != "prompts" && p.Progress.Done >= stop && stop > 0 {
			cancel()
		}
	}})
	if stop > 0 {
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("the run was not stopped: %v", err)
		}
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := done.Failed(); err != nil {
		t.Fatal(err)
	}
	return done.Recorded[0].Outputs[0].Figure
}

// partsOf counts rows and bytes of what is kept of unfinished calls.
func partsOf(t *testing.T, r *Results) (rows, bytes int64) {
	t.Helper()
	if err := r.store.db.QueryRow("SELECT count(*), coalesce(sum(bytes), 0) FROM part").Scan(&rows, &bytes); err != nil {
		t.Fatal(err)
	}
	return rows, bytes
}

// sameNumbers fails unless all is equal but the cost.
func sameNumbers(t *testing.T, got, want *viz.Figure) {
	t.Helper()
	if c, err := viz.Compare(want, got); err != nil || !c.Exact() {
		t.Errorf("the figure is another: %+v, %v", c, err)
	}
}

// TestInterruptedGoesOn interrupts a sweep at several places, in this process and with
// the store opened anew, and goes on from there. The finished figure takes the place
// of its runs, and a call without a cache reads nothing.
func TestInterruptedGoesOn(t *testing.T) {
	want := execute(t, nil, long, 0)
	for round, stops := range [][]int{{1}, {1, 1}} {
		dir := t.TempDir()
		for _, stop := range stops {
			r, log := cache(t, dir)
			execute(t, r, long, stop)
			if rows, _ := partsOf(t, r); rows == 0 || log.Len() > 0 {
				t.Fatalf("round %d: %d rows are kept; the log says %s", round, rows, log)
			}
		}
		r, log := cache(t, dir)
		if f := execute(t, nil, long, 0); f.Provenance.Resumed != "" {
			t.Errorf("a call without a cache took %s", f.Provenance.Resumed)
		}
		if rows, _ := partsOf(t, r); rows == 0 {
			t.Error("a call without a cache took the rows away")
		}
		f := execute(t, r, long, 0)
		sameNumbers(t, f, want)
		if f.Provenance.Resumed == "" || !strings.Contains(f.Caption, "Kept from an interrupted run: ") {
			t.Errorf("round %d: resumed %q, %s", round, f.Provenance.Resumed, f.Caption)
		}
		if rows, _ := partsOf(t, r); rows != 0 {
			t.Errorf("round %d: %d rows stay behind the result", round, rows)
		}
		got, n := outputsOf(t, r, long)
		if n[0] != 1 || !strings.Contains(got[0], f.Provenance.Resumed) {
			t.Errorf("round %d: the result is recalled %d times: %.300s", round, n[0], got[0])
		}
		if log.Len() > 0 {
			t.Errorf("the log says %s", log)
		}
	}
}

// TestFinishedRunsAreOfOneCall holds that no call takes the runs of another, whatever
// differs, nor those of another program.
func TestFinishedRunsAreOfOneCall(t *testing.T) {
	r, _ := cache(t, t.TempDir())
	leave(t, r, 100, 2)
	for name, other := range map[string]string{
		"another prompt":  strings.Replace(short, "n=6", "n=7", 1),
		"another seed":    strings.Replace(short, "n=6", "n=6, seed=8", 1),
		"another metric":  strings.Replace(short, "sweep=", "metric=\"prob\", sweep=", 1),
		"another model":   strings.Replace(short, "load(\"mental-2op\")", "load(\"mental-2op\").process()", 1),
		"another sweep":   strings.Replace(short, "block_every", "attn_head_all_pos_every", 1),
		"other direction": strings.Replace(short, "sweep=", "direction=\"noise\", sweep=", 1),
	} {
		if f := execute(t, r, other, 0); other == short || f.Provenance.Resumed != "" {
			t.Errorf("%s: took %s", name, f.Provenance.Resumed)
		}
	}
	own, err := r.program()
	if err != nil {
		t.Fatal(err)
	}
	r.program = func() (string, error) { return own[1:] + "0", nil }
	if f := execute(t, r, short, 0); f.Provenance.Resumed != "" {
		t.Errorf("another program took %s", f.Provenance.Resumed)
	}
	r.program = func() (string, error) { return own, nil }
	if f := execute(t, r, short, 0); f.Provenance.Resumed == "" {
		t.Error("the runs of the call are gone")
	}
}

// TestDamagedRuns changes what is in the store in every way. The call takes what
// stands before the damage, or nothing, and its result is right.
func TestDamagedRuns(t *testing.T) {
	want := execute(t, nil, short, 0)
	const last = " WHERE rowid = (SELECT max(rowid) FROM part)"
	const first = " WHERE rowid = (SELECT min(rowid) FROM part)"
	for name, c := range map[string]struct {
		damage  string
		taken   bool // something is
		damaged bool // the log says so
	}{
		"a byte of the last row":   {"UPDATE part SET runs = CAST(substr(runs, 1, 99) || x'5a' || substr(runs, 101) AS BLOB)" + last, true, true},
		"half of the last row":     {"UPDATE part SET runs = substr(runs, 1, length(runs) / 2)" + last, true, true},
		"half of the first row":    {"UPDATE part SET runs = substr(runs, 1, length(runs) / 2)" + first, false, true},
		"all of the first row":     {"UPDATE part SET runs = zeroblob(0)" + first, false, true},
		"the first row is missing": {"DELETE FROM part" + first, false, false},
		"the sums":                 {"UPDATE part SET sum = zeroblob(32)", false, true},
		"the places":               {"UPDATE part SET first = first + 1", false, true},
		"the sweep":                {"UPDATE part SET sweep = 'a' || sweep", false, true},
		"the time":                 {"UPDATE part SET millis = -1", false, true},
		"the key: another call's":  {"UPDATE part SET key = 'a' || key", false, false},
		"the types":                {"DROP TABLE part; CREATE TABLE part (key, sweep, first, bytes, used, millis, sum, runs); INSERT INTO part SELECT key, 1, 'x', 'x', 1, 'x', 1, 1 FROM result", false, false},
		"the table":                {"DROP TABLE part", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			r, log := cache(t, t.TempDir())
			leave(t, r, 100, 4)
			if _, err := r.store.db.Exec(c.damage); err != nil {
				t.Fatal(err)
			}
			f := execute(t, r, short, 0)
			sameNumbers(t, f, want)
			if (f.Provenance.Resumed != "") != c.taken {
				t.Errorf("resumed %q, want anything: %v", f.Provenance.Resumed, c.taken)
			}
			if strings.Contains(log.String(), "are damaged and are computed again") != c.damaged {
				t.Errorf("the log says %s", log)
			}
		})
	}
}

// TestDecodeRuns holds that runs come back to the bit, and that what is none is an
// error.
func TestDecodeRuns(t *testing.T) {
	want := []ablate.FinishedRun{
		{Cell: 3, Row: 1, Numbers: []float64{math.Pi, math.Copysign(0, -1)}},
		{Cell: 1 << 40, Row: 0, Numbers: []float64{math.Inf(-1), 5e-324}},
	}
	data := encodeRuns(want)
	if got, err := decodeRuns(data); err != nil || !reflect.DeepEqual(got, want) || !math.Signbit(got[0].Numbers[1]) {
		t.Errorf("%v, %v", got, err)
	}
	nan := []ablate.FinishedRun{{Numbers: []float64{math.Float64frombits(0x7ff8dead0000beef)}}}
	if got, err := decodeRuns(encodeRuns(nan)); err != nil || math.Float64bits(got[0].Numbers[0]) != 0x7ff8dead0000beef {
		t.Errorf("%v, %v", got, err)
	}
	for cut := range len(data) {
		if (cut-8)%32 == 0 { // whole runs
			continue
		}
		if _, err := decodeRuns(data[:cut]); err == nil {
			t.Errorf("%d of %d bytes are runs", cut, len(data))
		}
	}
	for _, width := range []byte{0xff, 0x80} {
		if _, err := decodeRuns(bytes.Repeat([]byte{width}, 40)); err == nil {
			t.Errorf("a width of %x… is taken", width)
		}
	}
}

// open opens a call of which runs are kept, without writing by itself.
func open(t *testing.T, r *Results, call string) *unfinished {
	t.Helper()
	u, err := r.unfinished(call, false)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestFinishedRunsAreBounded holds that the store keeps no more than its limit and of
// one call no more than its share, and that what was written last stays.
func TestFinishedRunsAreBounded(t *testing.T) {
	r, log := cache(t, t.TempDir())
	r.every = time.Hour
	run := ablate.FinishedRun{Numbers: make([]float64, 10)}
	r.partLimit = 12_000
	for i := range 20 {
		u := open(t, r, fmt.Sprint("call ", i))
		for range 20 {
			u.Keep("s", run)
		}
		u.stop()
	}
	if _, held := partsOf(t, r); held > r.partLimit || held < r.partLimit/2 {
		t.Errorf("%d bytes are held, the limit is %d", held, r.partLimit)
	}
	for i, there := range map[int]bool{0: false, 5: false, 18: true, 19: true} {
		if n := len(open(t, r, fmt.Sprint("call ", i)).Kept("s")); (n == 20) != there || n != 0 && n != 20 {
			t.Errorf("%d runs of call %d", n, i)
		}
	}
	u := open(t, r, "long")
	for range 1000 {
		u.Keep("s", run)
	}
	u.stop()
	u = open(t, r, "long")
	if n := int64(len(u.Kept("s"))); n == 0 || n*96 > r.partLimit/partShare {
		t.Errorf("%d runs of one call are kept", n)
	}
	u.Keep("s", run)
	u.stop()
	u.Keep("s", run) // later than that
	u.write()
	if log.Len() > 0 {
		t.Errorf("the log says %s", log)
	}
}

// TestTwoOfOneCall runs a call twice at once: what both write is taken once.
func TestTwoOfOneCall(t *testing.T) {
	r, log := cache(t, t.TempDir())
	r.every = time.Hour
	a, b := open(t, r, "call"), open(t, r, "call")
	run := func(i int) ablate.FinishedRun { return ablate.FinishedRun{Cell: i, Numbers: []float64{float64(i)}} }
	rng := rand.New(rand.NewPCG(1, 2))
	for at := [2]int{}; at[0] < 100 || at[1] < 70; {
		i := rng.IntN(2)
		for range rng.IntN(20) {
			if at[i] < []int{100, 70}[i] {
				[]*unfinished{a, b}[i].Keep("s", run(at[i]))
				at[i]++
			}
		}
		[]*unfinished{a, b}[i].write()
	}
	a.stop()
	b.stop()
	kept := open(t, r, "call").Kept("s")
	for i, k := range kept {
		if !reflect.DeepEqual(k, run(i)) {
			t.Fatalf("run %d is %v", i, k)
		}
	}
	if len(kept) != 100 || log.Len() > 0 {
		t.Errorf("%d runs are kept; the log says %s", len(kept), log)
	}
}

// TestShortCallsWriteNothing holds that a call that takes less than a result that is
// kept costs the disk nothing, stopped or not.
func TestShortCallsWriteNothing(t *testing.T) {
	r, _ := cache(t, t.TempDir())
	r.least, r.every = time.Hour, time.Hour
	execute(t, r, long, 1)
	execute(t, r, short, 0)
	if rows, _ := partsOf(t, r); rows != 0 {
		t.Errorf("%d rows", rows)
	}
}

// TestStoreRefusesRuns holds that a store that takes no runs costs no run, and that
// they give their place to what cells left.
func TestStoreRefusesRuns(t *testing.T) {
	r, log := cache(t, t.TempDir())
	u := open(t, r, "call")
	for range 20_000 {
		u.Keep("s", ablate.FinishedRun{Numbers: make([]float64, 10)})
	}
	u.stop()
	var pages int
	if err := r.store.db.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := r.store.db.Exec(fmt.Sprint("PRAGMA max_page_count = ", pages)); err != nil {
		t.Fatal(err)
	}
	u = open(t, r, "other")
	for range 20_000 {
		u.Keep("s", ablate.FinishedRun{Numbers: make([]float64, 10)})
	}
	u.stop()
	if !strings.Contains(log.String(), "the finished runs of a sweep are not kept") {
		t.Errorf("the log says %s", log)
	}
	run := &Recorded{Cell: "c", State: api.StateDone, Outputs: []api.Output{{Kind: api.OutputFigure, Figure: picture("run", 40_000)}}}
	if err := r.store.saveRuns("a", run); err != nil {
		t.Fatalf("what a cell left is lost, and finished runs are not: %v", err)
	}
	if rows, _ := partsOf(t, r); rows != 0 {
		t.Errorf("%d rows keep their place", rows)
	}
}
