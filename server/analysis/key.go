package analysis

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"

	"orrery/models"
)

// Key names what a call computes, by content: two calls with the same key, in the
// same program, give the same figure to the bit. It is the sha256 (hex) of
//
//   - the analysis' name and Version,
//   - the kernel's family, which decides how sums round (models.BitsPath),
//   - every argument, defaults included, by its value: numbers by their bits,
//     prompts by their tokens, edits by their tensors, a model by its name, the
//     hash of its weights and its config, of which the basis is a part, and the
//     hash of its tokenizer.
//
// The code that computes is not in it: who keeps results adds what names the
// program. A call of which not all is known by content has no key, and the error
// says why: a metric that is a cell's function, a model without a hash, an
// analysis that reads files beside its arguments.
func (a Analysis) Key(bound Args) (string, error) {
	if a.ReadsFiles != nil && a.ReadsFiles(bound) {
		return "", fmt.Errorf("%s reads files beside its arguments", a.Name)
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %d %s\n", a.Name, a.Version, models.BitsPath())
	for _, name := range slices.Sorted(maps.Keys(bound)) {
		fmt.Fprintf(sum, "%q ", name)
		if err := writeContent(sum, bound[name]); err != nil {
			return "", fmt.Errorf("%s: %s: %w", a.Name, name, err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// writeModel writes all of a model that a result can depend on.
func writeModel(w io.Writer, m *models.Model) error {
	own := m.Hash()
	if own == "" {
		return fmt.Errorf("model %s has no hash", m.Name)
	}
	read := ""
	if m.Tokenizer != nil {
		if read = m.Tokenizer.Hash(); read == "" {
			return fmt.Errorf("the tokenizer of model %s has no hash", m.Name)
		}
	}
	fmt.Fprintf(w, "model %q %s %q\n", m.Name, own, read)
	return nil
}
