package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"orrery/server"
	"orrery/server/api"
	"orrery/viz"
)

// runCommand executes a notebook without a browser.
type runCommand struct {
	Notebook string `arg:"" help:"The notebook, a Markdown file." type:"existingfile"`
	Out      string `required:"" help:"Folder for the figures: CELL.FORMAT, CELL-2.FORMAT for a cell's second." placeholder:"DIR"`
	Theme    string `enum:"light,dark" default:"light" help:"Colours of pictures: light or dark."`
	Record   string `help:"Also write what the cells left as a shipped notebook's outputs." placeholder:"FILE"`
}

func (c *runCommand) Run(ctx context.Context, con *console) error {
	text, err := os.ReadFile(c.Notebook)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	id := strings.TrimSuffix(filepath.Base(c.Notebook), ".md")
	report := &runReport{con: con}
	done, err := server.Execute(ctx, id, text, server.Execution{
		Models: server.NewCatalog(filepath.Dir(c.Notebook), "."), Each: report.event,
	})
	if done == nil {
		return err
	}
	printOutputs(con, done)
	written, failed := c.write(done), done.Failed()
	if c.Record != "" && err == nil && failed == nil {
		if err := writeRecord(c.Record, done); err != nil {
			return err
		}
	}
	return errors.Join(err, written, failed)
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
				fmt.Fprintf(con.err, "%s: line %d, column %d: %v\n", cell.ID, o.Error.Line, o.Error.Column, o.Error)
			}
		}
	}
}

// write writes every figure in every format.
func (c *runCommand) write(done *server.Executed) error {
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
			fmt.Fprintf(r.con.err, "%-12s %s  %.2f s\n", s.Cell, s.State, float64(s.Millis)/1000)
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
