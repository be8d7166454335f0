package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"orrery/server/api"
)

// program is the built program, serving a folder of its own.
type program struct {
	address *url.URL // with the token
	client  *http.Client
	stop    func()
}

// buildProgram builds the program as a user does.
func buildProgram(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "orrery")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// startProgram starts the program in dir and returns when it answers.
func startProgram(t testing.TB, path, dir string) *program {
	t.Helper()
	cmd := exec.Command(path, "serve", "--no-browser", "--dir", dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{stop: func() {
		if cmd.ProcessState == nil {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Error(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("the program ended with %v", err)
			}
		}
	}}
	lines := bufio.NewScanner(out)
	for p.address == nil && lines.Scan() {
		if strings.HasPrefix(lines.Text(), "http://") {
			if p.address, err = url.Parse(lines.Text()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if p.address == nil {
		t.Fatal("the program printed no address")
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p.client = &http.Client{Jar: jar, Timeout: 10 * time.Second}
	p.get(t, "/healthz")
	return p
}

func (p *program) get(t testing.TB, path string) *http.Response {
	t.Helper()
	u := *p.address
	u.Path = path
	r, err := p.client.Get(u.String())
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", path, r.Status)
	}
	return r
}

// post sends a command as a page does.
func (p *program) post(t testing.TB, path string, body any) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, "http://"+p.address.Host+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", "http://"+p.address.Host)
	r.Header.Set("X-Orrery", "1")
	answer, err := p.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("POST %s: %s", path, answer.Status)
	}
}

// firstFigure opens the first notebook, runs its lens over the websocket and
// returns how many parts of the figure arrived before the run ended.
func (p *program) firstFigure(t testing.TB) int {
	t.Helper()
	p.get(t, "/n/"+firstExample)
	dialer := websocket.Dialer{Jar: p.client.Jar}
	ws, _, err := dialer.Dial("ws://"+p.address.Host+"/api/notebooks/"+firstExample+"/events?since=0", http.Header{"Origin": {"http://" + p.address.Host}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	p.post(t, "/api/notebooks/"+firstExample+"/run", api.RunRequest{Cells: []string{"lens"}})
	figures := 0
	if err := ws.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for {
		var e api.Event
		if err := ws.ReadJSON(&e); err != nil {
			t.Fatal(err)
		}
		switch {
		case e.Output != nil && e.Output.Cell == "lens" && e.Output.Output.Figure != nil:
			figures++
		case e.CellState != nil && e.CellState.Cell == "lens" && e.CellState.State == api.StateFailed:
			t.Fatal("the lens failed")
		case e.CellState != nil && e.CellState.Cell == "lens" && e.CellState.State == api.StateDone:
			return figures
		}
	}
}

// TestProgram starts the built program, runs the first figure and stops it
// with an interrupt, as a user does.
func TestProgram(t *testing.T) {
	p := startProgram(t, buildProgram(t), t.TempDir())
	defer p.stop()
	if p.firstFigure(t) == 0 {
		t.Error("the run ended without a figure")
	}
}

// BenchmarkReady is the time from the start of the built program until it
// answers a request.
func BenchmarkReady(b *testing.B) {
	path := buildProgram(b)
	for b.Loop() {
		p := startProgram(b, path, b.TempDir())
		b.StopTimer()
		p.stop()
		b.StartTimer()
	}
}

// BenchmarkFirstFigure is the time from the start of the built program until
// the first notebook's lens has been computed anew and has arrived.
func BenchmarkFirstFigure(b *testing.B) {
	path := buildProgram(b)
	for b.Loop() {
		p := startProgram(b, path, b.TempDir())
		p.firstFigure(b)
		b.StopTimer()
		p.stop()
		b.StartTimer()
	}
}
