package server

import (
	"os"
	"path/filepath"
	"time"

	"orrery/server/api"
)

// Routes lists every route as "METHOD PATH".
func (s *Server) Routes() []string {
	var list []string
	for _, r := range s.echo.Routes() {
		list = append(list, r.Method+" "+r.Path)
	}
	return list
}

// Hurry makes the server look at files often, and gives slow and silent pages
// that much time. It must be called before Start.
func (s *Server) Hurry(write, pong time.Duration) {
	s.pace = pace{write: write, ping: pong / 4, pong: pong, watch: 10 * time.Millisecond}
}

// BreakStore makes every later access of the store fail.
func (s *Server) BreakStore() error { return s.store.close() }

// KeepQuick makes the result cache keep also what was quick to compute, and finished
// runs of sweeps at once.
func (s *Server) KeepQuick() { s.results.least, s.results.every = 0, 0 }

// Opened is one notebook without HTTP.
type Opened struct {
	server *Server
	hub    *hub
}

// OpenForBenchmark opens a notebook in a new folder.
func OpenForBenchmark(dir string, text []byte) (*Opened, error) {
	if err := os.WriteFile(filepath.Join(dir, "a.md"), text, 0o600); err != nil {
		return nil, err
	}
	s, err := New(Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	h, err := s.hub("a")
	return &Opened{s, h}, err
}

// Edit makes an edit on the newest revision.
func (o *Opened) Edit(ops ...api.Op) error {
	_, err := o.hub.edit(api.EditRequest{Revision: o.hub.current().Revision, Ops: ops})
	return err
}

// Close closes the server.
func (o *Opened) Close() error { return o.server.Close() }
