package hub_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"orrery/models/hub"
)

const big = "model.safetensors"

// send sends the first n bytes of a file under its whole length, and flushes.
func send(w http.ResponseWriter, f *fake, file string, n int) {
	w.Header().Set("Content-Length", fmt.Sprint(len(f.files[file])))
	w.Header().Set("ETag", `"`+sha256Of(f.files[file])+`"`)
	w.Write(f.files[file][:n])
	w.(http.Flusher).Flush()
}

// cut ends an answer with a broken connection.
func cut() { panic(http.ErrAbortHandler) }

// TestCut breaks the first answer: the same pull goes on behind what came.
func TestCut(t *testing.T) {
	f := newFake(t, repository(t))
	var times atomic.Int32
	f.behave(func(w http.ResponseWriter, r *http.Request, file string) bool {
		if file != big {
			return false
		}
		if times.Add(1) == 1 {
			send(w, f, file, 70_000)
			cut()
		}
		return false
	})
	mustPull(t, f.hub(t), f, modelFiles...)
	asked := f.asked(big)
	if len(asked) != 2 || asked[0].Header.Get("Range") != "" {
		t.Fatalf("%d requests", len(asked))
	}
	var from int
	if _, err := fmt.Sscanf(asked[1].Header.Get("Range"), "bytes=%d-", &from); err != nil || from == 0 || from > 70_000 {
		t.Errorf("went on with the range %q", asked[1].Header.Get("Range"))
	}
	if got, want := asked[1].Header.Get("If-Range"), `"`+sha256Of(f.files[big])+`"`; got != want {
		t.Errorf("went on if %q, want %q", got, want)
	}
}

// TestCutAgain never gets through; what came stays, and a later pull goes on.
func TestCutAgain(t *testing.T) {
	f := newFake(t, repository(t))
	h := f.hub(t)
	f.behave(func(w http.ResponseWriter, r *http.Request, file string) bool {
		if file == big {
			if r.Header.Get("Range") == "" {
				send(w, f, file, 1000)
			}
			cut()
		}
		return false
	})
	refused(t, h, "failed 6 times in a row", "goes on where this one stopped")
	if got := len(partOf(t, h, big)); got != 1000 {
		t.Errorf("%d bytes are kept, want 1000", got)
	}
	before := len(f.asked(big))
	f.behave(nil)
	mustPull(t, h, f, modelFiles...)
	if r := f.asked(big)[before]; r.Header.Get("Range") != "bytes=1000-" {
		t.Errorf("went on with the range %q", r.Header.Get("Range"))
	}
}

// TestResume starts from a part on disk, as a killed process leaves it.
func TestResume(t *testing.T) {
	for _, c := range []struct {
		name  string
		part  func(whole []byte) []byte
		serve func(f *fake, w http.ResponseWriter, r *http.Request) bool
		asked []string // the ranges asked for
	}{
		{"good", func(b []byte) []byte { return b[:1234] }, nil, []string{"bytes=1234-"}},
		{"whole", func(b []byte) []byte { return b }, nil, nil},
		{"too long", func(b []byte) []byte { return append(slices.Clone(b), 0) }, nil, []string{""}},
		{"of another file", func(b []byte) []byte { return make([]byte, 1234) }, nil, []string{"bytes=1234-", ""}},
		{"whole but wrong", func(b []byte) []byte { return make([]byte, len(b)) }, nil, []string{""}},
		{"server without ranges", func(b []byte) []byte { return b[:1234] }, func(f *fake, w http.ResponseWriter, r *http.Request) bool {
			r.Header.Del("Range")
			return false
		}, []string{"bytes=1234-"}},
		{"range refused", func(b []byte) []byte { return b[:1234] }, func(f *fake, w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Range") != "" {
				w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
				return true
			}
			return false
		}, []string{"bytes=1234-", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, repository(t))
			h := f.hub(t)
			var ranges []string
			f.behave(func(w http.ResponseWriter, r *http.Request, file string) bool {
				if file != big {
					return false
				}
				ranges = append(ranges, r.Header.Get("Range"))
				return c.serve != nil && c.serve(f, w, r)
			})
			dir := filepath.Join(h.Cache, "a", "b", commit+".part")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, big+".part"), c.part(f.files[big]), 0o644); err != nil {
				t.Fatal(err)
			}
			mustPull(t, h, f, modelFiles...)
			if !slices.Equal(ranges, c.asked) {
				t.Errorf("asked for the ranges %q, want %q", ranges, c.asked)
			}
		})
	}
}

// TestStall has answers that stop without an end.
func TestStall(t *testing.T) {
	for _, where := range []string{"", "config.json", big} {
		t.Run("at "+where, func(t *testing.T) {
			f := newFake(t, repository(t))
			f.behave(func(w http.ResponseWriter, r *http.Request, file string) bool {
				if file != where {
					return false
				}
				if file == big {
					send(w, f, file, 10)
				}
				<-r.Context().Done()
				return true
			})
			h := f.hub(t)
			h.Idle = 20 * time.Millisecond
			refused(t, h, "no byte came for 20ms")
		})
	}
}

// TestLies has answers that are not what the listing promises.
func TestLies(t *testing.T) {
	for _, c := range []struct {
		name  string
		serve func(f *fake, w http.ResponseWriter, r *http.Request)
		says  []string
	}{
		{"announces more", func(f *fake, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(f.files[big])+1))
			w.Write(append(slices.Clone(f.files[big]), 1))
		}, []string{"announced"}},
		{"announces less", func(f *fake, w http.ResponseWriter, r *http.Request) { w.Write(f.files[big][:1000]) }, []string{"1000 bytes are announced"}},
		{"sends more", func(f *fake, w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush() // so that no length is announced
			for range 10 {
				w.Write(f.files[big])
			}
		}, []string{"more than the listed"}},
		{"sends less", func(f *fake, w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			if r.Header.Get("Range") == "" {
				w.Write(f.files[big][:1000])
			}
		}, []string{"cut at byte"}},
		{"another content", func(f *fake, w http.ResponseWriter, r *http.Request) {
			b := slices.Clone(f.files[big])
			b[len(b)-1] ^= 1
			w.Write(b)
		}, []string{"another content", "SHA-256 is", sha256Of(repository(t)[big])}},
		{"another range", func(f *fake, w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				send(w, f, big, 1000)
				cut()
			}
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%[2]d", len(f.files[big])-1, len(f.files[big])))
			w.WriteHeader(http.StatusPartialContent)
			w.(http.Flusher).Flush()
			w.Write(f.files[big])
		}, []string{`"bytes 0-`, "where bytes 1000-"}},
		{"web page", func(f *fake, w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<!doctype html><p>log in") }, []string{"web page", "proxy"}},
		{"compressed", func(f *fake, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(f.files[big])
		}, []string{`"gzip"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, repository(t))
			f.behave(func(w http.ResponseWriter, r *http.Request, file string) bool {
				if file == big {
					c.serve(f, w, r)
				}
				return file == big
			})
			refused(t, f.hub(t), c.says...)
		})
	}
	t.Run("small file", func(t *testing.T) {
		f := newFake(t, repository(t))
		f.behave(func(w http.ResponseWriter, r *http.Request, file string) bool {
			if file == "config.json" {
				io.WriteString(w, strings.Replace(string(f.files[file]), "gpt2", "gpt3", 1))
			}
			return file == "config.json"
		})
		refused(t, f.hub(t), "config.json", "git blob SHA-1 is")
	})
}

// TestChangedFile has a file replaced between two answers: nothing is joined
// of two versions.
func TestChangedFile(t *testing.T) {
	f := newFake(t, repository(t))
	var times atomic.Int32
	f.behave(func(w http.ResponseWriter, r *http.Request, file string) bool {
		if file != big {
			return false
		}
		switch times.Add(1) {
		case 1: // an old version
			w.Header().Set("ETag", `"old"`)
			w.Header().Set("Content-Length", fmt.Sprint(len(f.files[big])))
			w.Write(make([]byte, 5000))
			w.(http.Flusher).Flush()
			cut()
		case 2:
			if got := r.Header.Get("If-Range"); got != `"old"` {
				t.Errorf("went on if %q", got)
			}
		}
		return false
	})
	mustPull(t, f.hub(t), f, modelFiles...)
	if n := times.Load(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

// TestIgnoredCondition has a server that goes on with another version although
// it was asked not to.
func TestIgnoredCondition(t *testing.T) {
	f := newFake(t, repository(t))
	h := f.hub(t)
	var notices []string
	h.Progress = func(p hub.Progress) { notices = append(notices, p.Notice) }
	f.behave(func(w http.ResponseWriter, r *http.Request, file string) bool {
		if file != big {
			return false
		}
		if r.Header.Get("If-Range") != "" {
			r.Header.Del("If-Range")
			w.Header().Set("ETag", `"other"`)
			http.ServeContent(w, r, file, time.Time{}, bytes.NewReader(make([]byte, len(f.files[file]))))
			return true
		}
		if len(f.asked(big)) == 1 {
			send(w, f, file, 1000)
			cut()
		}
		return false
	})
	mustPull(t, h, f, modelFiles...)
	if !slices.ContainsFunc(notices, func(s string) bool { return strings.Contains(s, "cannot go on with") }) {
		t.Errorf("another version was joined: %q", notices)
	}
}

// steady is a hub whose weights come a piece every 20 s.
type steady struct {
	f     *fake
	asked int
}

func (s *steady) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.f.ServeHTTP(w, r)
	res := w.Result()
	if strings.HasSuffix(r.URL.Path, big) {
		s.asked++
		res.Body = io.NopCloser(&drip{r.Context(), res.Body})
	}
	res.Request = r
	return res, nil
}

type drip struct {
	ctx context.Context
	io.Reader
}

func (d *drip) Read(b []byte) (int, error) {
	time.Sleep(20 * time.Second)
	if err := d.ctx.Err(); err != nil {
		return 0, err
	}
	return d.Reader.Read(b[:min(len(b), 10_000)])
}

// TestSlowLine takes minutes of an imagined clock and never is silent for the
// 30 s that count as a stall.
func TestSlowLine(t *testing.T) {
	f := newFake(t, repository(t))
	synctest.Test(t, func(t *testing.T) {
		s := &steady{f: f}
		h := f.hub(t)
		h.Idle, h.Transport = 30*time.Second, s
		began := time.Now()
		mustPull(t, h, f, modelFiles...)
		if s.asked != 1 || time.Since(began) < 5*time.Minute {
			t.Errorf("the weights were asked for %d times in %s", s.asked, time.Since(began))
		}
	})
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		name  string
		file  string // "" is the listing
		token string
		code  int
		head  map[string]string
		says  []string
	}{
		{"no such repository", "", token, 404, map[string]string{"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}, []string{"a/b does not exist", "check owner, name", `"Repository not found"`}},
		{"no such revision", "", token, 404, map[string]string{"X-Error-Code": "RevisionNotFound"}, []string{`a/b has no revision "main"`, "/a/b/tree/main"}},
		{"anonymous", "", "", 401, nil, []string{"does not exist, or is private or gated", "HF_TOKEN"}},
		{"bad token", "", token, 401, nil, []string{"HF_TOKEN was refused", "expired"}},
		{"gated", "", token, 403, nil, []string{"gated", "ask for access on"}},
		{"gated file", big, token, 403, map[string]string{"X-Error-Code": "GatedRepo"}, []string{"model.safetensors of a/b is gated"}},
		{"missing file", big, token, 404, nil, []string{"model.safetensors of a/b does not exist"}},
		{"busy", "", token, 503, nil, []string{"failed 3 times", "503"}},
		{"too many", big, token, 429, map[string]string{"Retry-After": "0"}, []string{"failed 6 times", "429"}},
		{"teapot", "", token, 418, nil, []string{"418", "--endpoint"}},
		{"web page", "", token, 200, map[string]string{"Content-Type": "text/html; charset=utf-8"}, []string{"web page where a/b was expected"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, repository(t))
			f.behave(func(w http.ResponseWriter, r *http.Request, file string) bool {
				if file == c.file {
					for k, v := range c.head {
						w.Header().Set(k, v)
					}
					w.WriteHeader(c.code)
				}
				return file == c.file
			})
			h := f.hub(t)
			h.Token = c.token
			refused(t, h, c.says...)
		})
	}
}

// TestBusyPasses has a hub that answers at the second time.
func TestBusyPasses(t *testing.T) {
	f := newFake(t, repository(t))
	var times sync.Map
	f.behave(func(w http.ResponseWriter, r *http.Request, file string) bool {
		if _, again := times.LoadOrStore(file, true); !again {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		return false
	})
	mustPull(t, f.hub(t), f, modelFiles...)
}

// TestRedirects follows what may be followed, without the token.
func TestRedirects(t *testing.T) {
	f := newFake(t, repository(t))
	elsewhere := func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "" {
			t.Errorf("%s got the authorization %q", r.Host, got)
		}
		f.content(w, r, big, f.files[big])
	}
	store := httptest.NewServer(http.HandlerFunc(elsewhere))
	defer store.Close()
	secure := httptest.NewTLSServer(http.HandlerFunc(elsewhere))
	defer secure.Close()
	for _, c := range []struct {
		name, to string
		says     []string // nil when it must work
	}{
		{"another port of this machine", store.URL + "/x", nil},
		{"https", secure.URL + "/x", nil},
		{"the same place", f.URL + "/a/b/resolve/" + commit + "/" + big + "?again", nil},
		{"a relative address", "?again", nil},
		{"http elsewhere", "http://192.0.2.1/x", []string{"http://192.0.2.1", "only https"}},
		{"a file", "file:///etc/passwd", []string{"only https"}},
		{"a name and password", "https://user:pw@127.0.0.1/", []string{"only https"}},
		{"nowhere", "", []string{"no address"}},
		{"no address", "http://[::1", []string{"no address"}},
		{"a circle", f.URL + "/a/b/resolve/" + commit + "/" + big, []string{"circle"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.behave(func(w http.ResponseWriter, r *http.Request, file string) bool {
				if file != big || r.URL.RawQuery == "again" {
					return false
				}
				w.Header().Set("Location", c.to)
				w.WriteHeader(http.StatusFound)
				return true
			})
			h := f.hub(t)
			h.Transport = secure.Client().Transport
			if c.says == nil {
				mustPull(t, h, f, modelFiles...)
				return
			}
			refused(t, h, c.says...)
		})
	}
	t.Run("without an end", func(t *testing.T) {
		var n atomic.Int32
		f.behave(func(w http.ResponseWriter, r *http.Request, file string) bool {
			if file == big {
				w.Header().Set("Location", fmt.Sprintf("?%d", n.Add(1)))
				w.WriteHeader(http.StatusTemporaryRedirect)
			}
			return file == big
		})
		refused(t, f.hub(t), "redirects more than 10 times")
	})
	t.Run("https back to http", func(t *testing.T) {
		down := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, store.URL, http.StatusFound)
		}))
		defer down.Close()
		h := f.hub(t)
		h.Endpoint, h.Transport = down.URL, down.Client().Transport
		refused(t, h, "only https")
	})
}
