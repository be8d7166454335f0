package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
func nativeParams(f *weights.File, cfg Config) (*Params, error) {
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
	var ts []weights.Tensor
	m.params.Each(func(name string, t *tensor.Dense) {
		ts = append(ts, weights.Tensor{Name: name, Dense: t})
	})
	if err := weights.WriteFile(filepath.Join(dir, weightsFile), ts, map[string]string{"format": nativeType}); err != nil {
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
