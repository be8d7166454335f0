package models_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
	"orrery/models/weights"
)

// tolerance is that of the goldens' own header: float32 against float64 is below
// 3e-6 there.
const tolerance, gradTolerance = 1e-5, 2e-5

// goldenDir is the folder of a family's checkpoint and goldens: in testdata for
// those copied there, else among the reference data.
func goldenDir(t *testing.T, family string) string {
	t.Helper()
	dir := filepath.Join("testdata", "architectures", family)
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	return modeltest.Reference(t, "architectures", family)
}

// golden is a model with its expected values.
type golden struct {
	*models.Model
	dir  string
	file *weights.File
}

func openGolden(t *testing.T, family string) golden {
	t.Helper()
	dir := goldenDir(t, family)
	m, err := models.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return golden{m, dir, openFile(t, filepath.Join(dir, "golden.safetensors"))}
}

func openFile(t *testing.T, path string) *weights.File {
	t.Helper()
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// floats reads a tensor of a golden file.
func floats(t *testing.T, f *weights.File, name string) *tensor.Dense {
	t.Helper()
	x, err := f.Float32(name)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// ints reads a tensor of integers and its shape.
func ints(t *testing.T, f *weights.File, name string) ([]int, []int) {
	t.Helper()
	v, shape, err := f.Int64s(name)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(x)
	}
	return out, shape
}

// batch reads the ids [B,T] of that name.
func batch(t *testing.T, f *weights.File, name string) models.Batch {
	t.Helper()
	ids, shape := ints(t, f, name)
	if len(shape) == 1 {
		return models.Prompt(ids...)
	}
	return models.Batch{IDs: ids, B: shape[0], T: shape[1]}
}

// run runs m and fails the test on an error.
func run(t *testing.T, m *models.Model, in models.Batch, hooks ...models.Hook) *tensor.Dense {
	t.Helper()
	out, err := m.Run(context.Background(), in, hooks...)
	if err != nil {
		t.Fatal(err)
	}
	return out.Logits
}

func TestSitesOfEveryFamily(t *testing.T) {
	for _, family := range []string{"gpt2", "gpt2-inverse-layer", "llama2", "llama3"} {
		t.Run(family, func(t *testing.T) {
			g := openGolden(t, family)
			cache := models.NewCache()
			logits := run(t, g.Model, batch(t, g.file, "ids"), models.Record(cache, models.All))
			modeltest.Close(t, "logits", logits, floats(t, g.file, "logits"), tolerance, tolerance)
			compared := 0
			for _, name := range g.file.Names() {
				if !strings.Contains(name, "hook_") || strings.HasPrefix(name, "extra.") {
					continue
				}
				site, err := g.Site(name)
				if err != nil {
					t.Errorf("golden %s: %v", name, err)
					continue
				}
				if site.String() != name {
					t.Errorf("site %s is found as %s", name, site)
				}
				got, _ := cache.Get(site)
				modeltest.Close(t, name, got, floats(t, g.file, name), tolerance, tolerance)
				compared++
			}
			if want := 18 * g.Config.Layers; compared < want {
				t.Errorf("%d sites compared, want at least %d", compared, want)
			}
			for _, site := range g.Sites() {
				if _, ok := cache.Get(site); !ok {
					t.Errorf("%s did not fire", site)
				}
			}
			if got := cache.Sites(); !slices.Equal(got, g.Sites()) {
				t.Errorf("cache does not list its sites in forward order: %v", got)
			}
		})
	}
}

func TestLogitsOfEveryLayout(t *testing.T) {
	for _, family := range []string{"gpt2-bare", "llama3-sharded", "llama3-bf16", "llama3-f16"} {
		t.Run(family, func(t *testing.T) {
			g := openGolden(t, family)
			got := run(t, g.Model, batch(t, g.file, "ids"))
			modeltest.Close(t, "logits", got, floats(t, g.file, "logits"), tolerance, tolerance)
		})
	}
}

func TestOlderConfigSpelling(t *testing.T) {
	for _, family := range []string{"llama2", "llama3"} {
		t.Run(family, func(t *testing.T) {
			want := openGolden(t, family)
			dir := t.TempDir()
			for from, to := range map[string]string{"config.v4.json": "config.json", "model.safetensors": "model.safetensors"} {
				b, err := os.ReadFile(filepath.Join(want.dir, from))
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, to), b, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			got, err := models.Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			if got.Hash() != want.Hash() {
				t.Errorf("config %+v, want %+v", got.Config, want.Config)
			}
		})
	}
}

func TestPaddingLeavesRealTokensAlone(t *testing.T) {
	for _, family := range []string{"gpt2", "gpt2-inverse-layer", "llama2", "llama3"} {
		t.Run(family, func(t *testing.T) {
			g := openGolden(t, family)
			var rows [][]int
			for _, name := range []string{"batch_b.row0.ids", "batch_b.row1.ids"} {
				ids, _ := ints(t, g.file, name)
				rows = append(rows, ids)
			}
			for _, side := range []models.Side{models.Left, models.Right} {
				in, err := models.Pad(rows, side, 0)
				if err != nil {
					t.Fatal(err)
				}
				if ids, _ := ints(t, g.file, "batch_b."+string(side)+".ids"); !slices.Equal(ids, in.IDs) {
					t.Fatalf("%s: padded ids %v, want %v", side, in.IDs, ids)
				}
				for _, hooks := range [][]models.Hook{nil, {models.Record(models.NewCache(), models.All)}} {
					logits := run(t, g.Model, in, hooks...)
					for b, row := range rows {
						got := logits.Sub(b).Slice0(in.Start[b], in.End[b])
						want := floats(t, g.file, []string{"batch_b.row0.logits", "batch_b.row1.logits"}[b])
						modeltest.Close(t, string(side), got, want, tolerance, tolerance)
						if alone := run(t, g.Model, models.Prompt(row...)).Sub(0); !got.EqualBits(alone) {
							t.Errorf("%s: row %d differs in its bits from the same row alone", side, b)
						}
					}
				}
			}
		})
	}
}

func TestGreedyIDs(t *testing.T) {
	for _, family := range []string{"gpt2", "gpt2-inverse-layer", "llama2", "llama3"} {
		t.Run(family, func(t *testing.T) {
			g := openGolden(t, family)
			prompt, _ := ints(t, g.file, "generate.prompt")
			want, _ := ints(t, g.file, "generate.ids")
			got, err := generate(g.Model, prompt, len(want))
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("generated %v, %v, want %v", got, err, want)
			}
		})
	}
}

func TestEditsChangeLogitsAsElsewhere(t *testing.T) {
	for _, family := range []string{"gpt2", "gpt2-inverse-layer", "llama2", "llama3"} {
		t.Run(family, func(t *testing.T) {
			g := openGolden(t, family)
			both := batch(t, g.file, "ids")
			row := models.Prompt(both.IDs[:both.T]...)
			cache := models.NewCache()
			post, err := g.Site("blocks.0.hook_resid_post")
			if err != nil {
				t.Fatal(err)
			}
			run(t, g.Model, both, models.Record(cache, models.Sites(post)))
			resid, _ := cache.Get(post)
			key, _ := ints(t, g.file, "edit.cut_edge.key")
			var later []int
			for p := 3; p < row.T; p++ {
				later = append(later, p)
			}
			edits := map[string]models.Edit{
				"zero_head":   {Site: "blocks.1.attn.hook_z", Heads: []int{1}, Op: models.Set, Value: models.Number(0)},
				"move_resid":  {Site: "blocks.0.hook_resid_post", Positions: []int{4}, Op: models.Set, Value: models.List(resid.Sub(1, 6).Data...)},
				"add_mlp_out": {Site: "blocks.1.hook_mlp_out", Positions: later, Op: models.Add, Value: models.List(floats(t, g.file, "edit.add_mlp_out.vector").Data...)},
				"cut_edge":    {Site: "blocks.1.attn.hook_attn_scores", Queries: []int{-1}, Keys: key, Op: models.Mask},
			}
			for name, edit := range edits {
				b, err := json.Marshal([]models.Edit{edit})
				if err != nil {
					t.Fatal(err)
				}
				read, err := models.ParseEdits(strings.NewReader(string(b)))
				if err != nil {
					t.Fatal(err)
				}
				hooks, err := g.Edits(read...)
				if err != nil {
					t.Fatal(err)
				}
				got := run(t, g.Model, row, hooks...)
				modeltest.Close(t, name, got.Sub(0), floats(t, g.file, "edit."+name+".logits"), tolerance, tolerance)
			}
		})
	}
}
