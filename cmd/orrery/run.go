package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"orrery/server"
	"orrery/server/api"
	"orrery/viz"
)

// runCommand executes a notebook without a browser.
type runCommand struct {
	Notebook string `arg:"" help:"The notebook, a Markdown file." type:"existingfile"`
	Out      string `help:"Folder for the figures: CELL.FORMAT, CELL-2.FORMAT for a cell's second; none are written without it." placeholder:"DIR"`
	Check    bool   `help:"Compare every result with the recorded one within its stated tolerance; fail when one differs." xor:"check"`
	Theme    string `enum:"light,dark" default:"light" help:"Colours of pictures: light or dark."`
	Cached   bool   `help:"Take results from the result cache of the notebook folder that the file lies in, and keep new ones there. Without it everything is computed." xor:"check,record"`
	Record   string `help:"Also write what the cells left as a shipped notebook's outputs." placeholder:"FILE" xor:"record"`
}

func (c *runCommand) Run(ctx context.Context, con *console) (failed error) {
	text, err := os.ReadFile(c.Notebook)
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := os.MkdirAll(c.Out, 0o755); err != nil {
			return err
		}
	}
	var recorded []*server.Recorded
	if c.Check { // before the work: a notebook without records costs nothing
		if recorded, err = server.ReadRecorded(ctx, c.Notebook); err != nil {
			return err
		}
	}
	id := strings.TrimSuffix(filepath.Base(c.Notebook), ".md")
	report := &runReport{con: con}
	x := server.Execution{Models: server.NewCatalog(filepath.Dir(c.Notebook), "."), Each: report.event}
	if c.Cached {
		if x.Results, err = server.OpenResults(c.Notebook, slog.New(slog.NewTextHandler(con.err, nil))); err != nil {
			return err
		}
		defer func() { failed = errors.Join(failed, x.Results.Close()) }()
	}
	done, err := server.Execute(ctx, id, text, x)
	if done == nil {
		return err
	}
	if !slices.ContainsFunc(done.Notebook.Cells, func(c api.Cell) bool { return c.Kind == api.CellCode }) {
		return fmt.Errorf("%s has no code cells: they are the blocks between ```python and ```", c.Notebook)
	}
	if c.Check && err == nil {
		return printChecks(con, server.Check(recorded, done))
	}
	printOutputs(con, done)
	written, cells := c.write(done), done.Failed()
	if c.Record != "" && err == nil && cells == nil {
		if err := writeRecord(c.Record, done); err != nil {
			return err
		}
	}
	return errors.Join(err, written, cells)
}

// printOutputs writes what cells printed and their values, in page order.
func printOutputs(con *console, done *server.Executed) {
	for _, cell := range done.Notebook.Cells {
		for _, o := range cell.Outputs {
			switch o.Kind {
			case api.OutputText:
				fmt.Fprint(con.out, o.Text)
			case api.OutputValue:
				fmt.Fprintln(con.out, o.Value.Repr)
			case api.OutputError:
				where := ""
				if o.Error.Line > 0 { // a cell that did not begin fails nowhere
					where = fmt.Sprintf("line %d, column %d: ", o.Error.Line, o.Error.Column)
				}
				fmt.Fprintf(con.err, "%s: %s%v\n", cell.ID, where, o.Error)
			}
		}
	}
}

// printChecks writes a line a cell and a closing one. Its error says how many
// cells differ.
func printChecks(con *console, list []server.Checked) error {
	differ, results := 0, 0
	for _, c := range list {
		results += c.Figures + c.Texts
		switch {
		case c.Problem != nil:
			differ++
			fmt.Fprintf(con.out, "%-16s DIFFERS  %v\n", c.Cell, c.Problem)
		case c.Figures == 0:
			fmt.Fprintf(con.out, "%-16s same\n", c.Cell)
		case c.Same == c.Numbers:
			fmt.Fprintf(con.out, "%-16s same     %d numbers, to the last bit\n", c.Cell, c.Numbers)
		default:
			fmt.Fprintf(con.out, "%-16s same     %d numbers, %d to the last bit, the largest distance %.1e of its array's largest\n", c.Cell, c.Numbers, c.Same, c.Largest)
		}
	}
	if differ > 0 {
		return fmt.Errorf("%d of %d cells differ from what is recorded", differ, len(list))
	}
	fmt.Fprintf(con.out, "%d results of %d cells are the recorded ones\n", results, len(list))
	return nil
}

// write writes every figure in every format.
func (c *runCommand) write(done *server.Executed) error {
	if c.Out == "" {
		return nil
	}
	for _, cell := range done.Notebook.Cells {
		figures := 0
		for _, o := range cell.Outputs {
			if o.Figure == nil {
				continue
			}
			figures++
			name := cell.ID
			if figures > 1 {
				name = fmt.Sprintf("%s-%d", cell.ID, figures)
			}
			for _, format := range viz.Formats {
				if err := writeFigure(filepath.Join(c.Out, name+"."+format.Name), o.Figure, format.Name, c.Theme); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func writeFigure(path string, fig *viz.Figure, format, theme string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	err = viz.Export(w, fig, format, viz.Options{Theme: theme})
	return errors.Join(err, w.Flush(), f.Close())
}

// writeRecord writes outputs as a shipped notebook carries them, without the
// times and names of this run, so that the file changes only when a result
// does.
func writeRecord(path string, done *server.Executed) error {
	for _, r := range done.Recorded {
		r.Millis, r.RanAt = 0, ""
		for i := range r.Outputs {
			r.Outputs[i].ID = fmt.Sprintf("recorded-%s-%d", r.Cell, i+1)
		}
	}
	data, err := json.MarshalIndent(done.Recorded, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// runReport says on stderr what happens.
type runReport struct {
	con   *console
	shown time.Time
}

func (r *runReport) event(e api.Event) {
	switch e.Op {
	case api.EventCellState:
		switch s := e.CellState; s.State {
		case api.StateDone, api.StateFailed, api.StateCanceled:
			from := ""
			if c := s.Recalled; c != nil {
				from = fmt.Sprintf("  (%d from the cache, computed in %.2f s, %s)", c.Results, float64(c.Millis)/1000, c.MadeAt)
			}
			fmt.Fprintf(r.con.err, "%-12s %s  %.2f s%s\n", s.Cell, s.State, float64(s.Millis)/1000, from)
		}
	case api.EventProgress:
		if p := e.Progress.Progress; time.Since(r.shown) > time.Second && p.Done < p.Total {
			r.shown = time.Now()
			left := ""
			if p.ETAMillis >= 0 {
				left = fmt.Sprintf(", %.1f s left", float64(p.ETAMillis)/1000)
			}
			fmt.Fprintf(r.con.err, "%-12s %s: %d of %d %s%s\n", e.Progress.Cell, p.Label, p.Done, p.Total, p.Unit, left)
		}
	}
}
