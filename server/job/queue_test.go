package job_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"orrery/server/api"
	"orrery/server/job"
)

// record keeps changes as "cell state" and the errors.
type record struct {
	mu     sync.Mutex
	steps  []string
	errors map[string]*api.Error
}

func (r *record) changed(c job.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps = append(r.steps, c.Task.Cell+" "+string(c.State))
	if c.Err != nil {
		if r.errors == nil {
			r.errors = map[string]*api.Error{}
		}
		r.errors[c.Task.Cell] = c.Err
	}
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.steps, ", ")
}

// queue starts a queue inside a synctest bubble.
func queue(t *testing.T) (*job.Queue, *record, *bytes.Buffer) {
	t.Helper()
	r, log := &record{}, &bytes.Buffer{}
	q := job.NewQueue(slog.New(slog.NewTextHandler(log, nil)), r.changed)
	t.Cleanup(func() {
		if err := q.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return q, r, log
}

func task(cell string, run func(ctx context.Context) error) job.Task {
	return job.Task{ID: "job-" + cell, Cell: cell, Key: cell, Run: run}
}

func wait(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func TestOrderAndOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, r, log := queue(t)
		q.Add(
			task("a", func(context.Context) error { return nil }),
			task("b", func(context.Context) error { return errors.New("no such layer") }),
			task("c", func(context.Context) error { panic("secret detail") }),
			task("d", func(context.Context) error {
				return fmt.Errorf("run: %w", &api.Error{Code: api.Unsupported, Message: "x", Line: 3})
			}),
		)
		synctest.Wait()
		want := "a queued, b queued, c queued, d queued, a running, a done, b running, b failed, c running, c failed, d running, d failed"
		if r.String() != want {
			t.Errorf("changes:\n%s\nwant\n%s", r, want)
		}
		if e := r.errors["b"]; e.Code != api.Invalid || e.Message != "no such layer" {
			t.Errorf("plain error became %+v", e)
		}
		if e := r.errors["c"]; e.Code != api.Internal || strings.Contains(e.Error(), "secret") {
			t.Errorf("panic became %+v", e)
		}
		if e := r.errors["d"]; e.Code != api.Unsupported || e.Line != 3 {
			t.Errorf("wrapped error became %+v", e)
		}
		if !strings.Contains(log.String(), "secret detail") || !strings.Contains(log.String(), "queue_test.go") {
			t.Errorf("the log lacks the panic or its stack: %s", log)
		}
	})
}

// TestInterrupt holds that the queue is cleared with the running task: none
// of the waiting ones starts, and each is seen to be canceled.
func TestInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, r, log := queue(t)
		q.Add(task("a", wait), task("b", wait), task("c", wait))
		synctest.Wait()
		q.Interrupt()
		synctest.Wait()
		want := "a queued, b queued, c queued, a running, b canceled, c canceled, a canceled"
		if r.String() != want {
			t.Errorf("changes:\n%s\nwant\n%s", r, want)
		}
		if log.Len() != 0 {
			t.Errorf("cancel was logged: %s", log)
		}
		q.Add(task("d", func(context.Context) error { return nil }))
		synctest.Wait()
		if !strings.HasSuffix(r.String(), "d running, d done") {
			t.Errorf("the queue does not go on after an interrupt: %s", r)
		}
	})
}

func TestCancelOneCell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, r, _ := queue(t)
		q.Add(task("a", wait), task("b", wait), task("c", func(context.Context) error { return nil }))
		synctest.Wait()
		if !q.Cancel("b") || q.Cancel("x") {
			t.Error("Cancel does not report what it found")
		}
		q.Cancel("a")
		synctest.Wait()
		want := "a queued, b queued, c queued, a running, b canceled, a canceled, c running, c done"
		if r.String() != want {
			t.Errorf("changes:\n%s\nwant\n%s", r, want)
		}
	})
}

func TestFinishedDespiteInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, r, _ := queue(t)
		q.Add(task("a", func(ctx context.Context) error { <-ctx.Done(); return nil }))
		synctest.Wait()
		q.Interrupt()
		synctest.Wait()
		if !strings.HasSuffix(r.String(), "a done") {
			t.Errorf("a task that finished is %s", r)
		}
	})
}

func TestAddTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, r, _ := queue(t)
		q.Add(task("a", wait), task("b", wait), task("c", wait))
		synctest.Wait()
		same := q.Add(task("a", wait))
		if len(same) != 1 || same[0].ID != "job-a" {
			t.Errorf("asking again for the running key gave %+v", same)
		}
		// b waits already: its task moves behind the new one and keeps its id.
		moved := task("b", wait)
		moved.ID = "other"
		placed := q.Add(task("d", wait), moved)
		if len(placed) != 2 || placed[1].ID != "job-b" {
			t.Errorf("placed %+v", placed)
		}
		other := task("a", wait)
		other.Key = "edited"
		if again := q.Add(other); len(again) != 1 {
			t.Errorf("a changed cell was not queued again: %+v", again)
		}
		for range 5 {
			synctest.Wait()
			q.Cancel(last(r))
		}
		synctest.Wait()
		want := "a queued, b queued, c queued, a running, d queued, a queued"
		if !strings.HasPrefix(r.String(), want) {
			t.Errorf("changes:\n%s\nwant prefix\n%s", r, want)
		}
	})
}

// TestFresh holds that a run that may take kept results does not stand for one that
// must not, and that what waits to be fresh stays so.
func TestFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, r, _ := queue(t)
		fresh := func(cell string) job.Task {
			t := task(cell, func(ctx context.Context) error { return errors.New("fresh") })
			t.Fresh = true
			return t
		}
		q.Add(task("a", wait), task("b", wait))
		synctest.Wait()
		if placed := q.Add(fresh("a")); len(placed) != 1 || !placed[0].Fresh {
			t.Errorf("a run of kept results stands for a fresh one: %+v", placed)
		}
		if placed := q.Add(task("a", wait)); len(placed) != 1 || placed[0].ID != "job-a" || placed[0].Fresh {
			t.Errorf("the run that goes on is not the one that was asked for: %+v", placed)
		}
		q.Add(fresh("b"), task("b", wait))
		q.Cancel("a")
		synctest.Wait()
		if want := "a canceled, a canceled, b running, b failed"; !strings.HasSuffix(r.String(), want) {
			t.Errorf("changes %s, want the end %s", r, want)
		}
		if e := r.errors["b"]; e == nil || e.Message != "fresh" {
			t.Errorf("what waited as fresh ran otherwise: %+v", e)
		}
	})
}

// last returns the cell of the newest running change.
func last(r *record) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.steps) - 1; i >= 0; i-- {
		if cell, ok := strings.CutSuffix(r.steps[i], " running"); ok {
			return cell
		}
	}
	return ""
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &record{}
		q := job.NewQueue(slog.New(slog.DiscardHandler), r.changed)
		stuck := make(chan struct{})
		q.Add(task("a", func(context.Context) error { <-stuck; return nil }), task("b", wait))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := q.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("closing with a stuck task gave %v", err)
		}
		if q.Add(task("c", wait)) != nil {
			t.Error("a closed queue took a task")
		}
		close(stuck)
		if err := q.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if want := "a queued, b queued, a running, b canceled, a done"; r.String() != want {
			t.Errorf("changes %s, want %s", r, want)
		}
	})
}

// TestThrottle holds that a thousand triggers in a second give at most 20
// reports and one more at once, and that the last is reported.
func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		value, reported, reports := 0, 0, 0
		var mu sync.Mutex
		th := job.NewThrottle(50*time.Millisecond, func() {
			mu.Lock()
			defer mu.Unlock()
			reports++
			reported = value
		})
		for i := 1; i <= 1000; i++ {
			mu.Lock()
			value = i
			mu.Unlock()
			th.Trigger()
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		mu.Lock()
		if reports < 15 || reports > 21 || reported != 1000 {
			t.Errorf("%d reports, the last of %d", reports, reported)
		}
		before := reports
		mu.Unlock()
		th.Trigger()
		th.Trigger()
		th.Stop()
		th.Trigger()
		time.Sleep(time.Second)
		mu.Lock()
		defer mu.Unlock()
		if reports != before+1 {
			t.Errorf("%d reports after Stop, want one at once and none later", reports-before)
		}
	})
}

func TestClock(t *testing.T) {
	var c job.Clock
	t0 := time.Unix(1000, 0)
	for _, s := range []struct {
		name  string
		after time.Duration
		label string
		done  int
		want  int64
	}{
		{"start", 0, "lens", 0, -1},
		{"too early to say", 50 * time.Millisecond, "lens", 1, -1},
		{"half", time.Second, "lens", 5, 1000},
		{"faster", 1250 * time.Millisecond, "lens", 9, 138},
		{"over", 2 * time.Second, "lens", 10, 0},
		{"new label", 3 * time.Second, "sweep", 2, -1},
		{"counts from its own start", 4 * time.Second, "sweep", 6, 1000},
	} {
		t.Run(s.name, func(t *testing.T) {
			p := c.Progress(t0.Add(s.after), "j", s.label, s.done, 10, "layers")
			if p.ETAMillis != s.want {
				t.Errorf("time left %d ms, want %d", p.ETAMillis, s.want)
			}
		})
	}
}
