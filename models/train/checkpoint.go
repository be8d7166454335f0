package train

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"orrery/models/tensor"
	"orrery/models/weights"
)

// CheckpointDir is the folder of a model's directory that holds the weights
// along its training, those of step 500 in 000500.safetensors: names and shapes
// of model.safetensors, rounded to float16.
const CheckpointDir = "checkpoints"

// CheckpointFile is the name in CheckpointDir of the weights behind a step; step
// 0 is before the first.
func CheckpointFile(step int) string { return fmt.Sprintf("%06d.safetensors", step) }

// keep writes the present weights down if the recipe asks for those of this
// step. The same weights give the same bytes, so that a resumed run may write
// what a stopped one had written.
func (r *run) keep() error {
	if !slices.Contains(r.recipe.Checkpoints, r.opt.Step) {
		return nil
	}
	dir := filepath.Join(r.dir, CheckpointDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var infos []weights.Info
	for i, name := range r.names {
		infos = append(infos, weights.Info{Name: name, DType: weights.F16, Shape: r.tensors[i].Shape})
	}
	byName := make(map[string]*tensor.Dense, len(r.names))
	for i, name := range r.names {
		byName[name] = r.tensors[i]
	}
	path := filepath.Join(dir, CheckpointFile(r.opt.Step))
	return weights.StreamFile(path, infos, map[string]string{"format": "orrery"}, func(t weights.Info, w io.Writer) error {
		return weights.WriteHalves(w, byName[t.Name].Data)
	})
}

// validateCheckpoints reports steps that no checkpoint can be of.
func (r Recipe) validateCheckpoints() (errs []error) {
	last := -1
	for _, step := range r.Checkpoints {
		if step <= last || step > r.Steps {
			errs = append(errs, fmt.Errorf("recipe: checkpoints has %d behind %d, want ascending steps in 0..%d", step, last, r.Steps))
		}
		last = step
	}
	return errs
}
