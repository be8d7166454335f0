package zoo_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orrery/models/zoo"
)

// FuzzTrained reads a directory's card, recipe and names of checkpoints: they are
// refused by name, or give ascending steps that end with the last and a recipe
// that a training could have.
func FuzzTrained(f *testing.F) {
	for _, name := range []string{"modadd-113", "mental-planted"} {
		card, err := os.ReadFile(filepath.Join(name, "card.json"))
		if err != nil {
			f.Fatal(err)
		}
		recipe, err := os.ReadFile(filepath.Join(name, "recipe.json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(card, recipe, "500.safetensors")
	}
	f.Add([]byte(`{"steps":9}`), []byte(`{"steps":1e999}`), "08.safetensors")
	f.Add([]byte(`{"steps":-9}`), []byte(`null`), "-1.safetensors")
	f.Add([]byte(`[]`), []byte(`{"edits":[{"site":"z0","op":"set","op":"add"}]}`), "9223372036854775808.safetensors")
	f.Fuzz(func(t *testing.T, card, recipe []byte, weights string) {
		dir := t.TempDir()
		kept := filepath.Join(dir, "checkpoints")
		if err := os.Mkdir(kept, 0o700); err != nil {
			t.Fatal(err)
		}
		for path, data := range map[string][]byte{"card.json": card, "recipe.json": recipe, filepath.Join("checkpoints", "3.safetensors"): nil} {
			if err := os.WriteFile(filepath.Join(dir, path), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if filepath.Base(weights) == weights && len(weights) < 100 {
			_ = os.WriteFile(filepath.Join(kept, weights), nil, 0o600) // where the file system takes the name
		}
		steps, err := zoo.Checkpoints(dir)
		if err == nil {
			if !slices.IsSorted(steps) || len(slices.Compact(slices.Clone(steps))) != len(steps) || steps[0] < 0 || steps[len(steps)-1] < 1 {
				t.Errorf("steps %v", steps)
			}
			if _, err := zoo.OpenCheckpoint(dir, steps[len(steps)-1]+1); err == nil || !strings.Contains(err.Error(), "has no weights of step") {
				t.Errorf("a step behind the last: %v", err)
			}
		} else if !strings.Contains(err.Error(), "card") {
			t.Error(err)
		}
		r, err := zoo.RecipeOf(dir)
		if err != nil {
			if !strings.Contains(err.Error(), "recipe") {
				t.Error(err)
			}
			return
		}
		if err := r.Validate(); err != nil {
			t.Error(err)
		}
	})
}
