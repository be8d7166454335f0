package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"orrery/models/weights"
)

// The metadata of a saved cache. Values are strings, as safetensors wants them.
const (
	cacheFormat  = "orrery.cache"
	keyFormat    = "format"
	keyModel     = "model"
	keyHash      = "model_hash"
	keyBasis     = "basis"
	keyIDs       = "ids"   // JSON, [B][T]
	keyStart     = "start" // JSON, [B]; absent without padding
	keyEnd       = "end"
	keyBatchAxis = "batch_axis" // "true" or "false"
)

// Save writes the cache as a safetensors file: each value under its site's
// name, which is TransformerLens', in float32, to the last bit; and the origin
// as metadata.
func (c *Cache) Save(path string) error {
	var ts []weights.Tensor
	for _, s := range c.Sites() {
		x, _ := c.Get(s)
		ts = append(ts, weights.Tensor{Name: s.String(), Dense: x})
	}
	meta := map[string]string{keyFormat: cacheFormat, keyBatchAxis: strconv.FormatBool(!c.noBatch)}
	o := c.Origin
	for key, text := range map[string]string{keyModel: o.Model, keyHash: o.hash(), keyBasis: o.Basis} {
		if text != "" {
			meta[key] = text
		}
	}
	if o.Batch.B > 0 {
		rows := make([][]int, o.Batch.B)
		for b := range rows {
			rows[b] = o.Batch.IDs[b*o.Batch.T : (b+1)*o.Batch.T]
		}
		meta[keyIDs] = jsonText(rows)
		if o.Batch.Start != nil {
			meta[keyStart], meta[keyEnd] = jsonText(o.Batch.Start), jsonText(o.Batch.End)
		}
	}
	if err := weights.WriteFile(path, ts, meta); err != nil {
		return fmt.Errorf("save cache: %w", err)
	}
	return nil
}

// jsonText is v as JSON, for values that cannot fail to marshal.
func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("models: lists of ints do not marshal: %v", err))
	}
	return string(b)
}

// LoadCache reads a cache that Save wrote, or any safetensors file of values
// under TransformerLens' names, 3 or 4. A cache of another model or basis is an
// error, as are names that are no sites of this one and shapes that do not fit
// together. A value under several names must be the same under each. Values that
// version 4 has and no model here are left out.
func (m *Model) LoadCache(path string) (*Cache, error) {
	f, err := weights.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load cache: %w", err)
	}
	c, err := m.readCache(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("load cache %s: %w", path, err)
	}
	return c, nil
}

func (m *Model) readCache(f *weights.File) (*Cache, error) {
	c, meta := NewCache(), f.Metadata()
	if err := c.readOrigin(meta); err != nil {
		return nil, err
	}
	if err := c.Origin.check(m); err != nil {
		return nil, fmt.Errorf("it is %w", err)
	}
	axes := map[string]int{} // lengths known so far
	if in := c.Origin.Batch; in.B > 0 {
		if err := in.check(m.Config); err != nil {
			return nil, err
		}
		if c.noBatch && in.B != 1 {
			return nil, fmt.Errorf("metadata: %d rows of %s, and the batch axis is removed", in.B, keyIDs)
		}
		axes[axisBatch], axes[axisPos] = in.B, in.T
	}
	for _, name := range f.Names() {
		s, err := m.Site(name)
		if m.isNoSite(name) {
			continue // a file of version 4 holds token ids and angles too
		}
		if err != nil {
			return nil, err
		}
		info, _ := f.Info(name)
		if err := m.fitsAxes(axes, s, info.Shape, c.noBatch); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		x, err := f.Float32(name)
		if err != nil {
			return nil, err
		}
		if first, ok := c.Get(s); ok {
			if !first.EqualBits(x) {
				return nil, fmt.Errorf("%s: the file has another value under another name of %s", name, s)
			}
			continue
		}
		c.values[s] = x.Clone() // the file's memory goes with the file
	}
	return c, nil
}

// readOrigin reads the metadata; a file without any has none.
func (c *Cache) readOrigin(meta map[string]string) error {
	c.Origin = Origin{Model: meta[keyModel], Hash: meta[keyHash], Basis: meta[keyBasis]}
	c.noBatch = meta[keyBatchAxis] == "false"
	text, ok := meta[keyIDs]
	if !ok {
		return nil
	}
	var rows [][]int
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return fmt.Errorf("metadata %s: %w", keyIDs, err)
	}
	in, err := Rows(rows)
	if err != nil {
		return fmt.Errorf("metadata %s: %w", keyIDs, err)
	}
	for key, to := range map[string]*[]int{keyStart: &in.Start, keyEnd: &in.End} {
		if text, ok := meta[key]; ok {
			if err := json.Unmarshal([]byte(text), to); err != nil {
				return fmt.Errorf("metadata %s: %w", key, err)
			}
		}
	}
	c.Origin.Batch = in
	return nil
}

// fitsAxes checks a stored shape against the site's axes: those that the model
// decides, and batch and positions, which all values share. It notes the latter
// in known.
func (m *Model) fitsAxes(known map[string]int, s Site, shape []int, noBatch bool) error {
	axes := m.Axes(s)
	if noBatch {
		axes = axes[1:]
	}
	if len(shape) != len(axes) {
		return fmt.Errorf("shape %v has %d axes, want %v", shape, len(shape), axes)
	}
	for i, axis := range axes {
		want := m.axis(axis, -1, -1)
		if axis == axisQuery || axis == axisKey {
			axis = axisPos
		}
		if want < 0 {
			if n, ok := known[axis]; ok {
				want = n
			} else {
				known[axis], want = shape[i], shape[i]
			}
		}
		if shape[i] != want || shape[i] < 1 {
			return fmt.Errorf("shape %v has length %d at axis %s, want %d", shape, shape[i], axes[i], max(want, 1))
		}
	}
	return nil
}
