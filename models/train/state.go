package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"orrery/models/tensor"
	"orrery/models/weights"
)

// stateName is the file of a run's directory that holds all that a resumed run
// needs: weights and both moments, and in its metadata recipe, step, time and curve.
const stateName = "state.safetensors"

// The groups of tensors in the state file, as prefixes of the weights' names.
const (
	prefixWeight = "weight."
	prefixM      = "adamw.m."
	prefixV      = "adamw.v."
)

// save writes the state and the model, each file whole or not at all. The state
// comes last: a crash in between leaves the older state, from which the same
// model is made again.
func (r *run) save() error {
	if err := r.model.Save(r.dir); err != nil {
		return err
	}
	recipe, err := json.Marshal(r.recipe)
	if err != nil {
		return err
	}
	curve, err := json.Marshal(r.curve)
	if err != nil {
		return err
	}
	charted, err := json.Marshal(r.charted)
	if err != nil {
		return err
	}
	var ts []weights.Tensor
	for i, name := range r.names {
		ts = append(ts,
			weights.Tensor{Name: prefixWeight + name, Dense: r.tensors[i]},
			weights.Tensor{Name: prefixM + name, Dense: r.opt.m[i]},
			weights.Tensor{Name: prefixV + name, Dense: r.opt.v[i]})
	}
	return weights.WriteFile(filepath.Join(r.dir, stateName), ts, map[string]string{
		"recipe":  string(recipe),
		"step":    strconv.Itoa(r.opt.Step),
		"time":    r.spent.String(),
		"curve":   string(curve),
		"charted": string(charted),
	})
}

// load takes up the state of an earlier run in the directory. Without one
// nothing changes.
func (r *run) load() error {
	path := filepath.Join(r.dir, stateName)
	f, err := weights.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("resume: %w; remove the file to start anew", err)
	}
	defer f.Close()
	fail := func(format string, args ...any) error {
		return fmt.Errorf("resume from %s: %w; use another directory, or remove the file to start anew", path, fmt.Errorf(format, args...))
	}
	meta := f.Metadata()
	if err := sameRecipe(r.recipe, meta["recipe"]); err != nil {
		return fail("%w", err)
	}
	step, err := strconv.Atoi(meta["step"])
	if err != nil || step < 0 || step > r.recipe.Steps {
		return fail("step %q is not in 0..%d", meta["step"], r.recipe.Steps)
	}
	spent, err := time.ParseDuration(meta["time"])
	if err != nil {
		return fail("%w", err)
	}
	if err := json.Unmarshal([]byte(meta["curve"]), &r.curve); err != nil {
		return fail("curve: %w", err)
	}
	if err := json.Unmarshal([]byte(meta["charted"]), &r.charted); err != nil {
		return fail("charted: %w", err)
	}
	var want []weights.Expect
	for i, name := range r.names {
		for _, prefix := range []string{prefixWeight, prefixM, prefixV} {
			want = append(want, weights.Expect{Name: prefix + name, Shape: r.tensors[i].Shape})
		}
	}
	if err := f.Check(want); err != nil {
		return fail("%w", err)
	}
	for i, name := range r.names {
		for prefix, to := range map[string]*tensor.Dense{prefixWeight: r.tensors[i], prefixM: r.opt.m[i], prefixV: r.opt.v[i]} {
			at, value, found, err := f.NonFinite(prefix + name)
			if err != nil {
				return fail("%w", err)
			}
			if found {
				return fail("%s%s is %v at %d", prefix, name, value, at)
			}
			d, err := f.Float32(prefix + name)
			if err != nil {
				return fail("%w", err)
			}
			copy(to.Data, d.Data)
		}
	}
	r.opt.Step, r.spent = step, spent
	return nil
}

// sameRecipe returns an error that names the fields in which a saved recipe
// differs from the one to run.
func sameRecipe(now Recipe, saved string) error {
	var was Recipe
	if err := json.Unmarshal([]byte(saved), &was); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	var differ []string
	a, b := reflect.ValueOf(was), reflect.ValueOf(now)
	for i := range a.NumField() {
		if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			name, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("json"), ",")
			differ = append(differ, fmt.Sprintf("%s was %v and is %v", name, a.Field(i), b.Field(i)))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	slices.Sort(differ)
	return fmt.Errorf("it belongs to another recipe: %s", strings.Join(differ, ", "))
}

// writeJSON writes a value as indented JSON, the whole file or none of it.
func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, append(text, '\n'))
}

// writeFile replaces a small file whole: temporary file beside it, rename.
func writeFile(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(file.Name()))
	}
	return nil
}
