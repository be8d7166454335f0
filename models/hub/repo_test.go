package hub_test

import (
	"path/filepath"
	"strings"
	"testing"

	"orrery/models/hub"
)

func TestParseRepo(t *testing.T) {
	for _, c := range []struct {
		text string
		want hub.Repo // zero when it must be refused
	}{
		{"EleutherAI/pythia-70m", hub.Repo{Owner: "EleutherAI", Name: "pythia-70m"}},
		{"a/b@refs/pr/3", hub.Repo{Owner: "a", Name: "b", Rev: "refs/pr/3"}},
		{"_a/b.c_d@v1.0", hub.Repo{Owner: "_a", Name: "b.c_d", Rev: "v1.0"}},
		{"gpt2", hub.Repo{}},
		{"", hub.Repo{}},
		{"/b", hub.Repo{}},
		{"a/", hub.Repo{}},
		{"a/b/c", hub.Repo{}},
		{"../b", hub.Repo{}},
		{"a/..", hub.Repo{}},
		{"a/b..c", hub.Repo{}},
		{"./b", hub.Repo{}},
		{"-a/b", hub.Repo{}},
		{`a\b/c`, hub.Repo{}},
		{"a/b?x", hub.Repo{}},
		{"a/b#x", hub.Repo{}},
		{"a/b%2e", hub.Repo{}},
		{"a/é", hub.Repo{}},
		{"a/b.", hub.Repo{}},
		{"a/b@", hub.Repo{}},
		{"a/b@../../x", hub.Repo{}},
		{"a/b@x//y", hub.Repo{}},
		{"a/b@-x", hub.Repo{}},
		{"a/b@x@y", hub.Repo{}},
		{"a/" + strings.Repeat("b", 97), hub.Repo{}},
		{"https://huggingface.co/a/b", hub.Repo{}},
	} {
		got, err := hub.ParseRepo(c.text)
		if got != c.want || (err != nil) != (c.want == hub.Repo{}) {
			t.Errorf("%q is %+v, %v; want %+v", c.text, got, err, c.want)
		}
		if err == nil && got.String() != c.text {
			t.Errorf("%q is written as %q", c.text, got)
		}
	}
}

// FuzzParseRepo checks that no name leads out of the cache.
func FuzzParseRepo(f *testing.F) {
	for _, s := range []string{"a/b", "a/b@refs/pr/1", "../b", "a/..@x", "C:/x", "a/b@..", "a//b", "a/nul"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		repo, err := hub.ParseRepo(s)
		if err != nil {
			return
		}
		if again, err := hub.ParseRepo(repo.String()); err != nil || again != repo {
			t.Fatalf("%q is %+v, which is read as %+v, %v", s, repo, again, err)
		}
		if !filepath.IsLocal(filepath.Join(repo.Owner, repo.Name)) || strings.Count(filepath.Join("x", repo.Owner, repo.Name), string(filepath.Separator)) != 2 {
			t.Fatalf("%q leads to %q", s, filepath.Join(repo.Owner, repo.Name))
		}
		for _, part := range strings.Split(repo.Rev, "/") {
			if part == ".." || part == "." {
				t.Fatalf("%q has the revision %q", s, repo.Rev)
			}
		}
	})
}

func TestLikely(t *testing.T) {
	for name, want := range map[string]string{
		"gpt2": "openai-community/gpt2", "gpt2-small": "openai-community/gpt2", "GPT2-xl": "openai-community/gpt2-xl",
		"pythia-70m": "EleutherAI/pythia-70m", "gpt-j-6b": "EleutherAI/gpt-j-6b", "Owner/Name": "Owner/Name",
		"mental2op": "OWNER/NAME", "./here": "OWNER/NAME", "a b/c": "OWNER/NAME", "a/b/c": "OWNER/NAME", "": "OWNER/NAME", "pythia-70m/": "OWNER/NAME",
	} {
		if got := hub.Likely(name); got != want {
			t.Errorf("%q is likely %s, want %s", name, got, want)
		}
	}
	if _, err := hub.ParseRepo("gpt2"); err == nil || !strings.Contains(err.(*hub.Error).Hint(), "openai-community/gpt2") {
		t.Errorf("the hint of gpt2 does not name its repository: %v", err)
	}
}
