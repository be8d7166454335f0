package models

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"orrery/models/tensor"
)

// Cache holds copies of the values at some sites of one run. It only stores:
// what to make of the values is the business of functions such as
// DecomposeResid and of other packages. It is not safe for concurrent writes.
type Cache struct {
	Origin Origin // the run; its zero value for a cache that Record fills

	values  map[Site]*tensor.Dense
	derived map[Site]derived // what is computed from them when it is asked for
	noBatch bool             // the batch axis is removed
}

// Origin says which run the values of a cache are of.
type Origin struct {
	Model string // its name
	Hash  string // of its config and weights, for a cache that was read from a file
	Basis string // of its weights: see Model.Basis
	Batch Batch

	of *Model // itself, for a cache of a run
}

// hash is that of the model's config and weights, "" when nobody knows.
func (o Origin) hash() string {
	if o.of != nil {
		return o.of.Hash()
	}
	return o.Hash
}

// check reports an origin that is another model than m.
func (o Origin) check(m *Model) error {
	if o.of == m || o.of == nil && o.Hash == "" {
		return nil
	}
	if a, b := o.hash(), m.Hash(); a != "" && b != "" && a != b {
		return fmt.Errorf("of model %s (%.12s, basis %s), not of %s (%.12s, basis %s)", o.Model, a, o.Basis, m.Name, b, m.Basis())
	}
	return nil
}

// NewCache returns an empty cache.
func NewCache() *Cache { return &Cache{values: make(map[Site]*tensor.Dense)} }

// Get returns the value at s, with the shape of Model.Shape, and whether it is
// there. The caller must not change it.
func (c *Cache) Get(s Site) (*tensor.Dense, bool) {
	if x, ok := c.values[s]; ok {
		return x, true
	}
	if d := c.derived[s]; d != nil {
		return d(c), true
	}
	return nil, false
}

// Put stores x itself, not a copy, as the value at s.
func (c *Cache) Put(s Site, x *tensor.Dense) {
	c.values[s] = x
	delete(c.derived, s)
}

// Sites lists what is there, in forward order.
func (c *Cache) Sites() []Site {
	sites := slices.AppendSeq(make([]Site, 0, len(c.values)+len(c.derived)), maps.Keys(c.values))
	sites = slices.AppendSeq(sites, maps.Keys(c.derived))
	slices.SortFunc(sites, func(a, b Site) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	return sites
}

// Bytes is the memory of the stored numbers: less than that of all values where
// some are derived from others.
func (c *Cache) Bytes() int64 {
	var n int64
	for _, x := range c.values {
		n += 4 * int64(x.Len())
	}
	return n
}

// Batched reports whether the values have their batch axis, as they do unless
// RemoveBatch took it away.
func (c *Cache) Batched() bool { return !c.noBatch }

// RemoveBatch returns a cache of the same values without the batch axis, which
// must have length 1. They share their numbers with c.
func (c *Cache) RemoveBatch() (*Cache, error) {
	if c.noBatch {
		return nil, errors.New("cache: the batch axis is removed already")
	}
	out := &Cache{Origin: c.Origin, values: make(map[Site]*tensor.Dense, len(c.values)), derived: make(map[Site]derived), noBatch: true}
	for s, x := range c.values {
		if x.Dim(0) != 1 {
			return nil, fmt.Errorf("cache: %s has %d batch rows: the batch axis can be removed from a run of one row only", s, x.Dim(0))
		}
		out.values[s] = x.Sub(0)
	}
	for s, d := range c.derived {
		out.derived[s] = func(*Cache) *tensor.Dense { return d(c).Sub(0) }
	}
	return out, nil
}

// Record returns a hook that copies the value at every selected site into c,
// as it stands behind the hooks before it.
func Record(c *Cache, sel Selector) Hook {
	return Hook{Sites: sel, reads: true, Fn: func(at Site, x *tensor.Dense) error {
		c.Put(at, x.Clone())
		return nil
	}}
}

// CacheOptions say what RunWithCache keeps.
type CacheOptions struct {
	Sites  Selector // nil for Computed; see Model.MatchAny for names and globs
	Budget int64    // the most bytes that the values may take; 0 for no limit
}

// Computed selects every site but those that are computed on demand.
func Computed(s Site) bool {
	switch s.Kind {
	case AttnIn, QInput, KInput, VInput, Result, MLPIn:
		return false
	}
	return true
}

// RunWithCache is Run with the values at the selected sites recorded as they
// stand behind the hooks. Their size is known before the run: more than the
// budget is a *BudgetError. A selector that selects no site is an error too.
//
// What follows from other selected values is not stored, where no hook could
// have changed it, but computed by Get: to the same bits, and anew at each call.
// The cache's logits are those of the output, not a copy.
func (m *Model) RunWithCache(ctx context.Context, in Batch, opt CacheOptions, hooks ...Hook) (*Output, *Cache, error) {
	if opt.Sites == nil {
		opt.Sites = Computed
	}
	if err := in.check(m.Config); err != nil {
		return nil, nil, err
	}
	if err := m.CheckBudget(in, opt); err != nil {
		return nil, nil, err
	}
	c := NewCache()
	c.Origin = Origin{Model: m.Name, Basis: m.Basis(), Batch: in.clone(), of: m}
	logits := Site{-1, Logits}
	if len(hooks) == 0 {
		c.derived = m.derivable(c.Origin.Batch, opt.Sites)
	}
	record := Record(c, func(s Site) bool { return s != logits && opt.Sites(s) && c.derived[s] == nil })
	out, err := m.Run(ctx, in, append(slices.Clone(hooks), record)...)
	if err != nil {
		return nil, nil, err
	}
	if opt.Sites(logits) {
		c.Put(logits, out.Logits)
	}
	return out, c, nil
}

// CheckBudget reports what RunWithCache would refuse before it runs: a
// *BudgetError, or a selector without a site.
func (m *Model) CheckBudget(in Batch, opt CacheOptions) error {
	need, err := m.cacheSize(in, opt.Sites)
	if err != nil {
		return err
	}
	if need.Budget = opt.Budget; opt.Budget > 0 && need.Need > opt.Budget {
		return need
	}
	return nil
}

// clone is a copy that shares nothing with in.
func (in Batch) clone() Batch {
	in.IDs, in.Start, in.End = slices.Clone(in.IDs), slices.Clone(in.Start), slices.Clone(in.End)
	return in
}

// CacheBytes is the memory that the values at the selected sites take in a run
// of in, were all of them stored.
func (m *Model) CacheBytes(in Batch, sel Selector) int64 {
	var n int64
	for _, s := range m.Sites() {
		if sel(s) {
			n += m.siteBytes(s, in)
		}
	}
	return n
}

func (m *Model) siteBytes(s Site, in Batch) int64 {
	n := int64(4)
	for _, d := range m.Shape(s, in.B, in.T) {
		n *= int64(d)
	}
	return n
}

// BudgetError says that recording would take more memory than was allowed.
// Nothing was computed.
type BudgetError struct {
	Budget, Need int64 // bytes
	Sites        int   // that were selected
	B, T         int   // the run's rows and positions
	Largest      []KindBytes
}

// KindBytes is the memory of all selected sites of a kind.
type KindBytes struct {
	Name  string // the sites' names, with * for the layer
	Bytes int64
}

func (e *BudgetError) Error() string {
	var largest []string
	for _, k := range e.Largest[:min(3, len(e.Largest))] {
		largest = append(largest, fmt.Sprintf("%s (%s)", k.Name, bytesText(k.Bytes)))
	}
	msg := fmt.Sprintf("cache: %d sites of %d×%d tokens take %s, and the budget is %s; the largest: %s",
		e.Sites, e.B, e.T, bytesText(e.Need), bytesText(e.Budget), strings.Join(largest, ", "))
	for _, k := range e.Largest {
		if k.Bytes <= e.Budget {
			return msg + fmt.Sprintf("; record fewer sites, such as %s (%s), or fewer tokens", k.Name, bytesText(k.Bytes))
		}
	}
	return msg + "; record single layers, or fewer tokens"
}

// cacheSize adds up what the selected sites take, by kind.
func (m *Model) cacheSize(in Batch, sel Selector) (*BudgetError, error) {
	e := &BudgetError{B: in.B, T: in.T}
	byKind := make(map[Kind]int)
	for _, s := range m.Sites() {
		if !sel(s) {
			continue
		}
		at, ok := byKind[s.Kind]
		if !ok {
			at = len(e.Largest)
			byKind[s.Kind] = at
			e.Largest = append(e.Largest, KindBytes{Name: kindName(s.Kind)})
		}
		n := m.siteBytes(s, in)
		e.Largest[at].Bytes += n
		e.Need += n
		e.Sites++
	}
	if e.Sites == 0 {
		return nil, errors.New("cache: the selector selects no site of this model: Model.Sites lists them, and Model.Match finds them by name")
	}
	slices.SortStableFunc(e.Largest, func(a, b KindBytes) int { return int(min(max(b.Bytes-a.Bytes, -1), 1)) })
	return e, nil
}

// kindName is the glob that covers the sites of a kind.
func kindName(k Kind) string {
	if kinds[k].layer {
		return "blocks.*." + kinds[k].name
	}
	return kinds[k].name
}

// bytesText spells a number of bytes.
func bytesText(n int64) string {
	x, units := float64(n), []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	for i, unit := range units {
		if x < 1024 || i == len(units)-1 {
			if unit == "bytes" {
				return fmt.Sprintf("%d bytes", n)
			}
			return fmt.Sprintf("%.1f %s", x, unit)
		}
		x /= 1024
	}
	return ""
}
