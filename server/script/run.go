package script

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"go.starlark.net/starlark"

	"orrery/server/api"
	"orrery/viz"
)

// grace is how long a stopped cell may take to reach a point where it stops by
// itself; then it is cut off.
const grace = 60 * time.Millisecond

// run is one run of one cell.
type run struct {
	ctx     context.Context // ends when the run is to stop, for whatever reason
	stopCtx context.CancelFunc
	thread  *starlark.Thread
	program *Program
	outlet  *outlet
	memory  *meter
	why     atomic.Int32 // a stopReason; set once
	shown   map[*viz.Figure]bool
	own     *user   // of what this run makes
	users   []*user // and of what it was given
}

// stopReason says why a run was stopped from outside.
type stopReason = int32

const (
	notStopped stopReason = iota
	stopCanceled
	stopMemory
	stopSteps
)

// Run executes a cell. Values of other cells come from in; names that two of
// them hold come from the last. The result holds what the cell defines,
// frozen. Failures are *api.Error with the code canceled when ctx ended,
// too_large for a limit, internal for a fault of ours, else invalid.
func Run(ctx context.Context, p *Program, in []*Exports, h Host, lim Limits) (*Exports, error) {
	env, err := p.environment(in)
	if err != nil {
		return nil, err
	}
	if lim.Bytes <= 0 {
		lim.Bytes = DefaultBytes
	}
	r := &run{program: p, outlet: newOutlet(h), memory: newMeter(lim.Bytes), shown: map[*viz.Figure]bool{}}
	r.ctx, r.stopCtx = context.WithCancel(ctx)
	defer r.stopCtx()
	r.thread = &starlark.Thread{Name: p.Cell, Print: func(_ *starlark.Thread, text string) { r.outlet.print(text + "\n") }}
	if lim.Steps > 0 {
		r.thread.SetMaxExecutionSteps(lim.Steps)
		r.thread.OnMaxSteps = func(*starlark.Thread) { r.stop(stopSteps) }
	}
	r.predeclare(env)
	type outcome struct {
		exports *Exports
		err     error
	}
	done := make(chan outcome, 1)
	end := r.use(in)
	go func() {
		exports, err := r.execute(env)
		end()
		done <- outcome{exports, err}
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	canceled := ctx.Done()
	var cutOff <-chan time.Time
	for {
		select {
		case o := <-done:
			r.outlet.close()
			if o.err != nil {
				if ctx.Err() != nil { // the run may have seen it before this loop did
					r.stop(stopCanceled)
				}
				return nil, r.explain(o.err)
			}
			return o.exports, nil
		case <-canceled:
			r.stop(stopCanceled)
			canceled = nil
			cutOff = time.After(grace)
		case <-tick.C:
			r.outlet.flush()
			if cutOff == nil && r.memory.exceeded() {
				r.stop(stopMemory)
				cutOff = time.After(5 * time.Second)
			}
		case <-cutOff:
			r.outlet.close()
			return nil, r.explain(errCutOff)
		}
	}
}

// errCutOff stands for the error of a cell that did not stop by itself.
var errCutOff = errors.New("cut off")

// stop ends the run at its next operation; the first reason counts.
func (r *run) stop(why stopReason) {
	r.why.CompareAndSwap(notStopped, why)
	r.stopCtx()
	r.thread.Cancel("stopped")
}

// execute runs the cell's code and freezes what it leaves.
func (r *run) execute(env starlark.StringDict) (e *Exports, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fault(r.program.Cell, v)
		}
	}()
	globals, err := r.program.code.Init(r.thread, env)
	if err != nil {
		return nil, err
	}
	e = &Exports{cell: r.program.Cell, values: starlark.StringDict{}, users: r.users}
	for _, name := range r.program.Defines {
		v, ok := globals[name]
		if !ok {
			continue // assigned only in a branch that was not taken
		}
		if err := checkNesting(v); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		v.Freeze()
		e.values[name] = v
	}
	if v, ok := globals[resultName]; ok {
		if err := r.show(v); err != nil {
			return nil, err
		}
	}
	return e, r.ctx.Err()
}

// show puts the value of the last expression into the page.
func (r *run) show(v starlark.Value) error {
	switch v := v.(type) {
	case starlark.NoneType:
	case *Tokens:
		r.outlet.output(api.Output{Kind: api.OutputTokens, Tokens: v.wire()})
	case *PromptSet:
		t, err := v.wire()
		if err != nil {
			return err
		}
		r.outlet.output(api.Output{Kind: api.OutputPrompts, Prompts: t})
	case *Prompt:
		return r.show(v.tokens())
	case *Figure:
		if !r.shown[v.figure] {
			r.outlet.output(api.Output{Kind: api.OutputFigure, Figure: v.figure})
		}
	default:
		d := describe(v)
		r.outlet.output(api.Output{Kind: api.OutputValue, Value: &d})
	}
	return nil
}

// environment collects the values that the cell uses.
func (p *Program) environment(in []*Exports) (starlark.StringDict, error) {
	for name, at := range p.changed {
		e := foreignChange(name, "another cell", p)
		e.Line, e.Column = int(at.Line), int(at.Col)
		return nil, e
	}
	env := starlark.StringDict{}
	for _, name := range p.Uses {
		for _, e := range in {
			if v, ok := e.values[name]; ok {
				env[name] = v
			}
		}
		if env[name] == nil {
			return nil, p.undefined(name, in)
		}
	}
	return env, nil
}

// fault turns a panic into an error for the reader and writes the rest to the log.
func fault(where string, v any) error {
	slog.Error("panic in a cell", "where", where, "panic", v, "stack", string(debug.Stack()))
	return &api.Error{Code: api.Internal, Message: fmt.Sprintf("%s failed inside Orrery: %v", where, v),
		Hint: "this is a fault of the program, not of the cell; the details are in the server's log"}
}
