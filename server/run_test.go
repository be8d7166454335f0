package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/server"
	"orrery/server/api"
	"orrery/viz"
)

// toys are the models of the tests. Opening "gate" waits until the test lets
// it through, which holds a cell at a known place.
type toys struct {
	arrived chan struct{}
	pass    chan struct{}
}

func newToys() *toys { return &toys{arrived: make(chan struct{}, 100), pass: make(chan struct{}, 100)} }

func (t *toys) Open(name string) (*models.Model, error) {
	switch name {
	case "toy":
		return modeltest.Llama(1), nil
	case "wide": // for sweeps that can be interrupted
		return modeltest.Random("wide", models.Config{
			Layers: 4, Width: 64, Heads: 4, KVHeads: 4, HeadWidth: 16, MLPWidth: 256, Vocab: 11, Context: 32,
			Norm: models.LayerNorm, NormEps: 1e-5, Positions: models.Learned, Activation: "gelu_tanh", NormBias: true,
		}, 1), nil
	case "gate":
		t.arrived <- struct{}{}
		<-t.pass
		return modeltest.GPT2(1), nil
	case "panic":
		panic("a secret of the model")
	}
	return nil, &api.Error{Code: api.NotFound, Message: fmt.Sprintf("there is no model %q", name), Hint: "models are toy and gate"}
}

func (t *toys) List() ([]api.ModelInfo, error) { return []api.ModelInfo{{Name: "toy"}}, nil }

// states returns the course of the runs in events, as "cell state".
func states(events []api.Event) string {
	var list []string
	for _, ev := range events {
		if ev.CellState != nil {
			list = append(list, ev.CellState.Cell+" "+string(ev.CellState.State))
		}
	}
	return strings.Join(list, ", ")
}

func TestRunInOrder(t *testing.T) {
	s := start(t, server.Options{Models: newToys()})
	s.write("a", code("last", "z = y + 1\nz", "first", "x = 1\nprint('hello')\nx", "middle", "y = x + 1", "other", "w = 7"))
	events := s.finish("a", api.RunRequest{Cells: []string{"last"}})
	want := "first queued, middle queued, last queued, first running, first done, middle running, middle done, last running, last done"
	if got := states(events); !sameRuns(got, want) {
		t.Errorf("states:\n%s\nwant:\n%s", got, want)
	}
	for i, ev := range events[1:] {
		if ev.Seq <= events[i].Seq {
			t.Errorf("event %d follows %d", ev.Seq, events[i].Seq)
		}
	}
	snap := s.snapshot("a")
	if c := cell(t, snap, "last"); c.State != api.StateDone || c.Validity != api.Fresh || len(c.Outputs) != 1 || c.Outputs[0].Value.Repr != "3" || c.RanAt == "" {
		t.Errorf("last is %+v", c)
	}
	if c := cell(t, snap, "first"); len(c.Outputs) != 2 || c.Outputs[0].Text != "hello\n" || c.Outputs[1].Value.Type != "int" {
		t.Errorf("first is %+v", c)
	}
	if c := cell(t, snap, "other"); c.State != api.StateIdle || c.Validity != api.Fresh || !slices.Equal(c.Defines, []string{"w"}) {
		t.Errorf("other is %+v", c)
	}
	var names []string
	for _, v := range snap.Variables {
		names = append(names, v.Name+" of "+v.Cell)
	}
	if strings.Join(names, ", ") != "z of last, x of first, y of middle" {
		t.Errorf("variables %v", names)
	}
	// Only what is needed runs again.
	if got := states(s.finish("a", api.RunRequest{Cells: []string{"last"}})); got != "last queued, last running, last done" {
		t.Errorf("running again: %s", got)
	}
	if got := states(s.finish("a", api.RunRequest{Stale: true})); got != "other queued, other running, other done" {
		t.Errorf("running what is stale: %s", got)
	}
	if got := s.finish("a", api.RunRequest{All: true}); !strings.HasSuffix(states(got), "other running, other done") {
		t.Errorf("running all: %s", states(got))
	}
}

// sameRuns compares states, where a job may start before the last is queued.
func sameRuns(got, want string) bool {
	pick := func(s, suffix string) string {
		var list []string
		for _, x := range strings.Split(s, ", ") {
			if strings.HasSuffix(x, "queued") == (suffix == "queued") {
				list = append(list, x)
			}
		}
		return strings.Join(list, ", ")
	}
	return pick(got, "queued") == pick(want, "queued") && pick(got, "") == pick(want, "")
}

// TestStaleness follows outputs through edits: they are fresh exactly while
// the code that made them is there.
func TestStaleness(t *testing.T) {
	s := start(t, server.Options{Models: newToys()})
	s.write("a", code("x", "x = 1", "y", "y = x + 1\ny", "free", "5"))
	s.finish("a", api.RunRequest{All: true})
	validity := func() string {
		t.Helper()
		var list []string
		for _, c := range s.snapshot("a").Notebook.Cells {
			list = append(list, c.ID+" "+string(c.Validity))
		}
		return strings.Join(list, ", ")
	}
	if got := validity(); got != "x fresh, y fresh, free fresh" {
		t.Errorf("after the run: %s", got)
	}
	s.edit("a", api.Op{Op: api.OpSource, Cell: "x", Source: "x = 2"})
	if got := validity(); got != "x stale, y stale, free fresh" {
		t.Errorf("after an edit: %s", got)
	}
	s.edit("a", api.Op{Op: api.OpUndo})
	if got := validity(); got != "x fresh, y fresh, free fresh" {
		t.Errorf("after its undo: %s", got)
	}
	s.edit("a", api.Op{Op: api.OpRedo})
	if got := states(s.finish("a", api.RunRequest{Cells: []string{"y"}})); !sameRuns(got, "x queued, y queued, x running, x done, y running, y done") {
		t.Errorf("stale ancestors: %s", got)
	}
	if c := cell(t, s.snapshot("a"), "y"); c.Outputs[0].Value.Repr != "3" || validity() != "x fresh, y fresh, free fresh" {
		t.Errorf("y is %+v, %s", c, validity())
	}
	s.edit("a", api.Op{Op: api.OpDelete, Cell: "x"})
	if got := validity(); got != "y stale, free fresh" {
		t.Errorf("after deleting x: %s", got)
	}
	p := s.connect("a", "?since="+seq(s.snapshot("a")))
	s.edit("a", api.Op{Op: api.OpDelete, Cell: "y"})
	s.edit("a", api.Op{Op: api.OpUndo})
	events := p.until(func(ev api.Event) bool { return ev.Output != nil })
	if last := events[len(events)-1].Output; last.Cell != "y" || last.Output.Value.Repr != "3" {
		t.Errorf("a restored cell comes without its outputs: %+v", events)
	}
}

func TestFailures(t *testing.T) {
	s := start(t, server.Options{Models: newToys()})
	s.write("a", code("syntax", "x = (", "cause", "y = 1 / 0", "needs", "z = y", "twice1", "d = 1", "twice2", "d = 2",
		"c1", "p = q", "c2", "q = p", "lost", "nowhere", "model", `load("tiy")`, "broken", `load("panic")`, "fine", "f = 1\nf"))
	s.finish("a", api.RunRequest{All: true})
	snap := s.snapshot("a")
	for id, want := range map[string]string{"syntax": "", "cause": "division by zero", "needs": "comes from cell cause",
		"twice1": "defined in cell twice2", "twice2": "defined in cell twice1", "c1": "need each other", "c2": "need each other",
		"lost": "nowhere", "model": `no model "tiy"`, "broken": ""} {
		c := cell(t, snap, id)
		if c.State != api.StateFailed || len(c.Outputs) != 1 || c.Outputs[0].Kind != api.OutputError {
			t.Errorf("%s is %s with %+v", id, c.State, c.Outputs)
			continue
		}
		e := c.Outputs[0].Error
		if !strings.Contains(e.Message, want) || e.Cell != id || c.Validity != api.Fresh {
			t.Errorf("%s: %s: %+v", id, c.Validity, e)
		}
		if (id == "syntax" || id == "cause") && e.Line != 1 {
			t.Errorf("%s has no line: %+v", id, e)
		}
		if id == "broken" && e.Code != api.Internal {
			t.Errorf("a panic is %+v", e)
		}
	}
	if c := cell(t, snap, "fine"); c.State != api.StateDone || c.Outputs[0].Value.Repr != "1" {
		t.Errorf("a cell beside failing ones is %+v", c)
	}
}

// TestInterrupt holds that the running cell stops, that the queue is cleared
// in the same step, and that every page sees it on every cell.
func TestInterrupt(t *testing.T) {
	s := start(t, server.Options{Models: newToys()})
	s.write("a", code("loop", "while True: pass", "b", "1", "c", "2"))
	p := s.connect("a", "?since="+seq(s.snapshot("a")))
	s.run("a", api.RunRequest{All: true})
	p.until(state("loop", api.StateRunning))
	if jobs := s.snapshot("a").Jobs; len(jobs) != 3 || jobs[0].State != api.StateRunning || jobs[1].State != api.StateQueued {
		t.Errorf("jobs %+v", jobs)
	}
	call[any](s, "POST", notebookPath("a")+"/interrupt", api.InterruptRequest{})
	want := "b canceled, c canceled, loop canceled"
	if got := states(p.until(terminal("loop"))); !strings.HasSuffix(got, want) {
		t.Errorf("states %s, want %s", got, want)
	}
	if snap := s.snapshot("a"); len(snap.Jobs) != 0 || cell(t, snap, "b").State != api.StateCanceled {
		t.Errorf("after the interrupt %+v", snap)
	}
	s.run("a", api.RunRequest{Cells: []string{"loop", "b"}})
	p.until(state("loop", api.StateRunning))
	call[any](s, "POST", notebookPath("a")+"/interrupt", api.InterruptRequest{Cell: "loop"})
	if got := states(p.until(terminal("b"))); !strings.HasSuffix(got, "loop canceled, b running, b done") {
		t.Errorf("canceling one cell: %s", got)
	}
	s.fail(404, "POST", notebookPath("a")+"/interrupt", api.InterruptRequest{Cell: "z"})
	// Deleting a running cell stops it.
	s.run("a", api.RunRequest{Cells: []string{"loop"}})
	p.until(state("loop", api.StateRunning))
	s.edit("a", api.Op{Op: api.OpDelete, Cell: "loop"})
	p.until(state("loop", api.StateCanceled))
}

// TestCanceledKeepsOutputs holds that a run that is canceled before it left
// anything does not take the old outputs away.
func TestCanceledKeepsOutputs(t *testing.T) {
	toys := newToys()
	s := start(t, server.Options{Models: toys})
	s.write("a", code("c", `load("gate")`))
	toys.pass <- struct{}{}
	s.finish("a", api.RunRequest{All: true})
	<-toys.arrived
	before := cell(t, s.snapshot("a"), "c").Outputs
	p := s.connect("a", "?since="+seq(s.snapshot("a")))
	s.run("a", api.RunRequest{All: true})
	<-toys.arrived
	call[any](s, "POST", notebookPath("a")+"/interrupt", api.InterruptRequest{})
	events := p.until(terminal("c"))
	toys.pass <- struct{}{}
	if last := events[len(events)-1].CellState; last.State != api.StateCanceled || last.Validity != api.Fresh {
		t.Errorf("the run ended as %+v", last)
	}
	if ev := events[len(events)-2]; ev.Output == nil || ev.Output.Output.ID != before[0].ID {
		t.Errorf("the old output was not sent again: %+v", ev)
	}
	if after := cell(t, s.snapshot("a"), "c"); len(after.Outputs) != 1 || after.Outputs[0].ID != before[0].ID || after.State != api.StateCanceled {
		t.Errorf("after the cancel %+v", after)
	}
}

// TestStreamedFigure holds that the parts of a figure make the same figure in
// a page that follows, in a snapshot, in an export and after a restart.
func TestStreamedFigure(t *testing.T) {
	s := start(t, server.Options{Models: newToys()})
	s.write("a", code("m", `m = load("toy")`, "lens", `logit_lens(m, tokens(m, [1, 2, 3]))`))
	events := s.finish("a", api.RunRequest{Cells: []string{"lens"}})
	var shown *api.Output
	parts := 0
	for _, ev := range events {
		switch {
		case ev.Output != nil && ev.Output.Cell == "lens":
			shown = &ev.Output.Output
		case ev.Part != nil:
			if shown == nil || ev.Part.Output != shown.ID {
				t.Fatalf("a part of %s before its figure", ev.Part.Output)
			}
			if err := shown.Figure.Apply(ev.Part.Part); err != nil {
				t.Fatal(err)
			}
			parts++
		}
	}
	if shown == nil || shown.Figure == nil {
		t.Fatalf("no figure in %+v", cell(t, s.snapshot("a"), "lens"))
	}
	c := cell(t, s.snapshot("a"), "lens")
	if len(c.Outputs) != 1 || !sameJSON(t, *c.Outputs[0].Figure, *shown.Figure) {
		t.Errorf("after %d parts the page has another figure than the snapshot", parts)
	}
	for name, a := range shown.Figure.Arrays {
		for i := range a.Data {
			if _, st := a.At(i); st == viz.Pending {
				t.Fatalf("array %s is pending at %d at the end", name, i)
			}
		}
	}
	export := notebookPath("a") + "/cells/lens/outputs/" + shown.ID
	for _, format := range api.ExportFormats {
		status, h, body := s.send(s.request("GET", export+"."+format, nil))
		f, err := viz.FindFormat(format)
		if err != nil || status != 200 || len(body) == 0 || h.Get("Content-Type") != f.MIME {
			t.Errorf("%s: %d, %d bytes, %v", format, status, len(body), h)
		}
		if want := `attachment; filename=`; !strings.HasPrefix(h.Get("Content-Disposition"), want) || !strings.HasSuffix(h.Get("Content-Disposition"), "."+format) {
			t.Errorf("%s is shown as %q", format, h.Get("Content-Disposition"))
		}
		if !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s may act as a page: %v", format, h)
		}
	}
	_, _, exported := s.send(s.request("GET", export+".json", nil))
	var f viz.Figure
	if err := json.Unmarshal(exported, &f); err != nil || !sameJSON(t, f, *shown.Figure) {
		t.Errorf("the exported figure is another (%v)", err)
	}
	for path, want := range map[string]int{export + ".exe": 400, export: 400, export + ".svg?show=nothing": 400,
		export + ".svg?theme=pink": 400, export + "x.svg": 404, notebookPath("a") + "/cells/zzz/outputs/o.svg": 404,
		export + ".svg?frame=0": 400, export + ".svg?frame=last": 400, export + ".svg?turn=20": 400, export + ".svg?turn=20,30": 400,
		export + ".svg?colour=digit": 400, export + ".svg?theme=dark&show=rank": 200, export + ".svg?show.0=rank": 400, export + ".svg?colour.x=resid": 400} {
		if status, _, body := s.send(s.request("GET", path, nil)); status != want {
			t.Errorf("%s: %d %.200s", path, status, body)
		}
	}
	s.stop()
	toys := newToys()
	s = start(t, server.Options{Dir: s.dir, Models: toys})
	again := cell(t, s.snapshot("a"), "lens")
	if len(again.Outputs) != 1 || !sameJSON(t, again.Outputs[0], c.Outputs[0]) || again.Validity != api.Fresh || again.State != api.StateDone {
		t.Errorf("after a restart the cell is %+v", again)
	}
	// Values are not kept: the cell that it needs runs again.
	if got := states(s.finish("a", api.RunRequest{Cells: []string{"lens"}})); !sameRuns(got, "m queued, lens queued, m running, m done, lens running, lens done") {
		t.Errorf("running after a restart: %s", got)
	}
}

func sameJSON(t *testing.T, a, b any) bool {
	t.Helper()
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(x) == string(y)
}

// TestPrinting holds that much text comes in few events, whole and in order,
// and that text behind a value stands behind it.
func TestPrinting(t *testing.T) {
	s := start(t, server.Options{Models: newToys()})
	s.write("a", code("p", "for i in range(20000): print('line', i)\nlast = 1\nlast"))
	events := s.finish("a", api.RunRequest{All: true})
	if len(events) > 2000 {
		t.Errorf("20000 lines came in %d events", len(events))
	}
	c := cell(t, s.snapshot("a"), "p")
	var text strings.Builder
	for _, o := range c.Outputs[:len(c.Outputs)-1] {
		text.WriteString(o.Text)
		if len(o.Text) > 64<<10 {
			t.Errorf("one output has %d bytes of text", len(o.Text))
		}
	}
	var want strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&want, "line %d\n", i)
	}
	if text.String() != want.String() {
		t.Errorf("%d bytes of text, want %d", text.Len(), want.Len())
	}
	if c.Outputs[len(c.Outputs)-1].Kind != api.OutputValue {
		t.Errorf("the last output is %+v", c.Outputs[len(c.Outputs)-1])
	}
}

// TestRunAgainWhileRunning holds that an edited cell that still runs is run
// again afterwards, and that the same code is not run twice.
func TestRunAgainWhileRunning(t *testing.T) {
	toys := newToys()
	s := start(t, server.Options{Models: toys})
	s.write("a", code("c", `m = load("gate")`))
	p := s.connect("a", "?since="+seq(s.snapshot("a")))
	first := s.run("a", api.RunRequest{All: true})
	<-toys.arrived
	if again := s.run("a", api.RunRequest{All: true}); len(again) != 1 || again[0].ID != first[0].ID {
		t.Errorf("the same code was queued again: %+v", again)
	}
	s.edit("a", api.Op{Op: api.OpSource, Cell: "c", Source: "m = 2\nm"})
	second := s.run("a", api.RunRequest{All: true})
	toys.pass <- struct{}{}
	events := p.until(func(ev api.Event) bool {
		return ev.CellState != nil && ev.CellState.Job == second[0].ID && ev.CellState.State == api.StateDone
	})
	if got := states(events); got != "c queued, c running, c done, c queued, c running, c done" {
		t.Errorf("states %s", got)
	}
	if c := cell(t, s.snapshot("a"), "c"); c.Outputs[0].Value.Repr != "2" || c.Validity != api.Fresh {
		t.Errorf("the cell is %+v", c)
	}
}

func TestTokenizeAndWorkspace(t *testing.T) {
	s := start(t, server.Options{Version: "1.2.3", Models: newToys()})
	w := call[api.Workspace](s, "GET", "/api/workspace", nil)
	if w.Version != "1.2.3" || w.Folder != s.dir || len(w.Models) != 1 || len(w.Analyses) < 2 || w.Notebooks == nil {
		t.Errorf("workspace %+v", w)
	}
	if len(w.Folders) < 2 || w.Folders[0].Name != filepath.Base(s.dir) || !w.Folders[len(w.Folders)-1].Results {
		t.Errorf("folders %+v", w.Folders)
	}
	if e := s.fail(404, "POST", "/api/tokenize", api.TokenizeRequest{Model: "tiy", Prompt: "1"}); !strings.Contains(e.Message, "tiy") {
		t.Errorf("error %+v", e)
	}
	if e := s.fail(400, "POST", "/api/tokenize", api.TokenizeRequest{Model: "toy", Prompt: "1"}); !strings.Contains(e.Message, "tokenizer") {
		t.Errorf("error of a model without a tokenizer: %+v", e)
	}
}

// TestForm edits an argument as the page does; the document is left alone.
func TestForm(t *testing.T) {
	s := start(t, server.Options{Models: newToys()})
	f := call[api.FormResponse](s, "POST", "/api/form", api.FormRequest{Source: "effects(m, p)", Types: map[string]string{"p": "pairs"}, Edit: &api.FormEdit{Name: "show", Text: `"heads"`}})
	if f.Source != `effects(m, p, show="heads")` || len(f.Calls) != 1 || len(f.Calls[0].Args) != 3 || f.Calls[0].Args[1].Name != "prompts" {
		t.Errorf("form %+v", f)
	}
	if e := s.fail(400, "POST", "/api/form", api.FormRequest{Source: "effects(m", Edit: nil}); e.Line != 1 {
		t.Errorf("error %+v", e)
	}
}

func TestExecute(t *testing.T) {
	text := code("y", "y = x + 1\ny", "x", `x = 1`, "bad", "1/0", "lens", `logit_lens(load("toy"), [1, 2, 3])`)
	seen := 0
	done, err := server.Execute(t.Context(), "notes/a", []byte(text), server.Execution{Models: newToys(), Each: func(api.Event) { seen++ }})
	if err != nil {
		t.Fatal(err)
	}
	if got := done.Notebook.Cells[0].Outputs[0].Value.Repr; got != "2" || done.Notebook.ID != "notes/a" || seen < 12 {
		t.Errorf("y is %s, %d events, %+v", got, seen, done.Notebook)
	}
	if err := done.Failed(); err == nil || !strings.Contains(err.Error(), "cell bad") {
		t.Errorf("the failure is %v", err)
	}
	if len(done.Recorded) != 4 || done.Recorded[3].Outputs[0].Figure == nil || done.Recorded[0].Hash == "" {
		t.Errorf("recorded %+v", done.Recorded)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = server.Execute(ctx, "a", []byte(code("loop", "while True: pass")), server.Execution{Each: func(ev api.Event) {
		if ev.CellState != nil && ev.CellState.State == api.StateRunning {
			cancel()
		}
	}})
	if err == nil || ctx.Err() == nil {
		t.Errorf("an interrupted execution gave %v", err)
	}
	if _, err := server.Execute(t.Context(), "a", []byte("\xff"), server.Execution{}); err == nil {
		t.Error("bytes that are no text were executed")
	}
	empty, err := server.Execute(t.Context(), "a", nil, server.Execution{})
	if err != nil || len(empty.Notebook.Cells) != 0 || empty.Failed() != nil {
		t.Errorf("an empty notebook gave %+v, %v", empty, err)
	}
}
