package main_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// imports is the table of which of our packages may import which, for code
// that is not a test. Imports run one way; viz imports nothing of ours, and
// probe and ablate do not know each other.
var imports = map[string][]string{
	"models/tensor":          {},
	"models/nearest":         {},
	"models/exactjson":       {},
	"models/internal/clip":   {},
	"models/internal/kernel": {"models/tensor"},
	"models/tokenizer":       {"models/nearest"},
	"models/weights":         {"models/internal/clip", "models/tensor", "models/nearest"},
	"models/hub":             {"models/hub/filelock", "models/internal/clip", "models/weights"},
	"models/hub/filelock":    {},
	"models":                 {"models/exactjson", "models/tensor", "models/internal/kernel", "models/tokenizer", "models/weights", "models/nearest"},
	"models/modeltest":       {"models", "models/tensor", "models/tokenizer", "models/weights"},
	"models/bench":           {"models", "models/tensor"},
	"models/train":           {"models", "models/tensor", "models/internal/kernel", "models/tokenizer", "models/weights", "models/nearest"},
	"models/zoo":             {"models", "models/hub", "models/tensor", "models/tokenizer", "models/weights", "models/train", "models/nearest"},
	"probe":                  {"models", "models/tensor"},
	"ablate":                 {"models", "models/exactjson", "models/nearest", "models/tensor"},
	"viz":                    {},
	"web":                    {},
	"server/api":             {"viz"},
	"server/api/gen":         {"server/api", "viz"},
	"server/job":             {"server/api"},
	"server/notebook":        {"server/api"},
	"server/analysis":        {"models", "models/tensor", "models/tokenizer", "models/zoo", "models/train", "probe", "ablate", "viz", "server/api", "models/nearest"},
	"server/script":          {"ablate", "models", "models/tensor", "models/tokenizer", "models/zoo", "viz", "server/api", "server/analysis", "models/nearest"},
	"server":                 {"ablate", "models", "models/hub/filelock", "models/zoo", "models/tokenizer", "viz", "web", "server/api", "server/job", "server/notebook", "server/analysis", "server/script"},
	"cmd/orrery":             {"ablate", "models", "models/bench", "models/exactjson", "models/hub", "models/train", "models/weights", "models/tokenizer", "models/zoo", "viz", "web", "server", "server/api", "server/analysis", "server/notebook", "server/script"},
}

// top is what the top level of the tree may hold beside dot files.
var top = []string{"go.mod", "go.sum", "cmd", "server", "probe", "ablate", "viz", "web", "models", "README.md", "LICENSE"}

func TestTree(t *testing.T) {
	root := filepath.Join("..", "..")
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(top, e.Name()) {
			t.Errorf("%s does not belong to the top level, which holds %v", e.Name(), top)
		}
	}
	seen := map[string]bool{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			nested := false
			if path != root {
				_, err := os.Stat(filepath.Join(path, "go.mod"))
				nested = err == nil
			}
			if nested || name == "node_modules" || name == "testdata" || strings.HasPrefix(name, ".") && path != root {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		pkg, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg = filepath.ToSlash(pkg)
		seen[pkg] = true
		allowed, known := imports[pkg]
		if !known {
			t.Errorf("package %s is not in the import table", pkg)
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), "orrery/")
			if ours && !slices.Contains(allowed, imported) {
				t.Errorf("%s imports %s: %s may import %v", path, imported, pkg, allowed)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range imports {
		if !seen[pkg] {
			t.Errorf("the import table names %s, which does not exist", pkg)
		}
	}
}

// TestFilesStaySmall holds that nothing written by hand has more than 600 lines,
// and that the forward pass is one page: what it calls stands elsewhere.
func TestFilesStaySmall(t *testing.T) {
	const most, page = 600, 300
	root := filepath.Join("..", "..")
	kinds := []string{".go", ".s", ".py", ".ts", ".mjs", ".js", ".svelte", ".css", ".html"}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if name == "node_modules" || path == filepath.Join(root, "web", "dist") || strings.HasPrefix(name, ".") && path != root {
				return filepath.SkipDir
			}
			return nil
		}
		if !slices.Contains(kinds, filepath.Ext(name)) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if head, _, _ := strings.Cut(string(text), "\n"); strings.Contains(head, "generated") {
			return nil
		}
		if n := strings.Count(string(text), "\n"); n > most {
			t.Errorf("%s has %d lines, want at most %d", path, n, most)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "models", "forward.go"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n > page {
		t.Errorf("models/forward.go has %d lines, want a page of at most %d", n, page)
	}
}
