package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"orrery/models"
	"orrery/models/tensor"
)

// The kinds of first weights that Recipe.Init may name.
const (
	initGPT2  = ""      // models.InitParams
	initWidth = "width" // see widthParams
)

// firstParams makes the weights that a recipe begins with.
func firstParams(r Recipe) *models.Params {
	p := models.InitParams(r.Model, r.Seed)
	if r.Init == initWidth {
		widthParams(p, r.Model, r.Seed)
	}
	for _, name := range r.Zero {
		t, _ := p.Get(name)
		clear(t.Data)
	}
	return p
}

// widthParams fills every matrix with normal numbers of standard deviation
// 1/sqrt(D), and the unembedding with those of 1/sqrt(V): the first weights of
// Nanda et al. 2023 (arXiv:2301.05217). Biases stay 0 and gains 1.
func widthParams(p *models.Params, cfg models.Config, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0))
	p.Each(func(name string, t *tensor.Dense) {
		sd := 1 / math.Sqrt(float64(cfg.Width))
		if name == "unembed.weight" {
			sd = 1 / math.Sqrt(float64(cfg.Outputs()))
		}
		if t.Rank() < 2 {
			return
		}
		for i := range t.Data {
			t.Data[i] = float32(sd * rng.NormFloat64())
		}
	})
}

// validateStart reports first weights that cannot be made.
func (r Recipe) validateStart() (errs []error) {
	if r.Init != initGPT2 && r.Init != initWidth {
		errs = append(errs, fmt.Errorf("recipe: init is %q, want %q or none", r.Init, initWidth))
	}
	if r.Model.Validate() != nil {
		return errs
	}
	var names []string
	models.NewParams(r.Model).Each(func(name string, _ *tensor.Dense) { names = append(names, name) })
	for _, name := range r.Zero {
		if !slices.Contains(names, name) {
			errs = append(errs, fmt.Errorf("recipe: zero: no weight is called %q; there is %s", name, strings.Join(names, ", ")))
		}
	}
	return errs
}
