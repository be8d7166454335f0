package models

import (
	"os"
	"path/filepath"

	"orrery/models/weights"
)

// LoadLazily is Load, without the tokenizer, as it is for files above 256 MiB.
func LoadLazily(dir string) (*Model, error) {
	b, err := os.ReadFile(filepath.Join(dir, configFile))
	if err != nil {
		return nil, err
	}
	cfg, _, params, err := readConfig(b)
	if err != nil {
		return nil, err
	}
	f, err := weights.Open(dir)
	if err != nil {
		return nil, err
	}
	return stand(cfg, f, params, -1)
}

// Packed returns the number of matrices that a model has packed, of how many,
// and the memory of their panels.
func (m *Model) Packed() (n, of, bytes int) {
	count := func(w *linearWeights) {
		if w.out == 0 {
			return
		}
		of++
		if p := w.ready(); p != nil {
			n++
			bytes += p.Bytes()
		}
	}
	for l := range m.blocks {
		b := &m.blocks[l]
		for _, w := range []*linearWeights{&b.q, &b.k, &b.v, &b.o, &b.gate, &b.in, &b.out} {
			count(w)
		}
	}
	count(&m.head)
	return n, of, bytes
}

// Frequencies are the angles per position of each pair in a row of so many
// tokens, and the factor of cosines and sines.
func (r RotaryConfig) Frequencies(tokens int) ([]float64, float64) {
	return r.frequencies(tokens), r.stretch()
}

// InPieces and BackInPieces are products some outputs at a time.
var (
	InPieces     = inPieces
	BackInPieces = backInPieces
)
