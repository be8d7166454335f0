package zoo

import (
	"encoding/json"
	"fmt"
	"io/fs"

	"orrery/models/train"
)

// RecipeOf returns the recipe of a shipped model, or of a directory that `orrery
// train` left: with it, what was learned from and what was held out.
//
// Errors: *UnknownModelError, and one that says so where the directory holds no
// recipe.
func RecipeOf(nameOrDir string) (train.Recipe, error) {
	var r train.Recipe
	files, err := trained(nameOrDir)
	if err != nil {
		return r, err
	}
	text, err := fs.ReadFile(files, "recipe.json")
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err == nil {
		err = r.Validate()
	}
	if err != nil {
		return r, fmt.Errorf("recipe of %s: %w", nameOrDir, err)
	}
	return r, nil
}
