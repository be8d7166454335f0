package hub_test

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"orrery/models/hub"
	"orrery/models/tensor"
	"orrery/models/weights"
)

const (
	commit = "0123456789abcdef0123456789abcdef01234567"
	token  = "hf_secret"
)

// fake is a hub on this machine that holds one repository, a/b, and can be
// made to misbehave.
type fake struct {
	*httptest.Server
	files map[string][]byte
	edit  func(listing map[string]any) // changes the listing; may be nil

	mu       sync.Mutex // guards what follows
	serve    behaviour
	requests []*http.Request
}

// behaviour answers a request for a file, or for the listing with file empty,
// and returns true; or leaves it.
type behaviour func(w http.ResponseWriter, r *http.Request, file string) bool

// behave changes how requests are answered; nil is as a hub does.
func (f *fake) behave(b behaviour) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.serve = b
}

// repository is a model directory with what a pull must leave behind.
func repository(t *testing.T) map[string][]byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "w.safetensors")
	w := tensor.New(40_000)
	for i := range w.Data {
		w.Data[i] = float32(i)
	}
	if err := weights.WriteFile(path, []weights.Tensor{{Name: "w", Dense: w}}, nil); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"config.json": []byte(`{"model_type":"gpt2"}`), "tokenizer.json": []byte(`{}`), "model.safetensors": data,
		"README.md": []byte("# b"), "pytorch_model.bin": []byte("PK"), "onnx/model.safetensors": []byte("x"), "run.py": []byte("evil()"),
	}
}

func newFake(t *testing.T, files map[string][]byte) *fake {
	f := &fake{files: files}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func sha256Of(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// listing is the API's answer: large files by LFS, the others by git's blobs.
func (f *fake) listing() map[string]any {
	var siblings []any
	for name, data := range f.files {
		s := map[string]any{"rfilename": name, "size": len(data), "blobId": fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(data), data)))}
		if strings.HasSuffix(name, ".safetensors") {
			s["blobId"] = strings.Repeat("0", 40) // of the pointer
			s["lfs"] = map[string]any{"sha256": sha256Of(data), "size": len(data), "pointerSize": 135}
		}
		siblings = append(siblings, s)
	}
	return map[string]any{"id": "a/b", "sha": commit, "siblings": siblings}
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests = append(f.requests, r)
	serve := f.serve
	f.mu.Unlock()
	if serve == nil {
		serve = func(http.ResponseWriter, *http.Request, string) bool { return false }
	}
	if strings.HasPrefix(r.URL.Path, "/api/models/a/b/revision/") {
		if serve(w, r, "") {
			return
		}
		l := f.listing()
		if f.edit != nil {
			f.edit(l)
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(l)
		return
	}
	name, ok := strings.CutPrefix(r.URL.Path, "/a/b/resolve/"+commit+"/")
	data, there := f.files[name]
	if !ok || !there {
		http.NotFound(w, r)
		return
	}
	if serve(w, r, name) {
		return
	}
	f.content(w, r, name, data)
}

// content serves a file with ranges and an ETag, as the standard library does.
func (f *fake) content(w http.ResponseWriter, r *http.Request, name string, data []byte) {
	w.Header().Set("ETag", `"`+sha256Of(data)+`"`)
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, name, time.Time{}, strings.NewReader(string(data)))
}

// asked returns the requests for a file so far.
func (f *fake) asked(file string) []*http.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []*http.Request
	for _, r := range f.requests {
		if strings.HasSuffix(r.URL.Path, "/"+file) {
			list = append(list, r)
		}
	}
	return list
}

// hub returns a client of the fake with a new cache, quick to give up.
func (f *fake) hub(t *testing.T) *hub.Hub {
	return &hub.Hub{Cache: t.TempDir(), Endpoint: f.URL, Token: token, Idle: 10 * time.Second, Pause: time.Millisecond}
}

// pull pulls a/b.
func pull(t *testing.T, h *hub.Hub) (string, error) {
	t.Helper()
	return h.Pull(t.Context(), hub.Repo{Owner: "a", Name: "b"})
}

// mustPull pulls a/b and compares what came.
func mustPull(t *testing.T, h *hub.Hub, f *fake, names ...string) string {
	t.Helper()
	dir, err := pull(t, h)
	if err != nil {
		t.Fatal(err)
	}
	same(t, dir, f, names...)
	return dir
}

// same checks that dir holds exactly these files of the repository.
func same(t *testing.T, dir string, f *fake, names ...string) {
	t.Helper()
	for _, name := range names {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != string(f.files[name]) {
			t.Errorf("%s: %d bytes, %v; want the %d of the hub", name, len(got), err, len(f.files[name]))
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != len(names) {
		t.Errorf("%s holds %v (%v), want %v", dir, left, err, names)
	}
}

// refused checks that a pull fails, saying all of the words in its error or
// hint, and that no model can be found after it.
func refused(t *testing.T, h *hub.Hub, words ...string) {
	t.Helper()
	dir, err := pull(t, h)
	says(t, err, words...)
	if found, err := hub.Find(h.Cache, "a/b"); err == nil {
		t.Errorf("after the error %s is found, and %q was returned", found, dir)
	}
}

func says(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", words)
	}
	text := err.Error()
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		text += "\n" + h.Hint()
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("the error does not say %q:\n%s", word, text)
		}
	}
	if strings.Contains(text, token) {
		t.Errorf("the error shows the token:\n%s", text)
	}
}

// partOf returns what there is of a file that is on its way.
func partOf(t *testing.T, h *hub.Hub, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(h.Cache, "a", "b", commit+".part", name+".part"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
