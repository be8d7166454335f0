package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"orrery/server/api"
	"orrery/viz"
)

// The bounds of the result cache.
const (
	// resultBytes is how much all kept results may take of the store. Those that
	// were asked for longest ago go first.
	resultBytes = 256 << 20
	// resultShare is the share of it that one result may take.
	resultShare = 8
	// resultLeast is how long a call must have computed to be kept: below it the
	// disk costs as much as the work.
	resultLeast = 100 * time.Millisecond
)

// Results is the result cache: the finished figures of analyses, kept in a store
// under what they were computed from. What is taken from it is equal to the bit to
// what was computed, or is not taken: a row that is damaged is left out, said in
// the log and computed again. Nothing that goes wrong here fails a run.
//
// The key of a result is the sha256 of the program (see programHash) and of the
// call (see analysis.Key). A result of another program is never found; it goes
// when its place is needed.
type Results struct {
	store   *store
	log     *slog.Logger
	program func() (string, error)
	least   time.Duration
	limit   int64
	// partLimit bounds what is kept of calls that have not ended, every is how long it
	// is gathered.
	partLimit int64
	every     time.Duration
}

// newResults returns the cache in a store.
func newResults(s *store, log *slog.Logger) *Results {
	r := &Results{store: s, log: log, program: sync.OnceValues(programHash), least: resultLeast, limit: resultBytes, partLimit: partBytes, every: partsEvery}
	if runtime.GOOS != "linux" {
		go func() { _, _ = r.program() }() // row reports the error
	}
	return r
}

// OpenResults opens the result cache of the workspace folder that a notebook's
// file lies in. A server may have the folder open, too. The error is
// fs.ErrNotExist when no server has opened a folder above the file yet.
func OpenResults(file string, log *slog.Logger) (*Results, error) {
	dir, _, err := workspaceOf(file)
	if err != nil {
		return nil, fmt.Errorf("results of %s: %w", file, err)
	}
	f, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	s, err := openStore(f)
	if err := errors.Join(err, f.root.Close()); err != nil {
		return nil, err
	}
	return newResults(s, log), nil
}

// Close closes the store of OpenResults.
func (r *Results) Close() error { return r.store.close() }

// row is the key of a call's row.
func (r *Results) row(call string) (string, error) {
	program, err := r.program()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(program + "\n" + call))
	return hex.EncodeToString(sum[:]), nil
}

// result is a kept figure.
type result struct {
	figure *viz.Figure
	took   time.Duration
	madeAt string // RFC 3339
}

// recall returns the result of a call, nil when there is none.
func (r *Results) recall(call string) *result {
	key, err := r.row(call)
	if err != nil {
		r.log.Warn("the result cache is not read", "error", err)
		return nil
	}
	row, err := r.store.result(key)
	if err != nil || row == nil {
		if err != nil {
			r.log.Warn("a kept result cannot be read and is computed again", "error", err)
		}
		return nil
	}
	f, err := row.open()
	if err != nil {
		r.log.Warn("a kept result is damaged and is computed again", "key", key, "error", err)
		if err := r.store.dropResult(key); err != nil {
			r.log.Warn("a damaged result stays in the store", "key", key, "error", err)
		}
		return nil
	}
	if err := r.store.touchResult(key); err != nil {
		r.log.Warn("a kept result may go before its time", "error", err)
	}
	return &result{f, time.Duration(row.millis) * time.Millisecond, row.madeAt}
}

// keep takes the figure of a call, which took so long. What was quick, what is
// large, and what would not come back equal to the bit is not kept.
func (r *Results) keep(call string, f *viz.Figure, took time.Duration) {
	if took < r.least {
		return
	}
	key, err := r.row(call)
	if err != nil {
		r.log.Warn("a result is not kept", "error", err)
		return
	}
	data, err := encodeFigure(f)
	switch {
	case err != nil:
		r.log.Warn("a result is not kept", "figure", f.Title, "error", err)
		return
	case int64(len(data)) > r.limit/resultShare:
		r.log.Debug("a result is too large to be kept", "figure", f.Title, "bytes", len(data))
		return
	}
	row := &resultRow{key: key, figure: data, millis: took.Milliseconds(), madeAt: time.Now().UTC().Format(time.RFC3339)}
	if err := r.store.saveResult(row, r.limit); err != nil {
		r.log.Warn("a result is not kept", "figure", f.Title, "error", err)
	}
}

// encodeFigure writes a figure, and makes sure that decodeFigure gives the same.
func encodeFigure(f *viz.Figure) ([]byte, error) {
	data, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	back, err := decodeFigure(data)
	if err != nil {
		return nil, err
	}
	again, err := json.Marshal(back)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(data, again) {
		return nil, errors.New("it would not come back as it is")
	}
	return data, nil
}

// decodeFigure reads a figure. Parameters, whose types JSON does not know, stay as
// they were written.
func decodeFigure(data []byte) (*viz.Figure, error) {
	var f viz.Figure
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("figure: %w", err)
	}
	var written struct {
		Provenance struct {
			Params map[string]json.RawMessage `json:"params"`
		} `json:"provenance"`
	}
	if err := json.Unmarshal(data, &written); err != nil {
		return nil, fmt.Errorf("figure: %w", err)
	}
	for name, raw := range written.Provenance.Params {
		f.Provenance.Params[name] = raw
	}
	return &f, nil
}

// recalled counts one more result that was not computed.
func recalled(r *api.Recalled, more *result) *api.Recalled {
	next := api.Recalled{MadeAt: more.madeAt}
	if r != nil {
		next = *r
	}
	next.Results++
	next.Millis += more.took.Milliseconds()
	next.MadeAt = min(next.MadeAt, more.madeAt)
	return &next
}
