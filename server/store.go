package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"modernc.org/sqlite" // the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// store is the SQLite file beside the notebooks. It holds what a Markdown file
// cannot: revisions, undo histories, the outputs of cells, the results of analyses and
// what there is of unfinished ones. Every write is on the disk when its method returns.
type store struct{ db *sql.DB }

// schema is the layout of version 1.
//
// document.text is the file as the server last wrote it; edit holds the undo
// history as one list, in which the entries before document.at are undone by
// undo and the others made again by redo. run holds the last run of each cell,
// of deleted ones, too, for the sake of undo.
const (
	schemaVersion = 1
	schema        = `
CREATE TABLE document (
	id TEXT PRIMARY KEY, revision INTEGER NOT NULL, text BLOB NOT NULL,
	at INTEGER NOT NULL, saved_at TEXT NOT NULL) STRICT;
CREATE TABLE edit (
	document TEXT NOT NULL, n INTEGER NOT NULL, data BLOB NOT NULL,
	PRIMARY KEY (document, n)) STRICT, WITHOUT ROWID;
CREATE TABLE run (
	document TEXT NOT NULL, cell TEXT NOT NULL, data BLOB NOT NULL,
	PRIMARY KEY (document, cell)) STRICT;
PRAGMA user_version = 1;`
)

// openStore opens or makes the store of a folder, whose lock the caller holds.
func openStore(f *folder) (*store, error) {
	file, err := filepath.Abs(filepath.Join(f.path, private, "store.sqlite"))
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if info, err := f.root.Lstat(private + "/store.sqlite"); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("store: %s is not a plain file; move it away and start again", file)
	}
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(file), RawQuery: url.Values{"_pragma": {
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)"}}.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	db.SetMaxOpenConns(1)
	s := &store{db: db}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("store %s: %w; the notebooks beside it are whole: move the store away and start again, "+
			"which loses recorded outputs and undo histories", file, err), db.Close())
	}
	return s, nil
}

// prepare makes the tables, or checks that the file is one of ours.
func (s *store) prepare() error {
	var version int
	if err := s.db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	create := func(tables string) error {
		return s.write(func(tx *sql.Tx) error {
			_, err := tx.Exec(tables)
			return err
		})
	}
	switch version {
	case schemaVersion:
		_ = create(resultSchema + partSchema) // a disk that refuses it keeps no results, which each use says
		return nil
	case 0:
		return create(schema + resultSchema + partSchema)
	}
	return fmt.Errorf("made by a newer program (layout %d, this one knows %d)", version, schemaVersion)
}

// write is attempt for what cannot be computed again: on a full disk the result
// cache gives its place.
func (s *store) write(fn func(tx *sql.Tx) error) error {
	err := s.attempt(fn)
	var refused *sqlite.Error
	if !errors.As(err, &refused) || refused.Code() != sqlite3.SQLITE_FULL {
		return err
	}
	if results, parts := s.dropResults(), s.dropAllParts(); !results && !parts {
		return err
	}
	return s.attempt(fn)
}

// attempt runs fn in a transaction, which is durable when attempt returns nil and
// has left nothing otherwise.
func (s *store) attempt(fn func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		if e := tx.Rollback(); e != nil && !errors.Is(e, sql.ErrTxDone) {
			return errors.Join(err, e)
		}
		return err
	}
	return nil
}

func (s *store) close() error { return s.db.Close() }
