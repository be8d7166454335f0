package script_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/zoo"
	"orrery/server/api"
	"orrery/server/script"
	"orrery/viz"
)

// host records what a run tells it.
type host struct {
	mu      sync.Mutex
	events  []string
	text    string
	outputs []api.Output
	busy    bool
	late    bool // Run has returned; calls are errors
	t       testing.TB
	model   *models.Model
	onPrint func()
	kept    map[string]*viz.Figure // nil keeps nothing
	asked   []string               // keys
}

func newHost(t testing.TB) *host { return &host{t: t} }

// enter checks that calls come one at a time and not after the end.
func (h *host) enter(event string) func() {
	h.mu.Lock()
	if h.busy || h.late {
		h.t.Errorf("call %s while busy (%v) or late (%v)", event, h.busy, h.late)
	}
	h.busy = true
	if !slices.Contains([]string{"recall", "unfinished", "keep"}, event) {
		h.events = append(h.events, event)
	}
	h.mu.Unlock()
	return func() { h.mu.Lock(); h.busy = false; h.mu.Unlock() }
}

func (h *host) Print(text string) {
	defer h.enter("print")()
	h.text += text
	if h.onPrint != nil {
		h.onPrint()
	}
}

func (h *host) Output(o api.Output) {
	defer h.enter(string(o.Kind) + " " + o.ID)()
	h.outputs = append(h.outputs, o)
}

func (h *host) Part(output string, p viz.Part) { defer h.enter("part " + output)() }

func (h *host) Progress(label string, done, total int, unit string) {
	defer h.enter(fmt.Sprintf("progress %s %d/%d %s", label, done, total, unit))()
}

func (h *host) Recall(key string) *viz.Figure {
	defer h.enter("recall")()
	h.asked = append(h.asked, key)
	return h.kept[key]
}

func (h *host) Unfinished(string) ablate.Unfinished {
	defer h.enter("unfinished")()
	return nil
}

func (h *host) Keep(key string, f *viz.Figure, _ time.Duration) {
	defer h.enter("keep")()
	if h.kept != nil {
		h.kept[key] = f
	}
}

func (h *host) Model(name string) (*models.Model, error) {
	switch name {
	case "toy":
		return modeltest.Llama(1), nil
	case "panic":
		panic("boom")
	case "given":
		return h.model, nil
	}
	return zoo.Open(name)
}

// run compiles and runs one cell on its own.
func run(t testing.TB, source string) (*host, *script.Exports, error) {
	t.Helper()
	return runIn(t, context.Background(), source, script.Limits{})
}

func runIn(t testing.TB, ctx context.Context, source string, lim script.Limits, in ...*script.Exports) (*host, *script.Exports, error) {
	t.Helper()
	h := newHost(t)
	p, err := script.Compile("c1", source)
	if err != nil {
		return h, nil, err
	}
	e, err := script.Run(ctx, p, in, h, lim)
	h.mu.Lock()
	h.late = true
	h.mu.Unlock()
	return h, e, err
}

// asError returns err as *api.Error or fails.
func asError(t testing.TB, err error) *api.Error {
	t.Helper()
	var e *api.Error
	if !errors.As(err, &e) {
		t.Fatalf("error is %v (%T), want an api.Error", err, err)
	}
	return e
}

// shown returns the text of the last value, "" when none was shown.
func (h *host) shown() string {
	for i := len(h.outputs) - 1; i >= 0; i-- {
		if v := h.outputs[i].Value; v != nil {
			return v.Repr
		}
	}
	return ""
}

// eval runs a cell and returns the shown value, or "error: message | hint".
func eval(t testing.TB, source string) string {
	t.Helper()
	h, _, err := run(t, source)
	if err != nil {
		e := asError(t, err)
		return strings.TrimSuffix("error: "+e.Message+" | "+e.Hint, " | ")
	}
	return h.shown()
}
