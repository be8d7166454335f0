package analysis

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"orrery/models/modeltest"
)

// FuzzComponents names components and layers in any words: they are refused with
// the word and what there is, or are components of the model, each once, under
// the names that they have everywhere.
func FuzzComponents(f *testing.F) {
	for _, words := range [][3]string{{"attn", "mlp", "0"}, {"attn 1", "head 0.1", ""}, {"head 1.1", "attn 1", ""}, {"mlp -1", "mlp +1", "-1"}, {"head 01.1", "head 1.01", "1e0"},
		{"head 1", "attn 1.1", "x"}, {"neuron 0.1", "resid_post 0", "9223372036854775808"}, {"attn  1", "\u2028", "-3"}, {"ATTN", "mlp 1\x00", " 0"}, {"", "attn ٣", "+0"}} {
		f.Add(words[0], words[1], words[2])
	}
	m := modeltest.Llama(1)
	f.Fuzz(func(t *testing.T, first, second, layer string) {
		a := Args{"components": []string{first, second}, "layers": []string{}}
		if layer != "" {
			a["layers"] = []string{layer}
		}
		r := &filterRun{m: m, a: a}
		if err := r.components(); err != nil {
			var hint *hintError
			named := errors.As(err, &hint)
			for _, word := range []string{first, second} {
				if strings.Contains(err.Error(), fmt.Sprintf("%q", word)) || strings.Contains(err.Error(), word) {
					return
				}
			}
			if !named || !strings.Contains(err.Error(), fmt.Sprintf("%q", layer)) && !strings.Contains(err.Error(), " is there twice") && !strings.Contains(err.Error(), " is a part of ") {
				t.Errorf("%q %q %q: %v", first, second, layer, err)
			}
			return
		}
		seen := map[string]bool{}
		for _, n := range r.chosen {
			name := n.String()
			if n.Layer < 0 || n.Layer >= m.Config.Layers || n.Index < 0 || n.Index >= max(1, m.Config.Heads) || seen[name] {
				t.Errorf("%q %q: %v", first, second, r.chosen)
			}
			seen[name] = true
			if again, err := r.component(name); err != nil || again != n {
				t.Errorf("%s is read as %v, %v", name, again, err)
			}
		}
		if len(r.sets()) == 0 || r.where() == "" {
			t.Errorf("%q %q: no set, or no name", first, second)
		}
	})
}
