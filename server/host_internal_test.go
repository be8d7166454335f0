package server

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"orrery/server/api"
	"orrery/server/job"
	"orrery/server/notebook"
	"orrery/viz"
)

// openHub opens a notebook of one code cell "c" that keeps nothing.
func openHub(t *testing.T) (*hub, *feed) {
	t.Helper()
	doc := &notebook.Notebook{Cells: []notebook.Cell{{ID: "c", Kind: api.CellCode, Source: "1"}}}
	h := newHub(hubConfig{id: "a", log: slog.New(slog.DiscardHandler)}, &opened{doc: doc})
	t.Cleanup(func() {
		if err := h.queue.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return h, h.subscribe(h.seq)
}

// begin makes the host of a job that runs.
func begin(h *hub) *host {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cell("c").clearing = true
	return newHost(h, "c", "job", h.plan.hash("c"), false)
}

func lines() *viz.Figure {
	return &viz.Figure{Kind: viz.KindLines, Title: "t", Lines: &viz.Lines{X: "x", XScale: "s", YScale: "s", Series: []viz.Series{{Name: "y", Y: "y"}}},
		Arrays: map[string]*viz.Array{"x": viz.Values([]float32{1, 2}, []string{"i"}, 2), "y": viz.NewArray([]string{"i"}, 2)},
		Texts:  map[string]*viz.Text{"t": viz.NewText(2)},
		Scales: map[string]viz.Scale{"s": {Kind: viz.ScaleLinear, Hi: 2, Format: "%.1f"}}}
}

// TestFigureIsCopied holds that neither the maker of a figure nor a page that
// exports it shares numbers with the notebook.
func TestFigureIsCopied(t *testing.T) {
	h, _ := openHub(t)
	host := begin(h)
	f := lines()
	host.Output(api.Output{ID: "f", Kind: api.OutputFigure, Figure: f})
	f.Arrays["y"].Set(0, []float32{7, 7})
	f.Texts["t"].Values[0] = "changed"
	f.Scales["s"] = viz.Scale{Hi: 99}
	host.Part("f", viz.Part{Arrays: []viz.ArrayRun{{Name: "y", Offset: 1, F32: viz.EncodeFloats([]float32{5})}},
		Scales: map[string]viz.Scale{"s": {Kind: viz.ScaleLinear, Hi: 5, Format: "%.1f"}}})
	host.close()
	got, err := h.figure("c", "job-f")
	if err != nil {
		t.Fatal(err)
	}
	if v, st := got.Arrays["y"].At(0); v != 0 || st != viz.Pending || got.Texts["t"].Values[0] != "" || got.Scales["s"].Hi != 5 {
		t.Errorf("the notebook's figure was changed from outside: %v %v %v", v, st, got.Scales)
	}
	if v, st := got.Arrays["y"].At(1); v != 5 || st != viz.Done {
		t.Errorf("the part is not in the figure: %v %v", v, st)
	}
	got.Arrays["y"].Data[1] = 6
	if again, err := h.figure("c", "job-f"); err != nil || again.Arrays["y"].Data[1] != 5 {
		t.Errorf("an export changed the notebook (%v)", err)
	}
}

// TestPartsAreGathered holds that many parts travel in few events, in order,
// and that parts without a figure do no harm.
func TestPartsAreGathered(t *testing.T) {
	h, f := openHub(t)
	host := begin(h)
	host.Part("f", viz.Part{})
	host.Output(api.Output{ID: "f", Kind: api.OutputFigure, Figure: lines()})
	for i := range 1000 {
		host.Part("f", viz.Part{Arrays: []viz.ArrayRun{{Name: "y", Offset: i % 2, F32: viz.EncodeFloats([]float32{float32(i)})}}})
	}
	host.Part("f", viz.Part{Arrays: []viz.ArrayRun{{Name: "y", Offset: 2, F32: viz.EncodeFloats([]float32{1})}}}) // does not fit
	host.Progress("lens", 1, 2, "layers")
	host.close()
	host.Print("too late")
	host.Output(api.Output{ID: "late"})
	host.Progress("late", 2, 2, "layers")
	events, _ := f.take()
	shown := lines()
	parts := 0
	for _, r := range events {
		var ev api.Event
		if err := json.Unmarshal(r.data, &ev); err != nil {
			t.Fatal(err)
		}
		switch {
		case ev.Part != nil:
			parts++
			if err := shown.Apply(ev.Part.Part); err != nil {
				t.Error(err)
			}
		case ev.Output != nil && ev.Output.Output.ID != "job-f", ev.Progress != nil && ev.Progress.Progress.Label == "late":
			t.Errorf("event %s came after the end", r.data)
		}
	}
	if y := shown.Arrays["y"].Data; parts > 100 || y[0] != 998 || y[1] != 999 {
		t.Errorf("%d parts leave %v", parts, y)
	}
}

// TestFirstNumbersTravelAtOnce holds that the first numbers of a figure do not wait
// for the others, whatever was reported before them, and that later ones do.
func TestFirstNumbersTravelAtOnce(t *testing.T) {
	h, f := openHub(t)
	host := begin(h)
	host.throttle = job.NewThrottle(time.Hour, func() {})
	part := viz.Part{Arrays: []viz.ArrayRun{{Name: "y", F32: viz.EncodeFloats([]float32{1})}}}
	for _, id := range []string{"f", "g"} {
		host.Output(api.Output{ID: id, Kind: api.OutputFigure, Figure: lines()})
		host.Progress("lens", 0, 2, "layers")
		f.take()
		host.Part(id, part)
		if events, _ := f.take(); !slices.ContainsFunc(events, func(r record) bool { return bytes.Contains(r.data, []byte(`"op":"figure.part"`)) }) {
			t.Errorf("%s: its first numbers wait, %d other events came", id, len(events))
		}
		host.Part(id, part)
		if events, _ := f.take(); len(events) > 0 {
			t.Errorf("%s: later numbers are not gathered: %s", id, events[0].data)
		}
	}
}

// TestBadOutputs holds that what is no JSON, and what is too much, becomes an
// error in place.
func TestBadOutputs(t *testing.T) {
	h, f := openHub(t)
	host := begin(h)
	bad := lines()
	bad.Badges = []viz.Badge{{Text: "nan", Value: math.NaN()}}
	host.Output(api.Output{ID: "f", Kind: api.OutputFigure, Figure: bad})
	events, _ := f.take()
	var ev api.Event
	if len(events) != 1 || json.Unmarshal(events[0].data, &ev) != nil || ev.Output.Output.Error.Code != api.Internal || ev.Output.Output.ID != "job-f" {
		t.Errorf("a figure with a NaN badge became %+v", ev)
	}
	if _, err := h.snapshot(); err != nil {
		t.Errorf("the notebook cannot be opened any more: %v", err)
	}
	for range 2 * maxOutputs {
		host.Output(api.Output{Kind: api.OutputValue, Value: &api.Value{Type: "int", Repr: "1"}})
	}
	host.close()
	outputs := h.cells["c"].run.Outputs
	if last := outputs[len(outputs)-1]; len(outputs) != maxOutputs || last.Error == nil || last.Error.Code != api.TooLarge {
		t.Errorf("%d outputs, the last %+v", len(outputs), last)
	}
}

// TestPlaceLooksAgain holds that a change between the draft and its placing is
// not overwritten either.
func TestPlaceLooksAgain(t *testing.T) {
	dir := t.TempDir()
	f, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.root.Close()
	file := filepath.Join(dir, "a.md")
	for _, before := range []string{"", "mine"} {
		if before != "" {
			if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		seen, err := f.look("a.md", stamp{})
		if err != nil {
			t.Fatal(err)
		}
		d, err := f.draft("a.md", []byte("new"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("theirs"), 0o600); err != nil {
			t.Fatal(err)
		}
		now, changed, err := d.place(seen)
		if err != nil || !changed || now.hash != hashOf([]byte("theirs")) {
			t.Errorf("before %q: placed %v, %v", before, changed, err)
		}
		if data, err := os.ReadFile(file); err != nil || string(data) != "theirs" {
			t.Errorf("before %q: the file is %q (%v)", before, data, err)
		}
		if _, err := os.Lstat(filepath.Join(dir, ".a.md.draft")); err == nil {
			t.Error("a draft is left")
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v (%v)", info.Mode(), err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}
