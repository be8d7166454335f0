package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"orrery/server"
	"orrery/server/api"
)

// TestReplay holds that a page that comes back gets exactly what it missed,
// and a snapshot where that is not known.
func TestReplay(t *testing.T) {
	s := start(t, server.Options{Models: newToys()})
	s.write("a", code("c", "x = 1\nx"))
	s.finish("a", api.RunRequest{All: true})
	before := s.snapshot("a")
	for i := range 5 {
		s.edit("a", api.Op{Op: api.OpSource, Cell: "c", Source: fmt.Sprintf("x = %d", i)})
	}
	p := s.connect("a", "?since="+seq(before))
	revision := before.Notebook.Revision
	for _, ev := range p.until(func(ev api.Event) bool { return ev.Op == api.EventSaved }) {
		if ev.Seq <= before.Seq || ev.Op == api.EventSnapshot {
			t.Errorf("event %s %d was known", ev.Op, ev.Seq)
		}
		if ev.Document != nil {
			if revision++; ev.Document.Revision != revision {
				t.Errorf("document %d follows %d", ev.Document.Revision, revision-1)
			}
		}
	}
	if revision != before.Notebook.Revision+5 {
		t.Errorf("the page came to revision %d of %d", revision, before.Notebook.Revision+5)
	}
	now := s.snapshot("a")
	for _, since := range []string{"", "?since=0", "?since=1", "?since=" + jsonNumber(now.Seq+1), "?since=18446744073709551615"} {
		if ev := s.connect("a", since).next(); ev.Op != api.EventSnapshot || ev.Seq != now.Seq || !sameJSON(t, *ev.Snapshot, now) {
			t.Errorf("%q: the first event is %s %d, want a snapshot", since, ev.Op, ev.Seq)
		}
	}
	up := s.connect("a", "?since="+seq(now))
	s.edit("a", api.Op{Op: api.OpUndo})
	if ev := up.next(); ev.Op != api.EventDocument || ev.Seq != now.Seq+1 {
		t.Errorf("a page that had everything gets %s %d first", ev.Op, ev.Seq)
	}
	for path, want := range map[string]int{"a": 400, "none": 404} {
		conn, r, err := s.dial(path, "?since=x", http.Header{"Origin": {s.base}})
		if err == nil {
			conn.Close()
			t.Errorf("%s: opened", path)
		} else if path == "a" && r.StatusCode != want || path == "none" && r.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, r.StatusCode, want)
		}
	}
	s.fail(400, "GET", notebookPath("a")+"/events", nil)
}

// TestRestartOfServer holds that numbers of an earlier server mean nothing to
// the next: the page gets a snapshot and not a part.
func TestRestartOfServer(t *testing.T) {
	s := start(t, server.Options{Models: newToys()})
	s.write("a", code("c", "x = 1"))
	p := s.connect("a", "")
	p.next()
	old := s.snapshot("a")
	go s.server.Close()
	if _, _, err := p.conn.ReadMessage(); closeCode(err) != websocket.CloseServiceRestart {
		t.Errorf("the page was left with %v", err)
	}
	s.stop()
	s = start(t, server.Options{Dir: s.dir, Models: newToys()})
	s.edit("a", api.Op{Op: api.OpSource, Cell: "c", Source: "x = 2"})
	if ev := s.connect("a", "?since="+seq(old)).next(); ev.Op != api.EventSnapshot || ev.Snapshot.Notebook.Cells[0].Source != "x = 2" {
		t.Errorf("the first event is %+v", ev)
	}
}

func TestCloseCodes(t *testing.T) {
	s := start(t, server.Options{Models: newToys()})
	s.write("a", "# A\n")
	for name, c := range map[string]struct {
		kind int
		data string
		code int
	}{
		"message": {websocket.TextMessage, "{}", websocket.CloseUnsupportedData},
		"binary":  {websocket.BinaryMessage, "x", websocket.CloseUnsupportedData},
		// Little more than the limit, so that the server has read it when it hangs up.
		"too large": {websocket.TextMessage, strings.Repeat("x", 1100), websocket.CloseMessageTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			p := s.connect("a", "")
			p.next()
			if err := p.conn.WriteMessage(c.kind, []byte(c.data)); err != nil {
				t.Fatal(err)
			}
			if err := p.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			_, _, err := p.conn.ReadMessage()
			if got := closeCode(err); got != c.code {
				t.Errorf("closed with %d (%v), want %d", got, err, c.code)
			}
		})
	}
	var pages []*page
	for range 32 {
		p := s.connect("a", "")
		p.next()
		pages = append(pages, p)
	}
	one := s.connect("a", "")
	var err error
	for err == nil {
		_, _, err = one.conn.ReadMessage()
	}
	if closeCode(err) != websocket.CloseTryAgainLater {
		t.Errorf("page %d was left with %v", len(pages)+1, err)
	}
}

// TestPageThatStopsReading holds that such a page holds nobody: the cell ends,
// other pages see it, the page is cut off, and coming back it has everything.
func TestPageThatStopsReading(t *testing.T) {
	s := start(t, server.Options{Models: newToys()}, func(s *server.Server) { s.Hurry(2*time.Second, time.Hour) })
	var cells []string
	for i := range 8 { // 24 MB, more than the buffers of a connection take
		cells = append(cells, fmt.Sprint("c", i), "print('x' * 3000000)")
	}
	s.write("a", code(append(cells, "c", "1")...))
	cut := s.log.await("was cut off")
	since := s.snapshot("a").Seq
	deaf, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	if err := deaf.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	req := s.request("GET", notebookPath("a")+"/events", nil)
	req.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Authorization": {"Bearer " + testToken}}
	if err := req.Write(deaf); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReaderSize(deaf, 512), req)
	if err != nil || r.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v %v", r, err)
	}
	// From here on the deaf page reads nothing.
	p := s.connect("a", "?since="+jsonNumber(since))
	s.run("a", api.RunRequest{All: true})
	p.until(state("c", api.StateDone))
	select {
	case <-cut:
	case <-time.After(patience):
		t.Fatal("the page that does not read is not cut off")
	}
	back := s.connect("a", "?since="+jsonNumber(since)).until(func(ev api.Event) bool {
		return ev.Snapshot != nil || state("c", api.StateDone)(ev)
	})
	last := back[len(back)-1]
	if last.Snapshot != nil && cell(t, *last.Snapshot, "c").State != api.StateDone {
		t.Errorf("coming back the page gets %+v", last)
	}
}

// TestSilentPage holds that a page that answers no ping is forgotten.
func TestSilentPage(t *testing.T) {
	s := start(t, server.Options{Models: newToys()}, func(s *server.Server) { s.Hurry(10*time.Second, 300*time.Millisecond) })
	s.write("a", "# A\n")
	p := s.connect("a", "")
	p.next()
	p.conn.SetPingHandler(func(string) error { return nil }) // no pong
	if err := p.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.conn.ReadMessage(); err == nil || strings.Contains(err.Error(), "i/o timeout") {
		t.Errorf("the silent page is still connected: %v", err)
	}
}

// TestEveryEventIsJSONOfItsKind holds the promise of api.EventOp: exactly the
// payload of that name is set.
func TestEveryEventIsJSONOfItsKind(t *testing.T) {
	s := start(t, server.Options{Models: newToys()})
	s.write("a", code("m", `m = load("toy")`, "lens", `logit_lens(m, [1, 2, 3])`, "p", "print(1)"))
	p := s.connect("a", "?since="+seq(s.snapshot("a")))
	s.edit("a", api.Op{Op: api.OpInsert, Kind: api.CellMarkdown, Source: "*hi*"})
	s.run("a", api.RunRequest{All: true})
	payload := map[api.EventOp]string{api.EventSnapshot: "snapshot", api.EventDocument: "document", api.EventCellState: "cell_state",
		api.EventOutput: "output", api.EventPart: "part", api.EventProgress: "progress", api.EventVariables: "variables",
		api.EventSaved: "saved", api.EventConflict: "conflict"}
	seen := map[api.EventOp]bool{}
	for ended := false; !ended; {
		ev := p.next()
		seen[ev.Op] = true
		data, err := json.Marshal(ev)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(data, &fields); err != nil {
			t.Fatal(err)
		}
		for op, name := range payload {
			if _, set := fields[name]; set != (op == ev.Op) && ev.Op != api.EventVariables {
				t.Errorf("%s: field %s is set: %v", ev.Op, name, set)
			}
		}
		ended = terminal("p")(ev)
	}
	for _, op := range []api.EventOp{api.EventDocument, api.EventCellState, api.EventOutput, api.EventVariables, api.EventSaved} {
		if !seen[op] {
			t.Errorf("no event %s", op)
		}
	}
}
