package server

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"orrery/ablate"
)

// partSchema is the table of calls that were cut short. A row holds finished runs of
// one sweep, those from number first on, in the order in which they were computed.
// used orders the calls by when they last wrote; sum is that of all the other columns
// that matter.
const partSchema = `
CREATE TABLE IF NOT EXISTS part (
	key TEXT NOT NULL, sweep TEXT NOT NULL, first INTEGER NOT NULL, bytes INTEGER NOT NULL,
	used INTEGER NOT NULL, millis INTEGER NOT NULL, sum BLOB NOT NULL, runs BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS part_key ON part (key);
CREATE INDEX IF NOT EXISTS part_used ON part (used);`

// partRow is one row.
type partRow struct {
	key, sweep string
	first      int64
	millis     int64 // of the work since the call's last row
	sum        []byte
	runs       []byte
}

// check is the sum of what a row says.
func (p *partRow) check() []byte {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s %d %d %d\n", p.key, p.sweep, p.first, p.millis, len(p.runs))
	h.Write(p.runs)
	return h.Sum(nil)
}

// open returns the runs, if the row is as it was written.
func (p *partRow) open() ([]ablate.FinishedRun, error) {
	if !bytes.Equal(p.sum, p.check()) {
		return nil, errors.New("its sum is another")
	}
	return decodeRuns(p.runs)
}

// encodeRuns writes runs of as many numbers each: little-endian, how many numbers
// that is, then cell, row and the numbers' bits of each run.
func encodeRuns(runs []ablate.FinishedRun) []byte {
	data := binary.LittleEndian.AppendUint64(nil, uint64(len(runs[0].Numbers)))
	for _, r := range runs {
		data = binary.LittleEndian.AppendUint64(data, uint64(r.Cell))
		data = binary.LittleEndian.AppendUint64(data, uint64(r.Row))
		for _, v := range r.Numbers {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
		}
	}
	return data
}

// decodeRuns reads what encodeRuns wrote.
func decodeRuns(data []byte) ([]ablate.FinishedRun, error) {
	next := func() (v uint64) {
		v, data = binary.LittleEndian.Uint64(data), data[8:]
		return v
	}
	if len(data) < 8 {
		return nil, fmt.Errorf("%d bytes are too few", len(data))
	}
	width := next()
	if rest := uint64(len(data)); width > rest/8 || rest%(8*(2+width)) != 0 {
		return nil, fmt.Errorf("%d bytes are no runs of %d numbers", rest, width)
	}
	var runs []ablate.FinishedRun
	for len(data) > 0 {
		r := ablate.FinishedRun{Cell: int(next()), Row: int(next()), Numbers: make([]float64, width)}
		for i := range r.Numbers {
			r.Numbers[i] = math.Float64frombits(next())
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// parts returns the rows of a call, those of each sweep in order.
func (s *store) parts(key string) (list []*partRow, err error) {
	rows, err := s.db.Query("SELECT sweep, first, millis, sum, runs FROM part WHERE key = ? ORDER BY sweep, first, rowid", key)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		p := &partRow{key: key}
		if err := rows.Scan(&p.sweep, &p.first, &p.millis, &p.sum, &p.runs); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

// saveParts writes rows of a call, and removes as many of the other calls' as hold
// more than limit bytes together with it, those first that wrote longest ago.
func (s *store) saveParts(list []*partRow, limit int64) error {
	return s.attempt(func(tx *sql.Tx) error {
		for _, p := range list {
			if _, err := tx.Exec(`INSERT INTO part (key, sweep, first, bytes, used, millis, sum, runs)
				VALUES (?, ?, ?, ?, 1 + (SELECT coalesce(max(used), 0) FROM part), ?, ?, ?)`,
				p.key, p.sweep, p.first, len(p.runs), p.millis, p.check(), p.runs); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`DELETE FROM part WHERE key IN (SELECT key FROM
			(SELECT key, sum(held) OVER (ORDER BY last DESC) AS held FROM
			(SELECT key, sum(bytes) AS held, max(used) AS last FROM part GROUP BY key)) WHERE held > ?)`, limit)
		return err
	})
}

// dropParts removes the rows of a call, of one of its sweeps where sweep is not empty.
func (s *store) dropParts(key, sweep string) error {
	return s.attempt(func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM part WHERE key = ?1 AND (?2 = '' OR sweep = ?2)", key, sweep)
		return err
	})
}

// dropAllParts removes all rows and reports whether there were any. Where there are
// none it writes nothing, not even that.
func (s *store) dropAllParts() bool {
	var some bool
	if err := s.db.QueryRow("SELECT EXISTS (SELECT 1 FROM part)").Scan(&some); err != nil || !some {
		return false
	}
	return s.attempt(func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM part")
		return err
	}) == nil
}
