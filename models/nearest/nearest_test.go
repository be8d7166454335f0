package nearest_test

import (
	"slices"
	"strings"
	"testing"

	"orrery/models/nearest"
)

func TestNames(t *testing.T) {
	for _, c := range []struct {
		name, word string
		among      []string
		n          int
		want       []string
	}{
		{"one letter", "hook_zz", []string{"hook_pattern", "hook_z", "hook_k"}, 2, []string{"hook_z", "hook_k"}},
		{"textbook", "sitting", []string{"kitchen", "kitten", "sit"}, 1, []string{"kitten"}}, // 5, 3, 4
		{"equals keep their order", "x", []string{"b", "a"}, 5, []string{"b", "a"}},
		{"empty", "", []string{"ab", "c"}, 1, []string{"c"}},
		{"nothing to choose from", "x", nil, 3, nil},
		{"none asked for", "x", []string{"x"}, 0, nil},
		{"too long", strings.Repeat("x", 1000), []string{"x"}, 1, nil},
		{"too long to propose", "x", []string{strings.Repeat("x", 1000), "yyy"}, 1, []string{"yyy"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := nearest.Names(c.word, c.among, c.n); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
