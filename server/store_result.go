package server

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"orrery/viz"
)

// resultSchema is the table of the result cache. It may be missing from a store of
// layout 1, since all that it holds can be computed again. used orders the rows by
// when they were last asked for; sum is that of all the other columns that matter.
const resultSchema = `
CREATE TABLE IF NOT EXISTS result (
	key TEXT PRIMARY KEY, bytes INTEGER NOT NULL, used INTEGER NOT NULL,
	millis INTEGER NOT NULL, made_at TEXT NOT NULL, sum BLOB NOT NULL, figure BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS result_used ON result (used);`

// resultRow is one row.
type resultRow struct {
	key    string
	millis int64
	madeAt string
	sum    []byte
	figure []byte
}

// check is the sum of what a row says.
func (r *resultRow) check() []byte {
	h := sha256.New()
	fmt.Fprintf(h, "%s %d %s %d\n", r.key, r.millis, r.madeAt, len(r.figure))
	h.Write(r.figure)
	return h.Sum(nil)
}

// open returns the figure, if the row is as it was written.
func (r *resultRow) open() (*viz.Figure, error) {
	if !bytes.Equal(r.sum, r.check()) {
		return nil, errors.New("its sum is another")
	}
	return decodeFigure(r.figure)
}

// result returns the row of a key, nil when there is none.
func (s *store) result(key string) (*resultRow, error) {
	r := &resultRow{key: key}
	err := s.db.QueryRow("SELECT millis, made_at, sum, figure FROM result WHERE key = ?", key).
		Scan(&r.millis, &r.madeAt, &r.sum, &r.figure)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return r, err
}

// touchResult makes a row the last that goes.
func (s *store) touchResult(key string) error {
	return s.attempt(func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE result SET used = 1 + (SELECT max(used) FROM result) WHERE key = ?", key)
		return err
	})
}

// dropResult removes a row.
func (s *store) dropResult(key string) error {
	return s.attempt(func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM result WHERE key = ?", key)
		return err
	})
}

// dropResults removes all rows and reports whether there were any. Where there are
// none it writes nothing, not even that.
func (s *store) dropResults() bool {
	var some bool
	if err := s.db.QueryRow("SELECT EXISTS (SELECT 1 FROM result)").Scan(&some); err != nil || !some {
		return false
	}
	return s.attempt(func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM result")
		return err
	}) == nil
}

// saveResult writes a row and removes as many of the others as hold more than
// limit bytes together with it, those first that were asked for longest ago.
func (s *store) saveResult(r *resultRow, limit int64) error {
	return s.attempt(func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO result (key, bytes, used, millis, made_at, sum, figure)
			VALUES (?, ?, 1 + (SELECT coalesce(max(used), 0) FROM result), ?, ?, ?, ?)
			ON CONFLICT (key) DO UPDATE SET bytes = excluded.bytes, used = excluded.used, millis = excluded.millis,
			made_at = excluded.made_at, sum = excluded.sum, figure = excluded.figure`,
			r.key, len(r.figure), r.millis, r.madeAt, r.check(), r.figure); err != nil {
			return err
		}
		_, err := tx.Exec(`DELETE FROM result WHERE key IN (SELECT key FROM
			(SELECT key, sum(bytes) OVER (ORDER BY used DESC, key) AS held FROM result) WHERE held > ?)`, limit)
		return err
	})
}
