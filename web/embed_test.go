package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orrery/web"
)

// sources lists what dist is built from, as scripts/source-hash.js does.
func sources(t *testing.T) []string {
	t.Helper()
	paths := []string{"index.html", "package-lock.json", "svelte.config.js", "vite.config.ts", "../viz/palette.json"}
	err := filepath.WalkDir("src", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.HasSuffix(path, ".test.ts") {
			paths = append(paths, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	return paths
}

func TestDistIsFresh(t *testing.T) {
	all := sha256.New()
	for _, path := range sources(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		fmt.Fprintf(all, "%s  %s\n", hex.EncodeToString(sum[:]), path)
	}
	want := hex.EncodeToString(all.Sum(nil))
	got, err := fs.ReadFile(web.Dist, "dist/source.sha256")
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(got)) != want {
		t.Fatalf("dist was built from other sources (%.12s, now %.12s); run: cd web && npm ci && npm run build", got, want)
	}
}

func TestIndexHasNonceAndLocalFilesOnly(t *testing.T) {
	index, err := fs.ReadFile(web.Dist, "dist/index.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`content="{{nonce}}"`, `src="/app.js"`, `href="/app.css"`} {
		if !strings.Contains(string(index), want) {
			t.Errorf("index.html lacks %s", want)
		}
	}
	for _, bad := range []string{"http://", "https://", "<style", " style="} {
		if strings.Contains(string(index), bad) {
			t.Errorf("index.html contains %q, which the Content-Security-Policy refuses", bad)
		}
	}
	for _, name := range []string{"dist/app.js", "dist/app.css"} {
		if _, err := fs.Stat(web.Dist, name); err != nil {
			t.Error(err)
		}
	}
}
