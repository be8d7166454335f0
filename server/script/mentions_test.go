package script_test

import (
	"strings"
	"testing"

	"orrery/server/script"
)

func TestMentioned(t *testing.T) {
	for _, test := range []struct{ name, source, models, calls string }{
		{"nothing", "", "", ""},
		{"a model and an analysis", "m = load(\"mental-2op\")\nlens = logit_lens(m, \"34+57=\")", "mental-2op", "load logit_lens"},
		{"each once, nested too", "a, b = load('x'), load(name='y')\nif a:\n  cama(load('x'))", "x y", "load cama"},
		{"no literal, no plain name", "m = load(name)\ncache.stack(m)", "", "load"},
		{"a comment and a text are no calls", "# load(\"x\")\ns = 'load(\"y\")'", "", ""},
		{"broken", "m = load(\"x\"", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := script.Mentioned(test.source)
			if m, c := strings.Join(got.Models, " "), strings.Join(got.Calls, " "); m != test.models || c != test.calls {
				t.Errorf("models %q, calls %q; want %q, %q", m, c, test.models, test.calls)
			}
		})
	}
}
