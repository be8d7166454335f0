package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"orrery/models/hub"
	"orrery/models/hub/filelock"
)

var modelFiles = []string{"config.json", "tokenizer.json", "model.safetensors"}

func TestPull(t *testing.T) {
	f := newFake(t, repository(t))
	h := f.hub(t)
	var last hub.Progress
	h.Progress = func(p hub.Progress) { last = p }
	dir := mustPull(t, h, f, modelFiles...)
	if want := filepath.Join(h.Cache, "a", "b", commit); dir != want {
		t.Errorf("it is in %s, want %s", dir, want)
	}
	if last.Done != last.Total || last.Total < 160_000 || last.File != "model.safetensors" {
		t.Errorf("the last report is %+v", last)
	}
	for _, r := range f.requests {
		if got := r.Header.Get("Authorization"); got != "Bearer "+token {
			t.Errorf("%s had the authorization %q", r.URL, got)
		}
	}
	if q := f.asked("main")[0].URL.RawQuery; q != "blobs=true" {
		t.Errorf("the listing was asked for with %q", q)
	}
	before := len(f.requests)
	mustPull(t, h, f, modelFiles...)
	if n := len(f.requests) - before; n != 1 {
		t.Errorf("a second pull sent %d requests, want the listing's alone", n)
	}
	for _, name := range []string{"a/b", "a/b@main", "a/b@" + commit} {
		if found, err := hub.Find(h.Cache, name); err != nil || found != dir {
			t.Errorf("%s is found in %q, %v", name, found, err)
		}
	}
	if got := hub.Pulled(h.Cache); len(got) != 1 || got[0] != "a/b" {
		t.Errorf("pulled are %q", got)
	}
	if err := os.Remove(filepath.Join(dir, "tokenizer.json")); err != nil {
		t.Fatal(err)
	}
	mustPull(t, h, f, modelFiles...)
	if n := len(f.asked("model.safetensors")); n != 1 {
		t.Errorf("to bring one missing file the weights were asked for %d times", n)
	}
}

func TestRevision(t *testing.T) {
	f := newFake(t, repository(t))
	h := f.hub(t)
	repo, err := hub.ParseRepo("a/b@refs/pr/7")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := h.Pull(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.requests[0].URL.EscapedPath(); got != "/api/models/a/b/revision/refs%2Fpr%2F7" {
		t.Errorf("asked for %s", got)
	}
	for _, name := range []string{"a/b", "a/b@refs/pr/7"} { // the only one there is also the one without a name
		if found, err := hub.Find(h.Cache, name); err != nil || found != dir {
			t.Errorf("%s is found in %q, %v", name, found, err)
		}
	}
	other := strings.Repeat("f", 40)
	repo.Rev = other
	if _, err := h.Pull(t.Context(), repo); err == nil || !strings.Contains(err.Error(), commit) {
		t.Errorf("asked for %s, got %s: %v", other, commit, err)
	}
	_, err = hub.Find(h.Cache, "a/b@dev")
	says(t, err, "a/b@dev", "pulled", "orrery pull a/b@dev")
}

// sharded turns a repository's weights into two shards.
func sharded(t *testing.T, weightMap map[string]string) map[string][]byte {
	files := repository(t)
	index, err := json.Marshal(map[string]any{"metadata": map[string]any{}, "weight_map": weightMap})
	if err != nil {
		t.Fatal(err)
	}
	files["model.safetensors.index.json"] = index
	files["model-1.safetensors"], files["model-2.safetensors"] = []byte("one"), []byte("two")
	files["consolidated.safetensors"] = []byte("three")
	delete(files, "model.safetensors")
	return files
}

func TestShards(t *testing.T) {
	f := newFake(t, sharded(t, map[string]string{"x": "model-1.safetensors", "y": "model-2.safetensors", "z": "model-1.safetensors"}))
	h := f.hub(t)
	names := []string{"config.json", "tokenizer.json", "model.safetensors.index.json", "model-1.safetensors", "model-2.safetensors"}
	mustPull(t, h, f, names...)
	mustPull(t, h, f, names...)
	if n := len(f.asked("model-1.safetensors")); n != 1 {
		t.Errorf("a shard was asked for %d times", n)
	}
	for _, c := range []struct {
		name  string
		index map[string]string
		says  []string
	}{
		{"missing shard", map[string]string{"x": "model-9.safetensors"}, []string{"model-9.safetensors", "does not have"}},
		{"path", map[string]string{"x": "../model-1.safetensors"}, []string{"../model-1.safetensors", "plain name"}},
		{"pickle", map[string]string{"x": "pytorch_model.bin"}, []string{"pytorch_model.bin"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, sharded(t, c.index))
			refused(t, f.hub(t), c.says...)
		})
	}
}

// TestRefused lists repositories and listings that are not pulled.
func TestRefused(t *testing.T) {
	only := func(names ...string) map[string][]byte {
		files := map[string][]byte{}
		for _, name := range names {
			files[name] = []byte("{}")
		}
		return files
	}
	siblings := func(change func(map[string]any)) func(map[string]any) {
		return func(l map[string]any) {
			for _, s := range l["siblings"].([]any) {
				change(s.(map[string]any))
			}
		}
	}
	for _, c := range []struct {
		name  string
		files map[string][]byte
		edit  func(map[string]any)
		says  []string
	}{
		{"pickles", only("config.json", "pytorch_model.bin", "tokenizer.json"), nil, []string{"pickles", "pytorch_model.bin", "safe_serialization=True", "refs/pr/N"}},
		{"no configuration", only("model.safetensors"), nil, []string{"config.json"}},
		{"adapter", only("config.json", "adapter_model.safetensors"), nil, []string{"adapter_model.safetensors", "merged"}},
		{"another format", only("config.json", "model.gguf"), nil, []string{"no safetensors"}},
		{"weights in a folder", only("config.json", "sub/model.safetensors"), nil, []string{"at its top"}},
		{"commit is a path", nil, func(l map[string]any) { l["sha"] = "../../../../tmp" }, []string{"../../../../tmp", "40 hexadecimal digits"}},
		{"no checksum", nil, siblings(func(s map[string]any) { delete(s, "blobId"); delete(s, "lfs") }), []string{"no checksum of config.json"}},
		{"checksum is a word", nil, siblings(func(s map[string]any) { s["blobId"] = "none" }), []string{"no checksum"}},
		{"no sizes", nil, siblings(func(s map[string]any) { delete(s, "size"); delete(s, "lfs") }), []string{"no checksum"}},
		{"two sizes", nil, siblings(func(s map[string]any) { s["size"] = 5 }), []string{"two sizes, 5 and"}},
		{"negative size", nil, siblings(func(s map[string]any) { s["size"] = -1; delete(s, "lfs") }), []string{"-1 bytes"}},
		{"a huge configuration", nil, siblings(func(s map[string]any) { s["size"] = 1 << 40; delete(s, "lfs") }), []string{"1099511627776 bytes", "134217728"}},
		{"huge weights", nil, siblings(func(s map[string]any) {
			if l, ok := s["lfs"].(map[string]any); ok {
				l["size"], s["size"] = 1<<50, 1<<50
			}
		}), []string{"1125899906", "--limit-gb"}},
		{"sizes overflow", nil, siblings(func(s map[string]any) {
			if l, ok := s["lfs"].(map[string]any); ok {
				l["size"], s["size"] = int64(1<<63-1), int64(1<<63-1)
			}
		}), []string{"overflow"}},
		{"not a listing", nil, func(l map[string]any) { l["siblings"] = "none" }, []string{"did not answer as a hub"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := c.files
			if files == nil {
				files = repository(t)
			}
			f := newFake(t, files)
			f.edit = c.edit
			refused(t, f.hub(t), c.says...)
		})
	}
}

func TestLimit(t *testing.T) {
	f := newFake(t, repository(t))
	h := f.hub(t)
	h.Limit = 100_000
	refused(t, h, "the limit is 100000")
	if n := len(f.asked("config.json")); n != 0 {
		t.Errorf("a file was fetched before the limit was looked at")
	}
}

func TestLock(t *testing.T) {
	f := newFake(t, repository(t))
	h := f.hub(t)
	dir := filepath.Join(h.Cache, "a", "b")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := filelock.Try(file); !ok || err != nil {
		t.Fatalf("lock: %t, %v", ok, err)
	}
	refused(t, h, "a/b is being pulled by another process", "goes on")
	if len(f.requests) != 0 {
		t.Error("the hub was asked without the lock")
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	mustPull(t, h, f, modelFiles...)
}

// TestCancel stops in the middle of a file; the next pull goes on from there.
func TestCancel(t *testing.T) {
	f := newFake(t, repository(t))
	h := f.hub(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.behave(func(w http.ResponseWriter, r *http.Request, file string) bool {
		if file != "model.safetensors" {
			return false
		}
		send(w, f, file, 50_000)
		cancel()
		<-r.Context().Done()
		return true
	})
	_, err := h.Pull(ctx, hub.Repo{Owner: "a", Name: "b"})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	got := partOf(t, h, "model.safetensors")
	if string(got) != string(f.files["model.safetensors"][:len(got)]) {
		t.Error("the part is not the beginning of the file")
	}
	f.behave(nil)
	mustPull(t, h, f, modelFiles...)
}

func TestOffline(t *testing.T) {
	f := newFake(t, repository(t))
	h := f.hub(t)
	dir := mustPull(t, h, f, modelFiles...)
	f.Close()
	_, err := pull(t, h)
	says(t, err, "cannot be reached", "HTTPS_PROXY", "copy a model directory", `load("a/b")`, dir)
}

func TestEndpoint(t *testing.T) {
	for _, c := range []struct{ endpoint, says string }{
		{"http://example.com", "not https"},
		{"ftp://127.0.0.1", "not https"},
		{"huggingface.co", "not an address"},
		{"https://user:pw@example.com", "not an address"},
		{"https://example.com?x=1", "not an address"},
		{"http://127.0.0.1.example.com", "not https"},
	} {
		h := &hub.Hub{Cache: t.TempDir(), Endpoint: c.endpoint, Idle: time.Second}
		refused(t, h, c.says)
	}
}
