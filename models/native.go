package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"orrery/models/tensor"
	"orrery/models/weights"
)

// nativeType is the model_type of a directory in our own layout: config.json is
// Config with model_type and name beside its fields, and model.safetensors has
// the weights under Params' names and in its shapes.
const nativeType = "orrery"

// nativeConfig is config.json in our own layout.
type nativeConfig struct {
	ModelType string `json:"model_type"`
	Name      string `json:"name,omitempty"`
	Config
}

// parseNative reads our own config.json. Unknown fields are errors: they would
// be choices that this program does not know how to compute.
func parseNative(b []byte) (nativeConfig, error) {
	var c nativeConfig
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return c, fmt.Errorf("config.json: %w", err)
	}
	return c, nil
}

// nativeParams reads the weights of our own layout.
func nativeParams(f *checkpoint, cfg Config) (*Params, error) {
	r := newReader(f)
	p := &Params{Blocks: make([]BlockParams, cfg.Layers)}
	p.walk(func(layer int, name string, at **tensor.Dense) {
		if shape := cfg.weightShape(name); shape != nil {
			r.want(at, weightName(layer, name), shape...)
		}
	})
	return p, r.read()
}

// Save writes the model to a directory in our own layout, which Load reads: the
// same model, with the same hash. The tokenizer's files are copied from the
// directory that the model came from, when there are any.
func (m *Model) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("save model: %w", err)
	}
	cfg, err := json.MarshalIndent(nativeConfig{nativeType, m.Name, m.Config}, "", "  ")
	if err != nil {
		return fmt.Errorf("save model: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, configFile), append(cfg, '\n'), 0o644); err != nil {
		return fmt.Errorf("save model: %w", err)
	}
	if err := m.saveWeights(filepath.Join(dir, weightsFile)); err != nil {
		return fmt.Errorf("save model: %w", err)
	}
	if m.files == nil {
		return nil
	}
	for _, name := range tokenizerFiles {
		b, err := fs.ReadFile(m.files, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o644)
		}
		if err != nil {
			return fmt.Errorf("save model: %w", err)
		}
	}
	return nil
}

// saveWeights writes every weight as float32, with little of them in memory at
// a time.
func (m *Model) saveWeights(path string) error {
	var infos []weights.Info
	var data []func(fn func(part []float32) error) error
	err := m.store.each(func(_, layer int, name string, at **tensor.Dense) error {
		infos = append(infos, weights.Info{Name: weightName(layer, name), DType: weights.F32, Shape: m.Config.weightShape(name)})
		data = append(data, func(fn func(part []float32) error) error { return m.store.numbers(layer, name, at, fn) })
		return nil
	})
	if err != nil {
		return err
	}
	next := 0
	return weights.StreamFile(path, infos, map[string]string{"format": nativeType}, func(_ weights.Info, w io.Writer) error {
		next++
		return data[next-1](func(part []float32) error { return weights.WriteFloats(w, part) })
	})
}
