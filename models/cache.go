package models

import (
	"slices"

	"orrery/models/tensor"
)

// Cache holds copies of the values at some sites of one run. It only stores:
// what to make of the values is the business of other packages. It is not
// safe for concurrent writes.
type Cache struct {
	values map[Site]*tensor.Dense
}

// NewCache returns an empty cache.
func NewCache() *Cache { return &Cache{values: make(map[Site]*tensor.Dense)} }

// Get returns the value at s, with the shape of Model.Shape, and whether it is
// there. The caller must not change it.
func (c *Cache) Get(s Site) (*tensor.Dense, bool) {
	x, ok := c.values[s]
	return x, ok
}

// Put stores x itself, not a copy, as the value at s.
func (c *Cache) Put(s Site, x *tensor.Dense) { c.values[s] = x }

// Sites lists what is stored, in forward order.
func (c *Cache) Sites() []Site {
	sites := make([]Site, 0, len(c.values))
	for s := range c.values {
		sites = append(sites, s)
	}
	slices.SortFunc(sites, func(a, b Site) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	return sites
}

// Bytes is the memory of the stored numbers.
func (c *Cache) Bytes() int64 {
	var n int64
	for _, x := range c.values {
		n += 4 * int64(x.Len())
	}
	return n
}

// Record returns a hook that copies the value at every selected site into c,
// as it stands behind the hooks before it.
func Record(c *Cache, sel Selector) Hook {
	return Hook{Sites: sel, Fn: func(at Site, x *tensor.Dense) error {
		c.values[at] = x.Clone()
		return nil
	}}
}
