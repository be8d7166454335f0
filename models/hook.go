package models

import "orrery/models/tensor"

// Selector says which sites a hook or a request is about.
type Selector func(Site) bool

// All selects every site, those computed on demand included.
func All(Site) bool { return true }

// Sites selects exactly the given sites.
func Sites(sites ...Site) Selector {
	set := make(map[Site]bool, len(sites))
	for _, s := range sites {
		set[s] = true
	}
	return func(s Site) bool { return set[s] }
}

// Hook is called at each site it selects, while a run computes it. Hooks are
// arguments of a run and are called in argument order; a later one sees what
// the earlier ones wrote. Nothing is stored on the model.
type Hook struct {
	Sites Selector

	// Fn receives the value, with the site's shape. The value is valid during
	// the call only: edit it in place to intervene, copy it to keep it. An
	// error ends the run and is returned with the site's name.
	Fn func(at Site, x *tensor.Dense) error

	// Grad is the transpose of the derivative of Fn, applied in place to the
	// gradient g, which has the site's shape, when Gradient works its way back
	// past the hook: it zeroes g where Fn overwrote, and multiplies where Fn
	// multiplied. Nil is the identity, which is right for hooks that only
	// read and for those that add a constant; for any other it means that the
	// gradient passes the edit as if it were not there.
	Grad func(at Site, g *tensor.Dense) error

	reads bool // it changes nothing: what it looks at need not be kept apart
}
