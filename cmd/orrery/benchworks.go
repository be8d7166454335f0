package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"text/tabwriter"
	"time"

	"orrery/models/bench"
)

// benchWorksCommand measures the works of package bench.
type benchWorksCommand struct {
	Filter  []string      `help:"Only works with one of these in their name, separated by commas; see --list." placeholder:"PART"`
	Runs    int           `default:"3" help:"How often each work runs at least; the best counts."`
	AtLeast time.Duration `default:"1s" help:"Quick works run until so much time has passed."`
	Threads int           `help:"How many threads compute; 0 for one for each processor."`
	Size    string        `enum:"gpt2-small,tiny" default:"gpt2-small" help:"The model: gpt2-small, or tiny to see that all works."`
	Model   string        `help:"Measure a model directory of any size instead: see orrery bench synth." type:"existingdir" placeholder:"DIR"`
	JSON    bool          `name:"json" help:"Write the report as JSON, with more than the table has."`
	Profile string        `help:"Write a CPU profile of it all, for go tool pprof." placeholder:"FILE"`
	List    bool          `help:"List the names of the works."`
}

func (c *benchWorksCommand) Run(ctx context.Context, con *console) (failed error) {
	size := bench.GPT2Small()
	if c.Size == "tiny" {
		size = bench.Tiny()
	}
	suite := bench.New(size)
	if c.Model != "" {
		suite = bench.Directory(c.Model)
	}
	names := suite.Names()
	if c.List {
		_, err := fmt.Fprintln(con.out, strings.Join(names, "\n"))
		return err
	}
	if c.Runs < 1 || c.Threads < 0 || c.AtLeast < 0 {
		return fmt.Errorf("--runs is %d, --threads %d, --at-least %v: want at least 1, 0 and 0s", c.Runs, c.Threads, c.AtLeast)
	}
	if c.Threads > 0 {
		runtime.GOMAXPROCS(c.Threads)
	}
	opt := bench.Options{Filter: c.Filter, Runs: c.Runs, AtLeast: c.AtLeast}
	for _, part := range c.Filter {
		if !strings.Contains(strings.Join(names, "\n"), part) {
			return fmt.Errorf("--filter %q is part of no work's name; they are %s", part, strings.Join(names, ", "))
		}
	}
	if c.Profile != "" {
		stop, err := profile(c.Profile)
		if err != nil {
			return err
		}
		defer func() { failed = errors.Join(failed, stop()) }()
	}
	report, failed := suite.Run(ctx, opt, func(r bench.Result) {
		fmt.Fprintf(con.err, "%-20s %s\n", r.Work, seconds(r.Seconds))
	})
	if c.JSON {
		e := json.NewEncoder(con.out)
		e.SetIndent("", "  ")
		return errors.Join(e.Encode(report), failed)
	}
	return errors.Join(printBench(con.out, report), failed)
}

// profile writes where processor time goes until stop is called.
func profile(path string) (stop func() error, err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// printBench writes a report as two tables: works, and what sweeps computed.
func printBench(out io.Writer, r *bench.Report) error {
	m := r.Machine
	fmt.Fprintf(out, "%s: %s\n%s, %s, %d processors; %d threads of %s code reach %.0f GFLOP/s and read %.1f GB/s\n\n",
		r.Suite, r.About, m.System, m.Processor, m.Processors, m.Threads, m.Kernel, r.Peak.GFLOPS, r.Peak.GBPerSecond)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "work\tbest\tmedian\tcpu\truns\tothers\tGFLOP/s\tGB/s\tof peak\tbase MB\tpeak MB\t  ")
	for _, x := range r.Results {
		note := x.Note
		if x.TokensPerSecond > 0 {
			note = fmt.Sprintf("%.1f tokens/s", x.TokensPerSecond)
		}
		if x.OfFile > 0 {
			note = strings.TrimPrefix(fmt.Sprintf("%s; peak memory %.2f of the file", note, x.OfFile), "; ")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%.2f\t%.1f\t%.1f\t%.0f %%\t%d\t%d\t  %s\n", x.Work, seconds(x.Seconds), seconds(x.Median), seconds(x.Processor), x.Runs, x.Others,
			x.GFLOPS, x.GBPerSecond, 100*x.Share, x.BaseBytes/1e6, x.PeakBytes/1e6, note)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	header := "\nsweep\tcells\tvariants\tchunks\trow-layers\tpredicted\tin full\tchecked\tdifferent\t\n"
	for _, x := range r.Results {
		if s := x.Sweep; s != nil {
			fmt.Fprintf(w, "%s%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", header, x.Work, s.Cells, s.Variants, s.Chunks, s.Computed, s.Predicted, s.Full, s.Checked, s.Different)
			header = ""
		}
	}
	return w.Flush()
}

// seconds is a time with three significant digits.
func seconds(s float64) string {
	unit := time.Nanosecond
	for d := s * 1e9; d >= 1000; d /= 10 {
		unit *= 10
	}
	return time.Duration(s * 1e9).Round(unit).String()
}
