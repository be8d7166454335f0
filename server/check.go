package server

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"orrery/server/api"
	"orrery/viz"
)

// Checked says how what a code cell left compares with what is recorded.
type Checked struct {
	// Cell is the cell's id.
	Cell string
	// Figures counts the compared figures, Texts the other outputs.
	Figures, Texts int
	// Numbers counts the numbers of the figures, Same those with the recorded
	// bits; Largest is the largest distance as viz.Comparison has it.
	Numbers, Same int
	Largest       float64
	// Problem says what differs, or why nothing could be compared; nil when all
	// results are the recorded ones within their tolerance.
	Problem error
}

// Check compares what each code cell left with what was recorded, in page
// order: figures by viz.Compare, everything else to the letter, its numbers by
// viz.DefaultTolerance. Recorded cells
// that the notebook does not have any more are no problem; a cell that left
// something and has no record is one.
func Check(recorded []*Recorded, done *Executed) []Checked {
	old := map[string]*Recorded{}
	for _, r := range recorded {
		old[r.Cell] = r
	}
	var list []Checked
	for _, now := range done.Recorded {
		c := Checked{Cell: now.Cell}
		was := old[now.Cell]
		switch {
		case was == nil || was.State == api.StateIdle:
			if len(now.Outputs) == 0 {
				break // the cell only defines names
			}
			c.Problem = errors.New("nothing is recorded for this cell")
		case was.Hash != now.Hash:
			c.Problem = errors.New("the cell, or one that it uses, was edited after the recorded run")
		default:
			c.Problem = c.compare(was, now)
		}
		list = append(list, c)
	}
	return list
}

// compare compares two runs of one cell.
func (c *Checked) compare(was, now *Recorded) error {
	if was.State != now.State {
		return fmt.Errorf("the run is %s, the recorded one was %s", now.State, was.State)
	}
	if len(was.Outputs) != len(now.Outputs) {
		return fmt.Errorf("%d outputs, recorded are %d", len(now.Outputs), len(was.Outputs))
	}
	for i := range was.Outputs {
		a, b := was.Outputs[i], now.Outputs[i]
		if a.Kind == api.OutputFigure && b.Kind == api.OutputFigure {
			d, err := viz.Compare(a.Figure, b.Figure)
			c.Figures++
			c.Numbers, c.Same, c.Largest = c.Numbers+d.Numbers, c.Same+d.Same, max(c.Largest, d.Largest)
			if err != nil {
				return fmt.Errorf("figure %q: %w", a.Figure.Title, err)
			}
			continue
		}
		c.Texts++
		if err := sameOutput(a, b); err != nil {
			return fmt.Errorf("output %d: %w", i+1, err)
		}
	}
	return nil
}

// sameOutput compares outputs that are no figures: to the letter, but for
// numbers, which may be off by viz.DefaultTolerance of the largest one.
func sameOutput(was, now api.Output) error {
	was.ID, now.ID = "", ""
	a, err := json.Marshal(was)
	if err != nil {
		return err
	}
	b, err := json.Marshal(now)
	if err != nil {
		return err
	}
	if string(a) == string(b) || nearText(string(a), string(b)) {
		return nil
	}
	return fmt.Errorf("%s was %s", b, a)
}

// number matches a decimal number.
var number = regexp.MustCompile(`-?\d+(\.\d+)?([eE][+-]?\d+)?`)

// nearText reports whether two texts are equal but for numbers within the tolerance.
func nearText(a, b string) bool {
	if number.ReplaceAllLiteralString(a, "0") != number.ReplaceAllLiteralString(b, "0") {
		return false
	}
	largest, off := 0.0, 0.0
	others := number.FindAllString(b, -1)
	for i, s := range number.FindAllString(a, -1) {
		x, e1 := strconv.ParseFloat(s, 64)
		y, e2 := strconv.ParseFloat(others[i], 64)
		if e1 != nil || e2 != nil {
			return false
		}
		largest, off = max(largest, math.Abs(x)), max(off, math.Abs(x-y))
	}
	return off <= viz.DefaultTolerance*largest
}

// ReadRecorded returns what was recorded for a notebook's file: the file
// NAME.outputs.json beside it, or else the runs in the store of the workspace
// folder that it lies in. It only reads; a server may have the folder open.
// When there is neither, the error is fs.ErrNotExist.
func ReadRecorded(ctx context.Context, file string) ([]*Recorded, error) {
	beside := strings.TrimSuffix(file, ".md") + ".outputs.json"
	data, err := os.ReadFile(beside)
	if err == nil {
		var list []*Recorded
		if err := json.Unmarshal(data, &list); err != nil {
			return nil, fmt.Errorf("%s: %w", beside, err)
		}
		for i, r := range list {
			if err := r.check(); err != nil {
				return nil, fmt.Errorf("%s: record %d: %w", beside, i, err)
			}
		}
		return list, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	dir, id, err := workspaceOf(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("nothing is recorded for %s: there is no %s and %w", file, filepath.Base(beside), err)
	}
	if err != nil {
		return nil, err
	}
	return readStored(ctx, filepath.Join(dir, private, "store.sqlite"), id)
}

// workspaceOf returns the folder with a store that a notebook's file lies in, and
// the notebook's id there. The error is fs.ErrNotExist when there is none.
func workspaceOf(file string) (dir, id string, err error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return "", "", err
	}
	for dir = filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, private, "store.sqlite")); err == nil {
			id, err := filepath.Rel(dir, strings.TrimSuffix(path, ".md"))
			return dir, filepath.ToSlash(id), err
		}
		if dir == filepath.Dir(dir) {
			return "", "", fmt.Errorf("no %s store in a folder above: %w", private, fs.ErrNotExist)
		}
	}
}

// readStored reads the runs of a notebook from a store without writing to it.
func readStored(ctx context.Context, file, id string) ([]*Recorded, error) {
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(file),
		RawQuery: url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(5000)"}}.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	defer db.Close()
	s := &store{db: db}
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return nil, fmt.Errorf("store %s: %w", file, err)
	}
	if version != schemaVersion {
		return nil, fmt.Errorf("store %s: layout %d, this program knows %d", file, version, schemaVersion)
	}
	runs, err := s.runs(id)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", file, err)
	}
	if len(runs) == 0 {
		return nil, fmt.Errorf("nothing is recorded for %s in %s: run it in the page first: %w", id, file, fs.ErrNotExist)
	}
	list := make([]*Recorded, 0, len(runs))
	for _, r := range runs {
		list = append(list, r)
	}
	return list, nil
}
