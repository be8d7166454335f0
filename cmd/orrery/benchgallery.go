package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"orrery/models/bench"
	"orrery/server"
	"orrery/server/api"
	"orrery/viz"
)

// benchGalleryCommand measures how soon notebooks answer.
type benchGalleryCommand struct {
	Notebook []string `arg:"" optional:"" help:"Notebooks to measure instead of the shipped studies, Markdown files." type:"existingfile"`
	Runs     int      `default:"3" help:"How often each notebook runs, each time with nothing loaded; the best counts."`
	Threads  int      `help:"How many threads compute; 0 for one for each processor."`
}

func (c *benchGalleryCommand) Run(ctx context.Context, con *console) error {
	if c.Runs < 1 || c.Threads < 0 {
		return fmt.Errorf("--runs is %d, --threads %d: want at least 1 and 0", c.Runs, c.Threads)
	}
	if c.Threads > 0 {
		runtime.GOMAXPROCS(c.Threads)
	}
	files := exampleFiles()
	names, err := fs.Glob(files, "*.md")
	read := func(name string) ([]byte, error) { return fs.ReadFile(files, name) }
	if len(c.Notebook) > 0 {
		names, read = c.Notebook, os.ReadFile
	}
	if err != nil {
		return err
	}
	var all []pace
	for _, name := range names {
		text, err := read(name)
		if err != nil {
			return err
		}
		var best []pace
		for range c.Runs {
			run, err := measurePace(ctx, name, text)
			if err != nil {
				return err
			}
			best = quicker(best, run)
		}
		fmt.Fprintf(con.err, "%s: %d cells\n", name, len(best))
		all = append(all, best...)
	}
	return printPaces(con.out, all)
}

// pace is how soon one cell answered, counted from the moment at which it began
// to run.
type pace struct {
	notebook, cell string
	began          time.Time
	// first is the time of the first number that a reader can see in a figure: a
	// part that arrives, or a figure that comes whole. Zero when the cell draws
	// none.
	first time.Duration
	// busy is the processor time, of all threads, until the first number; other
	// programs on the machine hardly change it. 0 where the system does not say.
	busy time.Duration
	// done is the time of its end, used the processor time until then.
	done, used time.Duration
	figures    []string // their ids

	busyBefore time.Duration // the processor time at its beginning
}

// measurePace runs every cell of a notebook once, with no model loaded before.
func measurePace(ctx context.Context, name string, text []byte) ([]pace, error) {
	id := strings.TrimSuffix(filepath.Base(name), ".md")
	var cells []pace // events come one at a time
	at := func(cell string) *pace {
		i := slices.IndexFunc(cells, func(p pace) bool { return p.cell == cell })
		if i < 0 {
			i = len(cells)
			cells = append(cells, pace{notebook: id, cell: cell, began: time.Now()})
		}
		return &cells[i]
	}
	number := func(p *pace) {
		if p.first == 0 {
			p.first, p.busy = time.Since(p.began), processorTime()-p.busyBefore
		}
	}
	done, err := server.Execute(ctx, id, text, server.Execution{
		Models: server.NewCatalog(filepath.Dir(name), "."),
		Each: func(e api.Event) {
			switch e.Op {
			case api.EventCellState:
				switch e.CellState.State {
				case api.StateRunning:
					p := at(e.CellState.Cell)
					p.began, p.busyBefore = time.Now(), processorTime()
				case api.StateDone:
					p := at(e.CellState.Cell)
					p.done, p.used = time.Since(p.began), processorTime()-p.busyBefore
				}
			case api.EventOutput:
				if fig := e.Output.Output.Figure; fig != nil {
					p := at(e.Output.Cell)
					if id := e.Output.Output.ID; !slices.Contains(p.figures, id) {
						p.figures = append(p.figures, id)
					}
					if whole(fig) {
						number(p)
					}
				}
			case api.EventPart:
				number(at(e.Part.Cell))
			}
		},
	})
	if err != nil {
		return nil, err
	}
	return cells, done.Failed()
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	return time.Duration(bench.ProcessorTime() * float64(time.Second))
}

// whole says whether all numbers of a figure are there.
func whole(fig *viz.Figure) bool {
	for _, a := range fig.Arrays {
		if slices.Contains(a.State, viz.Pending) {
			return false
		}
	}
	return true
}

// quicker keeps of each cell the shortest times of two runs.
func quicker(best, run []pace) []pace {
	if best == nil {
		return run
	}
	for i := range best {
		best[i].first = min(best[i].first, run[i].first)
		best[i].busy = min(best[i].busy, run[i].busy)
		best[i].done = min(best[i].done, run[i].done)
		best[i].used = min(best[i].used, run[i].used)
	}
	return best
}

// printPaces writes a line a cell that draws, and the slowest of all.
func printPaces(out io.Writer, cells []pace) error {
	m := bench.ThisMachine()
	fmt.Fprintf(out, "%s, %s, %d processors, %d threads of %s code\n\n", m.System, m.Processor, m.Processors, m.Threads, m.Kernel)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "notebook\tcell\tfigures\tfirst number\tcpu until then\tdone\tcpu until then\t")
	var first, done pace
	n := 0
	for _, p := range cells {
		if p.figures == nil {
			continue
		}
		n++
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t\n", p.notebook, p.cell, len(p.figures), milliseconds(p.first), milliseconds(p.busy), milliseconds(p.done), milliseconds(p.used))
		if p.first > first.first {
			first = p
		}
		if p.done > done.done {
			done = p
		}
	}
	if err := w.Flush(); err != nil || n == 0 {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%d cells that draw; the latest first number: %s (%s, %s); the longest cell: %s (%s, %s)\n", n,
		milliseconds(first.first), first.notebook, first.cell, milliseconds(done.done), done.notebook, done.cell)
	return err
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.0f ms", float64(d)/1e6) }
