package main

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"orrery/server"
)

// modelHub serves the files of a model directory as tiny/llama.
func modelHub(t *testing.T, dir string) *httptest.Server {
	const commit = "00112233445566778899aabbccddeeff00112233"
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var siblings []map[string]any
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		s := map[string]any{"rfilename": e.Name(), "size": len(data), "blobId": fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(data), data)))}
		if filepath.Ext(e.Name()) == ".safetensors" {
			s["lfs"] = map[string]any{"size": len(data), "sha256": fmt.Sprintf("%x", sha256.Sum256(data))}
		}
		siblings = append(siblings, s)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/models/tiny/llama/revision/main", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"sha": commit, "siblings": siblings})
	})
	mux.Handle("/tiny/llama/resolve/"+commit+"/", http.StripPrefix("/tiny/llama/resolve/"+commit+"/", http.FileServer(http.Dir(dir))))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// TestPull pulls a model and opens it by its name on the command line and, as
// a cell does, through the server's catalog.
func TestPull(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("ORRERY_MODELS", cache)
	t.Setenv("HF_TOKEN", "")
	dir := filepath.Join("..", "..", "models", "testdata", "architectures", "llama3")
	s := modelHub(t, dir)
	if code, _, errOut := call(t, "", "generate", "tiny/llama", "--ids", "1,2", "--n", "3"); code != 1 || !strings.Contains(errOut, "orrery pull tiny/llama") {
		t.Errorf("before the pull: %d, %s", code, errOut)
	}
	catalog := server.NewCatalog(t.TempDir())
	if _, err := catalog.Open("tiny/llama"); err == nil {
		t.Error("the catalog opens a model that is not there")
	}
	code, out, errOut := call(t, "", "pull", "tiny/llama", "--endpoint", s.URL)
	if code != 0 || !strings.HasPrefix(out, filepath.Join(cache, "tiny", "llama")) || !strings.Contains(errOut, `load("tiny/llama")`) {
		t.Fatalf("pull: %d\n%s%s", code, out, errOut)
	}
	s.Close() // from here on the cache is all there is
	code, byName, errOut := call(t, "", "generate", "tiny/llama", "--ids", "1,2", "--n", "3")
	if code != 0 {
		t.Fatalf("generate: %d, %s", code, errOut)
	}
	if _, byPath, _ := call(t, "", "generate", dir, "--ids", "1,2", "--n", "3"); byName != byPath {
		t.Errorf("by name %q, by path %q", byName, byPath)
	}
	m, err := catalog.Open("tiny/llama")
	if err != nil || m.Name != "tiny/llama" {
		t.Fatalf("the catalog opens %v, %v", m, err)
	}
	infos, err := catalog.List()
	if err != nil || infos[len(infos)-1].Name != "tiny/llama" {
		t.Errorf("the catalog lists %v, %v", infos, err)
	}
	if again, err := catalog.Open("tiny/llama@main"); err != nil || again.Hash() != m.Hash() {
		t.Errorf("with its revision: %v, %v", again, err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"pull", "gpt2"}, "openai-community/gpt2"},
		{[]string{"pull", "word"}, "EleutherAI/pythia-70m"},
		{[]string{"pull", "a/b", "--endpoint", "http://example.com"}, "not https"},
		{[]string{"pull", "a/b", "--limit-gb", "0"}, "--limit-gb 0"},
	} {
		if code, _, errOut := call(t, "", c.args...); code != 1 || !strings.Contains(errOut, c.want) {
			t.Errorf("%v: %d, %s", c.args, code, errOut)
		}
	}
}

// TestPullShowsTheTokenOfTheEnvironment pulls from a hub that asks for a token.
func TestPullShowsTheTokenOfTheEnvironment(t *testing.T) {
	t.Setenv("ORRERY_MODELS", t.TempDir())
	open := modelHub(t, filepath.Join("..", "..", "models", "testdata", "architectures", "llama3"))
	gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer of-the-environment" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		open.Config.Handler.ServeHTTP(w, r)
	}))
	defer gate.Close()
	for token, want := range map[string]string{"": "set HF_TOKEN", "another": "the token in HF_TOKEN was refused"} {
		t.Setenv("HF_TOKEN", token)
		if code, _, errOut := call(t, "", "pull", "tiny/llama", "--endpoint", gate.URL); code != 1 || !strings.Contains(errOut, want) || token != "" && strings.Contains(errOut, token) {
			t.Errorf("with token %q: %d, %s; want %q", token, code, errOut, want)
		}
	}
	t.Setenv("HF_TOKEN", "of-the-environment")
	if code, _, errOut := call(t, "", "pull", "tiny/llama", "--endpoint", gate.URL); code != 0 {
		t.Errorf("with the token: %d, %s", code, errOut)
	}
}
