package server

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"orrery/server/api"
)

// Recorded is what the last run of a cell left. It is the form in which the
// store keeps it, and a list of them is the file NAME.outputs.json that may
// stand beside a shipped NAME.md.
type Recorded struct {
	// Cell is the cell's id.
	Cell string `json:"cell"`
	// State is done, failed or canceled; idle when the cell never ran.
	State api.CellState `json:"state"`
	// Hash names the code that made the outputs: the cell's source and that of
	// every cell whose names it uses. They are fresh while the document still
	// has that hash.
	Hash string `json:"hash"`
	// Millis is how long the run took, RanAt when it ended (RFC 3339).
	Millis int64  `json:"millis"`
	RanAt  string `json:"ran_at"`
	// Recalled says what of the run came from the result cache; nil when all was
	// computed.
	Recalled *api.Recalled `json:"recalled,omitempty"`
	// Outputs in the order in which they were made.
	Outputs []api.Output `json:"outputs"`
}

// check refuses a record that lacks what its outputs' kinds name.
func (r *Recorded) check() error {
	if r == nil {
		return errors.New("it is null")
	}
	for i, o := range r.Outputs {
		if o.Kind == api.OutputFigure && o.Figure == nil || o.Kind == api.OutputValue && o.Value == nil ||
			o.Kind == api.OutputPrompts && o.Prompts == nil || o.Kind == api.OutputError && o.Error == nil {
			return fmt.Errorf("output %d is a %s and has none", i, o.Kind)
		}
	}
	return nil
}

// runs returns the last run of each cell of a notebook.
func (s *store) runs(id string) (map[string]*Recorded, error) {
	rows, err := s.db.Query("SELECT cell, data FROM run WHERE document = ?", id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	runs := map[string]*Recorded{}
	for rows.Next() {
		var cell string
		var data []byte
		if err := rows.Scan(&cell, &data); err != nil {
			return nil, err
		}
		var r Recorded
		if err := json.Unmarshal(data, &r); err != nil {
			return nil, fmt.Errorf("outputs of cell %s of %s: %w", cell, id, err)
		}
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("outputs of cell %s of %s: %w", cell, id, err)
		}
		runs[cell] = &r
	}
	return runs, rows.Err()
}

// saveRuns replaces the runs of cells of a notebook.
func (s *store) saveRuns(id string, runs ...*Recorded) error {
	return s.write(func(tx *sql.Tx) error {
		for _, r := range runs {
			data, err := json.Marshal(r)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO run (document, cell, data) VALUES (?, ?, ?)
				ON CONFLICT (document, cell) DO UPDATE SET data = excluded.data`, id, r.Cell, data); err != nil {
				return err
			}
		}
		return nil
	})
}
