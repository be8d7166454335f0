package zoo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"orrery/models"
	"orrery/models/train"
)

// NoCheckpointError says that a model has no weights of a step.
type NoCheckpointError struct {
	Name  string
	Step  int
	Steps []int // that there are, ascending
}

// Error names the step that was asked for and those beside it.
func (e *NoCheckpointError) Error() string {
	at, _ := slices.BinarySearch(e.Steps, e.Step)
	near := e.Steps[max(at-2, 0):min(at+2, len(e.Steps))]
	return fmt.Sprintf("%s has no weights of step %d: the nearest of %d are %v, the last %d", e.Name, e.Step, len(e.Steps), near, e.Steps[len(e.Steps)-1])
}

// Checkpoints returns the steps whose weights there are of a shipped model, or
// of a directory that `orrery train` left, ascending. The last is the finished
// model's, and is there always.
//
// Errors: *UnknownModelError, and one that says so where the directory holds no
// finished training.
func Checkpoints(nameOrDir string) ([]int, error) {
	files, err := trained(nameOrDir)
	if err != nil {
		return nil, err
	}
	card, err := readCard(files, nameOrDir)
	if err != nil {
		return nil, err
	}
	kept, err := fs.ReadDir(files, train.CheckpointDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("checkpoints of %s: %w", nameOrDir, err)
	}
	var steps []int
	for _, f := range kept {
		step, err := strconv.Atoi(strings.TrimSuffix(f.Name(), ".safetensors"))
		if err == nil && f.Name() == train.CheckpointFile(step) && step < card.Steps {
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	return append(steps, card.Steps), nil
}

// OpenCheckpoint loads the model as it was behind a step of its training: a
// network of the same config and tokenizer, called NAME@STEP. Weights along the
// way are kept in float16; those of the last step are the model that Open loads.
// Open("NAME@STEP") is the same for shipped models.
//
// Errors: those of Checkpoints, *NoCheckpointError, those of models.Load.
func OpenCheckpoint(nameOrDir string, step int) (*models.Model, error) {
	steps, err := Checkpoints(nameOrDir)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(steps, step) {
		return nil, &NoCheckpointError{Name: nameOrDir, Step: step, Steps: steps}
	}
	if step == steps[len(steps)-1] {
		return Open(nameOrDir)
	}
	files, err := trained(nameOrDir)
	if err != nil {
		return nil, err
	}
	m, err := models.LoadFS(replaced{files, path.Join(train.CheckpointDir, train.CheckpointFile(step))}, ".")
	if err != nil {
		return nil, fmt.Errorf("%s behind step %d: %w", nameOrDir, step, err)
	}
	m.Name = fmt.Sprintf("%s@%d", nameOrDir, step)
	return m, nil
}

// Shipped reports whether a name is that of a shipped model, alone or with a
// step of its training: NAME or NAME@STEP, of any STEP that is a number.
func Shipped(name string) bool {
	_, _, ok := atStep(name)
	return ok || slices.Contains(Names(), name)
}

// atStep splits NAME@STEP where NAME is that of a shipped model.
func atStep(name string) (model string, step int, ok bool) {
	model, after, ok := strings.Cut(name, "@")
	if !ok || !slices.Contains(Names(), model) {
		return "", 0, false
	}
	step, err := strconv.Atoi(after)
	return model, step, err == nil
}

// trained gives the files of a shipped model or of a directory.
func trained(nameOrDir string) (fs.FS, error) {
	if slices.Contains(Names(), nameOrDir) {
		return fs.Sub(shipped, nameOrDir)
	}
	if st, err := os.Stat(nameOrDir); err == nil && st.IsDir() {
		return os.DirFS(nameOrDir), nil
	}
	return nil, unknown(nameOrDir)
}

// readCard reads the card of a finished training.
func readCard(files fs.FS, name string) (Card, error) {
	var c Card
	text, err := fs.ReadFile(files, "card.json")
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("%s has no card.json: it is not the directory of a finished training", name)
	}
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err == nil && c.Steps < 1 {
		err = fmt.Errorf("steps is %d, want at least 1", c.Steps)
	}
	if err != nil {
		return c, fmt.Errorf("card of %s: %w", name, err)
	}
	return c, nil
}

// replaced is a model's files with other weights in the place of its own.
type replaced struct {
	fs.FS
	weights string // the file that stands in for model.safetensors
}

// Open opens a file.
func (r replaced) Open(name string) (fs.File, error) {
	if name == "model.safetensors" {
		name = r.weights
	}
	return r.FS.Open(name)
}
