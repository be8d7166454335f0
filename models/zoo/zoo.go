package zoo

import (
	"embed"
	"fmt"
	"os"
	"slices"
	"strings"

	"orrery/models"
	"orrery/models/hub"
	"orrery/models/nearest"
	"orrery/models/train"
)

// shipped holds one folder a model. It is never written to.
//
//go:embed add-5digit mental-2op mental-3op mental-planted modadd-113 modadd-59-clock modadd-59-pizza
var shipped embed.FS

// Card describes a shipped model: data, split, steps, seed, accuracy on the
// prompts learned from and on those held out, SHA-256 of the weights.
type Card = train.Card

// UnknownModelError says that a name is neither a shipped model, nor a
// directory, nor a pulled model.
type UnknownModelError struct {
	Name    string
	Shipped []string // the shipped names, the nearest first
	Repo    string   // the repository of a hub that it is likely to mean, else OWNER/NAME
}

// Error names what was asked for and what there is.
func (e *UnknownModelError) Error() string {
	return fmt.Sprintf("no model %q: neither a shipped model (%s) nor a directory", e.Name, strings.Join(e.Shipped, ", "))
}

// Hint says how to get a model that is not here.
func (e *UnknownModelError) Hint() string { return "orrery pull " + e.Repo + " fetches one from a hub" }

// Names returns the names of the shipped models in alphabetical order.
func Names() []string {
	entries, err := shipped.ReadDir(".")
	if err != nil {
		panic(err) // the root of an embedded file system can always be read
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Open loads a shipped model by its name, or as it was behind a step of its
// training by NAME@STEP, a model directory by its path, or a pulled model as
// OWNER/NAME or OWNER/NAME@REV, in this order; write ./NAME for a directory that
// is called like a shipped model. Errors: *UnknownModelError,
// *NoCheckpointError, *hub.NotPulledError for what can only be a pulled model,
// or those of models.Load.
func Open(nameOrDir string) (*models.Model, error) {
	if slices.Contains(Names(), nameOrDir) {
		return models.LoadFS(shipped, nameOrDir)
	}
	if name, step, ok := atStep(nameOrDir); ok {
		return OpenCheckpoint(name, step)
	}
	if st, err := os.Stat(nameOrDir); err == nil && st.IsDir() {
		return models.Load(nameOrDir)
	}
	dir, err := Pulled(nameOrDir)
	if err != nil {
		return nil, err
	}
	m, err := models.Load(dir)
	if err == nil {
		m.Name = nameOrDir
	}
	return m, err
}

// Pulled returns the directory of a pulled model. Errors: *UnknownModelError
// for what is not OWNER/NAME or OWNER/NAME@REV, *hub.NotPulledError.
func Pulled(name string) (string, error) {
	if _, err := hub.ParseRepo(name); err != nil {
		return "", unknown(name)
	}
	cache, err := hub.CacheDir()
	if err != nil {
		return "", err
	}
	return hub.Find(cache, name)
}

// CardOf returns the card of a shipped model; an unknown name is an *UnknownModelError.
func CardOf(name string) (Card, error) {
	if !slices.Contains(Names(), name) {
		return Card{}, unknown(name)
	}
	files, err := trained(name)
	if err != nil {
		return Card{}, err
	}
	return readCard(files, name)
}

func unknown(name string) error {
	names := Names()
	return &UnknownModelError{Name: name, Shipped: nearest.Names(name, names, len(names)), Repo: hub.Likely(name)}
}
