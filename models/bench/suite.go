package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"orrery/models"
)

// Suite is a model and its works.
type Suite struct {
	Name, About string

	load  func() (*subject, error)
	works []work
}

// work is one line of the table.
type work struct {
	name    string
	prepare prepare
}

// prepare readies a work, untimed.
type prepare func(context.Context, *subject) (*task, error)

// task is a work that is ready to be measured. run is timed, several times;
// check is called once behind the last run, untimed.
type task struct {
	run, check func(context.Context) error
	cost       Cost
	sweep      *Sweep // filled by run and check; nil for works that are no sweep
	tokens     int    // that one run generates
	note       string // what else run found worth saying
}

// New is the suite of a size.
func New(size Size) *Suite {
	s := &Suite{Name: size.Name, load: size.load}
	s.About = fmt.Sprintf("%d layers, %d heads, width %d, %d tokens, random weights, float32",
		size.Config.Layers, size.Config.Heads, size.Config.Width, size.Config.Vocab)
	for _, l := range []layout{apart, demo} {
		s.add("resid_pre/"+string(l), residPre(l))
	}
	for _, l := range []layout{apart, demo} {
		s.add("heads/"+string(l), heads(l))
	}
	for _, l := range []layout{apart, demo} {
		s.add("heads_by_pos/"+string(l), headsByPosition(l))
	}
	for _, n := range size.Cache {
		s.add(fmt.Sprintf("cache/1x%d", n), fullCache(n))
	}
	s.add(fmt.Sprintf("attribution/%dx%d", size.Pairs, size.Tokens), attribution)
	s.add(fmt.Sprintf("generate/%d+%d", size.Prompt, size.New), generate)
	for _, n := range size.Lens {
		s.add(fmt.Sprintf("lens/1x%d", n), lens(n, true))
	}
	s.add("dla/last", headAttribution(true))
	s.add("dla/all", headAttribution(false))
	return s
}

func (s *Suite) add(name string, p prepare) { s.works = append(s.works, work{name, p}) }

// Names lists the works.
func (s *Suite) Names() []string {
	var names []string
	for _, w := range s.works {
		names = append(names, w.name)
	}
	return names
}

// Options say which works are measured, and how often.
type Options struct {
	Filter  []string      // parts of names, of which a work's has at least one; none for all
	Runs    int           // of each work, at least; at least 1
	AtLeast time.Duration // quick works run until so much time has passed
}

// match reports whether a name is asked for.
func (o Options) match(name string) bool {
	return len(o.Filter) == 0 || slices.ContainsFunc(o.Filter, func(part string) bool { return strings.Contains(name, part) })
}

// Run measures the works one after the other. each, when not nil, sees every
// result as it comes, its shares still by the peaks so far. A cancelled context
// ends the run with the context's error and the results up to there.
func (s *Suite) Run(ctx context.Context, opt Options, each func(Result)) (r *Report, err error) {
	r = &Report{Suite: s.Name, About: s.About, Machine: ThisMachine(), Results: []Result{}}
	r.Peak.measure()
	var on *subject
	for _, w := range s.works {
		if !opt.match(w.name) {
			continue
		}
		if on == nil {
			if on, err = s.load(); err != nil {
				return r, err
			}
			defer func() { err = errors.Join(err, on.close()) }()
		}
		result, err := w.measure(ctx, on, opt)
		if err != nil {
			return r, fmt.Errorf("%s: %w", w.name, err)
		}
		r.Peak.measure()
		r.Results = append(r.Results, *result)
		r.rate()
		if each != nil {
			each(r.Results[len(r.Results)-1])
		}
	}
	return r, nil
}

// measure runs a work until it was run often and long enough.
func (w work) measure(ctx context.Context, s *subject, opt Options) (*Result, error) {
	t, err := w.prepare(ctx, s)
	if err != nil {
		return nil, err
	}
	debug.FreeOSMemory()
	memory, load := watchMemory(), watchLoad()
	var runs, processor []float64 // seconds
	for len(runs) < max(opt.Runs, 1) || time.Since(load.since) < opt.AtLeast {
		runtime.GC() // what the run before left is no part of this one's memory
		start, own := time.Now(), ProcessorTime()
		if err := t.run(ctx); err != nil {
			return nil, err
		}
		runs = append(runs, time.Since(start).Seconds())
		processor = append(processor, ProcessorTime()-own)
	}
	n := len(runs)
	r := &Result{Work: w.name, Runs: n, Cost: t.cost, Sweep: t.sweep, Note: t.note}
	r.Processor, r.Others = slices.Min(processor), load.others()
	r.BaseBytes, r.PeakBytes = memory.base, memory.peak()
	if t.check != nil {
		if err := t.check(ctx); err != nil {
			return nil, err
		}
	}
	slices.Sort(runs)
	r.Seconds, r.Median = runs[0], runs[n/2]
	if s.file > 0 {
		r.OfFile = float64(r.PeakBytes) / float64(s.file)
	}
	if t.tokens > 0 {
		r.TokensPerSecond = float64(t.tokens) / r.Seconds
	}
	return r, nil
}

// Sweep says what a sweep computed. Report's Checked and Different are of a
// sample of the last run's cells, which were compared with full passes behind
// the timing.
type Sweep struct {
	Cells int `json:"cells"` // each of them is a variant for each pair
	*models.Report
}
