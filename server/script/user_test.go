package script_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"orrery/server/api"
	"orrery/server/script"
)

// TestRangeOfAnotherCell holds that a long range can be walked in later cells,
// which its own cell's end must not stop, and that those can be stopped.
func TestRangeOfAnotherCell(t *testing.T) {
	before := runtime.NumGoroutine()
	_, first, err := run(t, "r = range(2000000)\ns = range(10000000000)")
	if err != nil {
		t.Fatal(err)
	}
	_, second, err := runIn(t, t.Context(), "held = {'r': [r], 's': s}\ndef walk():\n  n = 0\n  for i in r:\n    n += 1\n  return n", script.Limits{}, first)
	if err != nil {
		t.Fatal(err)
	}
	h, _, err := runIn(t, t.Context(), "print(walk(), len([i for i in held['r'][0]]), sum(held['r'][0]))", script.Limits{}, second)
	if err != nil {
		t.Fatal(err)
	}
	if want := "2000000 2000000 1999999000000\n"; h.text != want {
		t.Errorf("printed %q, want %q", h.text, want)
	}
	_, _, err = runIn(t, t.Context(), "x = list(held['s'])", script.Limits{Bytes: 100 << 20}, second)
	if e := asError(t, err); e.Code != api.TooLarge || !strings.Contains(e.Message, "100 MiB") {
		t.Errorf("a list of them all ended with %+v", e)
	}
	ctx, cancel := context.WithCancel(t.Context())
	h = newHost(t)
	h.onPrint = cancel
	p, err := script.Compile("c1", "print('starts')\nx = max(held['s'])")
	if err != nil {
		t.Fatal(err)
	}
	_, err = script.Run(ctx, p, []*script.Exports{second}, h, script.Limits{})
	if e := asError(t, err); e.Code != api.Canceled {
		t.Errorf("the largest of them all ended with %+v", e)
	}
	// The one that was stopped takes nothing from those that follow.
	h, _, err = runIn(t, t.Context(), "print(walk())", script.Limits{}, second, first)
	if err != nil || h.text != "2000000\n" {
		t.Errorf("printed %q, %v", h.text, err)
	}
	// Run returns even where its cell does not; the walks themselves must end.
	for range 300 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%d goroutines where %d were: a walk goes on behind its run", runtime.NumGoroutine(), before)
}
