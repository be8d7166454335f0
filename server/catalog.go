package server

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"orrery/models"
	"orrery/models/zoo"
	"orrery/server/api"
)

// Models finds models by name. It must be safe for concurrent use.
type Models interface {
	// Open returns a model; the error of an unknown name lists those that are known.
	Open(name string) (*models.Model, error)
	// List describes the models that a cell can name, shipped ones first.
	List() ([]api.ModelInfo, error)
}

// Catalog is Models over the shipped models, directories below some roots, and
// pulled models.
// A model is read when it is first asked for and then kept.
type Catalog struct {
	roots []string

	mu   sync.Mutex // guards open and each entry's place in it
	open map[string]*entry
	dirs []string // directories and pulled models that were opened, in order
}

// entry is a model that is being read or has been.
type entry struct {
	once  sync.Once
	model *models.Model
	err   error
}

// NewCatalog returns a catalog. A cell may name a shipped model, a directory
// inside one of the roots (a relative one is looked for below each), or a
// pulled model.
func NewCatalog(roots ...string) *Catalog {
	return &Catalog{roots: roots, open: map[string]*entry{}}
}

// Open returns a shipped model, as it is or as it was behind a step of its
// training (NAME@STEP), or reads a directory or a pulled model.
func (c *Catalog) Open(name string) (*models.Model, error) {
	place, shown := name, "" // shown is what a directory is listed as
	if !zoo.Shipped(name) {
		dir, err := c.inside(name)
		if err == nil {
			shown = dir
		} else if dir, shown = pulled(name); shown == "" {
			return nil, err
		}
		place = dir
	}
	c.mu.Lock()
	e := c.open[place]
	if e == nil {
		e = &entry{}
		c.open[place] = e
	}
	c.mu.Unlock()
	e.once.Do(func() {
		if e.model, e.err = zoo.Open(place); e.err == nil && shown == name {
			e.model.Name = name
		}
	})
	if e.err != nil { // the directory may be mended: do not keep the failure
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.open[place] == e {
			delete(c.open, place)
		}
		return nil, e.err
	}
	if shown != "" {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !slices.Contains(c.dirs, shown) {
			c.dirs = append(c.dirs, shown)
		}
	}
	return e.model, nil
}

// pulled finds OWNER/NAME or OWNER/NAME@REV in the cache of pulled models; both
// are empty when it is not there.
func pulled(name string) (dir, shown string) {
	dir, err := zoo.Pulled(name)
	if err != nil {
		return "", ""
	}
	return dir, name
}

// inside resolves a directory and refuses one outside the roots, links followed.
func (c *Catalog) inside(name string) (string, error) {
	var unknown *zoo.UnknownModelError
	if _, err := zoo.CardOf(name); !errors.As(err, &unknown) {
		return "", err
	}
	for _, root := range c.roots {
		root, err := filepath.Abs(root)
		if err != nil {
			continue
		}
		if real, err := filepath.EvalSymlinks(root); err == nil {
			root = real
		}
		dir := name
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(root, dir)
		}
		real, err := filepath.EvalSymlinks(dir)
		if err != nil {
			continue
		}
		if below, err := filepath.Rel(root, real); err == nil && filepath.IsLocal(below) {
			return real, nil
		}
	}
	return "", &api.Error{Code: api.NotFound, Message: fmt.Sprintf("there is no model %q", name),
		Hint: fmt.Sprintf("shipped models are %s; a directory must lie inside the notebook folder; orrery pull %s, on the command line, fetches one from a hub",
			strings.Join(unknown.Shipped, ", "), unknown.Repo)}
}

// List describes the shipped models and the directories that were opened.
func (c *Catalog) List() ([]api.ModelInfo, error) {
	c.mu.Lock()
	names := append(zoo.Names(), c.dirs...)
	c.mu.Unlock()
	infos := []api.ModelInfo{}
	for _, name := range names {
		m, err := c.Open(name)
		if err != nil {
			return nil, fmt.Errorf("model %s: %w", name, err)
		}
		infos = append(infos, describeModel(name, m))
	}
	return infos, nil
}

// listedHash is the number of weights up to which a list of models tells their
// hashes: about 0.1 s each. Those of larger ones stand in their figures only.
const listedHash = 64 << 20

func describeModel(name string, m *models.Model) api.ModelInfo {
	info := api.ModelInfo{Name: name, Layers: m.Config.Layers, Heads: m.Config.Heads,
		Width: m.Config.Width, Vocab: m.Config.Vocab, Params: int64(m.Config.WeightCount())}
	if m.Config.WeightCount() <= listedHash {
		info.Hash = m.Hash()
	}
	if card, err := zoo.CardOf(name); err == nil {
		accuracy := card.HeldOut.Accuracy
		info.HeldOutAccuracy, info.Summary = &accuracy, card.Data
	}
	return info
}
