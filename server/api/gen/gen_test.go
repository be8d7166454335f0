package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFresh compares the committed TypeScript with the generator's output.
func TestFresh(t *testing.T) {
	want, err := generate("..", "../../../viz")
	if err != nil {
		t.Fatal(err)
	}
	file := "../../../web/src/api/types.gen.ts"
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v\nrun: go generate ./server/api", err)
	}
	if string(got) != string(want) {
		t.Fatalf("%s is not what the Go types say\nrun: go generate ./server/api", file)
	}
}

// TestTranslation holds each rule of the package comment on a small package.
func TestTranslation(t *testing.T) {
	api := `package api
import "viz"
// Colour is a hue.
type Colour string
const (
	Red Colour = "red" // warm
	// Blue is cold.
	Blue Colour = "blue"
)
// Thing has
// two lines.
type Thing struct {
	// Name is its name.
	Name string ` + "`json:\"name\"`" + `
	Size *int64 ` + "`json:\"size,omitempty\"`" + `
	Hidden int ` + "`json:\"-\"`" + `
	Rest viz.Outer ` + "`json:\"rest,omitzero\"`" + `
	All []Colour ` + "`json:\"all\"`" + `
	Any map[string]any ` + "`json:\"any\"`" + `
	Pool map[string]*viz.Array ` + "`json:\"pool\"`" + `
	Deep []viz.Outer ` + "`json:\"deep\"`" + `
}
// Formats are two.
var Formats = [...]string{"a", "b"}
`
	viz := `package viz
type Array struct { Data []float32 }
type Inner struct { OK bool ` + "`json:\"ok\"`" + ` }
type Unused struct { OK bool ` + "`json:\"ok\"`" + ` }
type Outer struct { Inner Inner ` + "`json:\"inner\"`" + ` }
`
	got, err := generate(folder(t, api), folder(t, viz))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"/** Colour is a hue. */\nexport type Colour =\n  /** warm */\n  | \"red\"\n  /** Blue is cold. */\n  | \"blue\";\n",
		"/**\n * Thing has\n * two lines.\n */\nexport interface Thing {\n  /** Name is its name. */\n  name: string;\n  size?: number;\n  rest?: Outer;\n  all: Colour[];\n  any: Record<string, unknown>;\n  pool: Record<string, WireArray>;\n  deep: Outer[];\n}\n",
		"export const Formats = [\"a\", \"b\"] as const;\n",
		"export interface Inner {\n  ok: boolean;\n}\n",
		"export interface WireArray {\n  shape: number[];\n",
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("missing:\n%s\nin:\n%s", want, got)
		}
	}
	if strings.Contains(string(got), "Unused") {
		t.Error("a type that nothing reaches was written")
	}
}

func TestRefusals(t *testing.T) {
	viz := "package viz\ntype A struct{}\n"
	for _, c := range []struct{ name, api, want string }{
		{"no tag", "type T struct { X int }", "field T.X: no json tag"},
		{"channel", "type T struct { X chan int `json:\"x\"` }", "field T.X: form *ast.ChanType"},
		{"integer keys", "type T struct { X map[int]int `json:\"x\"` }", "keys must be strings"},
		{"embedded", "type U struct{}\ntype T struct { U }", "embeds a type"},
		{"named number", "type T int", "neither a struct nor a string"},
		{"unknown package", "type T struct { X time.Time `json:\"x\"` }", "only api and viz are known"},
		{"missing type", "type T struct { X viz.B `json:\"x\"` }", "viz has no type B"},
		{"same name", "type A struct { X viz.A `json:\"x\"` }", "type A is in both"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := generate(folder(t, "package api\n"+c.api), folder(t, viz))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// folder writes one Go file into a new folder.
func folder(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
