package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"orrery/server/api"
	"orrery/server/notebook"
)

// FuzzRecorded reads any bytes as what is recorded beside a notebook: they are
// refused with the file's name, or can be compared with themselves, without a
// difference where the figures are valid, and with nothing.
func FuzzRecorded(f *testing.F) {
	for _, text := range []string{
		`[{"cell":"a","state":"done","hash":"h","outputs":[{"id":"1","kind":"text","text":"x = 1.5\n"},{"id":"2","kind":"value","value":{"type":"int","repr":"-0"}}]}]`,
		`[null]`, `null`, `[{"cell":"a","state":"done","outputs":[{"kind":"figure"}]}]`, `[{"cell":"a"},{"cell":"a","state":"failed","outputs":[{"kind":"error"}]}]`,
		`[{"cell":"a","state":"done","outputs":[{"kind":"figure","figure":{"kind":"bars","arrays":{"x":null}}}]}]`,
		`[{"cell":"a","state":"done","outputs":[{"kind":"figure","figure":{"kind":"table","title":"","subtitle":"","table":{"columns":[{"name":"a","values":"a"}],"rows":0},"arrays":{"a":{"shape":[1],"axes":[""],"f32":"AADAfw=="}},"provenance":{"tolerance":-1}}}]}]`,
		`[{"cell":"a","state":"done","outputs":[{"kind":"figure","figure":{"kind":"table","title":"","subtitle":"","table":{"columns":[{"name":"a","values":"a"}],"rows":1},"arrays":{"a":{"shape":[1],"axes":[""],"f32":"AACAPw=="}},"provenance":{"tolerance":-1}}}]}]`,
		`[{"cell":"a","state":"done","outputs":[{"kind":"tokens","tokens":[{}]},{"kind":"prompts","prompts":{}}]}]`,
	} {
		f.Add([]byte(text))
	}
	dir := f.TempDir()
	file := filepath.Join(dir, "n.md")
	f.Fuzz(func(t *testing.T, data []byte) {
		beside := filepath.Join(dir, "n.outputs.json")
		if err := os.WriteFile(beside, data, 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := ReadRecorded(t.Context(), file)
		if err != nil {
			if !strings.Contains(err.Error(), "n.outputs.json") {
				t.Error(err)
			}
			return
		}
		again, err := ReadRecorded(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		valid := !slices.ContainsFunc(list, func(r *Recorded) bool {
			return slices.ContainsFunc(r.Outputs, func(o api.Output) bool { return o.Figure != nil && o.Figure.Validate() != nil })
		})
		twice := map[string]bool{}
		for _, r := range list {
			valid = valid && !twice[r.Cell]
			twice[r.Cell] = true
		}
		for _, c := range Check(list, &Executed{Recorded: again}) {
			if c.Problem != nil && valid && c.Problem.Error() != "nothing is recorded for this cell" {
				t.Errorf("%s: cell %q differs from itself: %v", data, c.Cell, c.Problem)
			}
		}
		Check(nil, &Executed{Recorded: again})
		Check(list, &Executed{Recorded: []*Recorded{{Cell: "a", State: api.StateDone, Outputs: []api.Output{{Kind: api.OutputText}}}}})
	})
}

// FuzzRequest sends any bytes as an edit, and any words as an event's number and as
// what an export shows: what is refused is said with the words, and what is taken
// is what JSON, or decimal numbers, say.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"revision":1,"ops":[{"op":"delete","cell":"a"}]}`), "application/json", "12", "3", "-45,60")
	f.Add([]byte(`{"revision":-1}`), "application/json; charset=utf-8", "-1", "1e9", "NaN,Inf")
	f.Add([]byte(`{"revision":18446744073709551616} {}`), "text/plain", "18446744073709551616", "", ",")
	f.Add([]byte("\xff"), "application/json;;", "0x10", "+1", "1,2,3")
	f.Add([]byte(`null`), "APPLICATION/JSON", " 1", "٣", "1e999,0")
	f.Fuzz(func(t *testing.T, body []byte, kind, since, frame, turn string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body)))
		r.Header["Content-Type"] = []string{kind}
		r.URL.RawQuery = ""
		c := echo.New().NewContext(r, httptest.NewRecorder())
		if req, err := bind[api.EditRequest](c, 1<<16); err == nil {
			var want api.EditRequest
			if !strings.Contains(strings.ToLower(kind), "application/json") || json.Unmarshal(body, &want) != nil || len(req.Ops) != len(want.Ops) || req.Revision != want.Revision {
				t.Errorf("%q as %q is read as %+v, want %+v", body, kind, req, want)
			}
			n := &notebook.Notebook{Cells: []notebook.Cell{{ID: "a", Kind: api.CellCode}}}
			if err := n.Check(req.Revision, req.Ops); err != nil {
				t.Errorf("a notebook that nobody changed refuses %q: %v", body, err)
			}
		} else if e := asError(err); e.Message == "" || e.Code == api.Internal {
			t.Errorf("%q: %#v", body, err)
		}
		n, err := sequence(since)
		if want, bad := strconv.ParseUint("0"+since, 10, 64); bad == nil != (err == nil) && !strings.HasPrefix(since, "_") || err == nil && n != want {
			t.Errorf("since=%q is %d, %v", since, n, err)
		}
		if err != nil && !strings.Contains(err.Error(), strconv.Quote(since)) {
			t.Errorf("since=%q: %v", since, err)
		}
		q := r.URL.Query()
		q.Set("frame", frame)
		q.Set("turn", turn)
		r.URL.RawQuery = q.Encode()
		o, err := exportOptions(echo.New().NewContext(r, httptest.NewRecorder()))
		if err != nil {
			if e := asError(err); !strings.Contains(e.Message, strconv.Quote(frame)) && !strings.Contains(e.Message, strconv.Quote(turn)) {
				t.Errorf("frame %q, turn %q: %v", frame, turn, err)
			}
			return
		}
		if (o.Frame != nil) != (frame != "") || (o.Turn != nil) != (turn != "") {
			t.Errorf("frame %q, turn %q give %+v", frame, turn, o)
		}
	})
}

// FuzzSince asks a log for what came after any event: all of it, in order, or
// nothing where some is gone or the number is none of the log's.
func FuzzSince(f *testing.F) {
	f.Add(uint64(0), uint64(0), uint64(0))
	f.Add(uint64(1<<63), uint64(5), uint64(1<<63+2))
	f.Add(uint64(1<<64-3), uint64(3), uint64(1<<64-1))
	f.Add(uint64(7), uint64(4), uint64(6))
	f.Fuzz(func(t *testing.T, first, count, since uint64) {
		count %= 50
		if first == 0 || first > 1<<64-1-count {
			return
		}
		var l eventLog
		last := first - 1
		for range count {
			last++
			l.add(record{seq: last})
		}
		got, ok := l.since(since, last)
		if want := since == last || count > 0 && since <= last && since >= first-1; ok != want {
			t.Fatalf("since %d of %d..%d: %v, want %v", since, first, last, ok, want)
		}
		if ok && uint64(len(got)) != last-since {
			t.Fatalf("since %d of %d..%d: %d events", since, first, last, len(got))
		}
		for i, r := range got {
			if r.seq != since+1+uint64(i) {
				t.Fatalf("since %d of %d..%d: event %d is number %d", since, first, last, i, r.seq)
			}
		}
	})
}
