package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gorilla/websocket"

	"orrery/server"
	"orrery/server/api"
)

// patience bounds every wait of a test; a test never sleeps.
const patience = 20 * time.Second

const testToken = "secret-token-of-the-test"

// assets is a page as the web build makes it, only smaller.
var assets = fstest.MapFS{
	"index.html": {Data: []byte(`<meta name="csp-nonce" content="{{nonce}}"><script type="module" src="/app.js"></script>`)},
	"app.js":     {Data: []byte("export {}\n")},
}

// logBuffer is a log that a test may read while the server writes.
type logBuffer struct {
	mu      sync.Mutex
	b       bytes.Buffer
	waiting map[string]chan struct{}
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for text, found := range l.waiting {
		if bytes.Contains(p, []byte(text)) {
			close(found)
			delete(l.waiting, text)
		}
	}
	return l.b.Write(p)
}

// await returns a channel that is closed when a line with the text is written.
func (l *logBuffer) await(text string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting == nil {
		l.waiting = map[string]chan struct{}{}
	}
	found := make(chan struct{})
	l.waiting[text] = found
	return found
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// site is a running server with a signed-in browser.
type site struct {
	t      *testing.T
	dir    string
	server *server.Server
	base   string // http://127.0.0.1:PORT
	client *http.Client
	log    *logBuffer
	ended  chan error
}

// start serves a folder; the server is closed with the test. The functions
// are called with it before it starts.
func start(t *testing.T, o server.Options, before ...func(*server.Server)) *site {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	s := &site{t: t, dir: o.Dir, log: &logBuffer{}, ended: make(chan error, 1)}
	o.Assets, o.Token = assets, testToken
	o.Log = slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	srv, err := server.New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range before {
		f(srv)
	}
	s.server = srv
	go func() { s.ended <- srv.Start(context.Background()) }()
	t.Cleanup(s.stop)
	u, err := url.Parse(srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	s.base = "http://" + u.Host
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.client = &http.Client{Jar: jar, Timeout: patience}
	r, err := s.client.Get(srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusOK || r.Request.URL.RawQuery != "" {
		t.Fatalf("signing in ended at %s with %s", r.Request.URL, r.Status)
	}
	return s
}

// watchful makes a server look at its files often.
func watchful(s *server.Server) { s.Hurry(10*time.Second, time.Minute) }

// stop closes the server as a signal does.
func (s *site) stop() {
	s.t.Helper()
	if s.server == nil {
		return
	}
	if err := s.server.Close(); err != nil {
		s.t.Errorf("close: %v", err)
	}
	if err := <-s.ended; err != nil {
		s.t.Errorf("serve: %v", err)
	}
	s.server = nil
}

// request makes a request as the page does.
func (s *site) request(method, path string, body any) *http.Request {
	s.t.Helper()
	var r io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		r = bytes.NewReader(data)
	}
	req, err := http.NewRequest(method, s.base+path, r)
	if err != nil {
		s.t.Fatal(err)
	}
	if method != http.MethodGet {
		req.Header.Set("Origin", s.base)
		req.Header.Set("X-Orrery", "1")
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

// send sends a request and returns status, header and body.
func (s *site) send(req *http.Request) (int, http.Header, []byte) {
	s.t.Helper()
	r, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return r.StatusCode, r.Header, body
}

// call makes a request that must succeed and reads the answer.
func call[T any](s *site, method, path string, body any) T {
	s.t.Helper()
	var v T
	status, _, data := s.send(s.request(method, path, body))
	if status >= 300 {
		s.t.Fatalf("%s %s: %d %s", method, path, status, data)
	}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &v); err != nil {
			s.t.Fatalf("%s %s: %v in %s", method, path, err, data)
		}
	}
	return v
}

// fail makes a request that must be refused with a status.
func (s *site) fail(status int, method, path string, body any) *api.Error {
	s.t.Helper()
	got, _, data := s.send(s.request(method, path, body))
	var e api.Error
	if got != status {
		s.t.Fatalf("%s %s: status %d, want %d: %s", method, path, got, status, data)
	}
	if err := json.Unmarshal(data, &e); err != nil || e.Message == "" {
		s.t.Fatalf("%s %s: the body is no error: %s", method, path, data)
	}
	return &e
}

func notebookPath(id string) string { return "/api/notebooks/" + url.PathEscape(id) }

func (s *site) snapshot(id string) api.Snapshot {
	s.t.Helper()
	return call[api.Snapshot](s, "GET", notebookPath(id), nil)
}

// edit applies operations on the newest revision.
func (s *site) edit(id string, ops ...api.Op) api.EditResponse {
	s.t.Helper()
	return call[api.EditResponse](s, "POST", notebookPath(id)+"/edit",
		api.EditRequest{Revision: s.snapshot(id).Notebook.Revision, Ops: ops})
}

func (s *site) run(id string, req api.RunRequest) []api.Job {
	s.t.Helper()
	return call[api.RunResponse](s, "POST", notebookPath(id)+"/run", req).Jobs
}

// write puts a notebook file into the folder.
func (s *site) write(id, text string) { writeFile(s.t, s.dir, id, text) }

func writeFile(t *testing.T, dir, id, text string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(id)+".md")
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	// In one step, as editors do: who watches the file never sees half of it.
	if err := os.WriteFile(file+".new", []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

func (s *site) file(id string) string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, filepath.FromSlash(id)+".md"))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(data)
}

// code writes a notebook of code cells with the given ids and sources.
func code(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString("```python {#" + pairs[i] + "}\n" + pairs[i+1] + "\n```\n")
	}
	return b.String()
}

// page is a connected page: the events that it got.
type page struct {
	t    *testing.T
	conn *websocket.Conn
}

// connect opens the websocket of a notebook; since is a query such as "?since=3".
func (s *site) connect(id, since string) *page {
	s.t.Helper()
	conn, _, err := s.dial(id, since, http.Header{"Origin": {s.base}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	return &page{t: s.t, conn: conn}
}

func (s *site) dial(id, since string, header http.Header) (*websocket.Conn, *http.Response, error) {
	d := websocket.Dialer{Jar: s.client.Jar, HandshakeTimeout: patience}
	return d.Dial("ws"+strings.TrimPrefix(s.base, "http")+notebookPath(id)+"/events"+since, header)
}

// next returns the next event.
func (p *page) next() api.Event {
	p.t.Helper()
	var ev api.Event
	if err := p.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		p.t.Fatal(err)
	}
	if err := p.conn.ReadJSON(&ev); err != nil {
		p.t.Fatalf("no event: %v", err)
	}
	return ev
}

// until reads events up to the first that matches, which comes last.
func (p *page) until(match func(api.Event) bool) []api.Event {
	p.t.Helper()
	var events []api.Event
	for {
		ev := p.next()
		events = append(events, ev)
		if match(ev) {
			return events
		}
	}
}

// state matches the event that a cell comes into a state.
func state(cell string, states ...api.CellState) func(api.Event) bool {
	return func(ev api.Event) bool {
		if ev.CellState == nil || ev.CellState.Cell != cell {
			return false
		}
		for _, s := range states {
			if ev.CellState.State == s {
				return true
			}
		}
		return false
	}
}

// terminal matches the end of a cell's run.
func terminal(cell string) func(api.Event) bool {
	return state(cell, api.StateDone, api.StateFailed, api.StateCanceled)
}

// finish runs cells and waits for the last of them.
func (s *site) finish(id string, req api.RunRequest) []api.Event {
	s.t.Helper()
	p := s.connect(id, "?since="+seq(s.snapshot(id)))
	defer p.conn.Close()
	jobs := s.run(id, req)
	if len(jobs) == 0 {
		s.t.Fatal("nothing was queued")
	}
	return p.until(terminal(jobs[len(jobs)-1].Cell))
}

func seq(s api.Snapshot) string { return jsonNumber(s.Seq) }

func jsonNumber(n uint64) string {
	data, err := json.Marshal(n)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// cell returns a cell of a snapshot.
func cell(t *testing.T, s api.Snapshot, id string) api.Cell {
	t.Helper()
	for _, c := range s.Notebook.Cells {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("no cell %q in %+v", id, s.Notebook.Cells)
	return api.Cell{}
}

// closeCode returns the close code of an error of reading.
func closeCode(err error) int {
	var c *websocket.CloseError
	if errors.As(err, &c) {
		return c.Code
	}
	return 0
}
