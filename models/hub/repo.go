package hub

import (
	"fmt"
	"strings"

	"orrery/models/internal/clip"
)

// Repo names a revision of a repository.
type Repo struct {
	Owner, Name string
	Rev         string // branch, tag or commit; empty is main
}

// ParseRepo reads OWNER/NAME or OWNER/NAME@REV. Names may hold letters, digits,
// dots, dashes and underscores, so that neither a path nor a URL can be made of
// them that leads elsewhere.
func ParseRepo(s string) (Repo, error) {
	path, rev, tagged := strings.Cut(s, "@")
	owner, name, ok := strings.Cut(path, "/")
	if !ok || !plain(owner) || !plain(name) {
		return Repo{}, &Error{Problem: fmt.Sprintf("%q is not OWNER/NAME or OWNER/NAME@REV", clip.Text(s)),
			hint: "for example " + example(s) + "; letters, digits, dots, dashes and underscores can stand in both names"}
	}
	if tagged && !revision(rev) {
		return Repo{}, &Error{Problem: fmt.Sprintf("%q is not a branch, tag or commit", clip.Text(rev)), hint: "for example OWNER/NAME@main or OWNER/NAME@refs/pr/1"}
	}
	return Repo{owner, name, rev}, nil
}

// Likely returns the repository that a name is likely to mean: the name itself
// when it is OWNER/NAME already, that of the names by which papers and
// TransformerLens call a model, such as gpt2-small, else the words OWNER/NAME.
func Likely(name string) string {
	owner, repo, owned := strings.Cut(name, "/")
	if owned && plain(owner) && plain(repo) {
		return name
	}
	name = strings.ToLower(name)
	switch {
	case !plain(name):
	case name == "gpt2" || name == "gpt2-small":
		return "openai-community/gpt2"
	case strings.HasPrefix(name, "gpt2-"):
		return "openai-community/" + name
	case strings.HasPrefix(name, "pythia-"), strings.HasPrefix(name, "gpt-neo-"), strings.HasPrefix(name, "gpt-j-"):
		return "EleutherAI/" + name
	}
	return "OWNER/NAME"
}

// example is a repository to show beside a name that is none.
func example(name string) string {
	if likely := Likely(name); likely != "OWNER/NAME" {
		return likely
	}
	return "EleutherAI/pythia-70m"
}

// String returns OWNER/NAME or OWNER/NAME@REV.
func (r Repo) String() string {
	if r.Rev == "" {
		return r.Owner + "/" + r.Name
	}
	return r.Owner + "/" + r.Name + "@" + r.Rev
}

// rev is the revision to ask for.
func (r Repo) rev() string {
	if r.Rev == "" {
		return "main"
	}
	return r.Rev
}

// plain reports whether s can be one component of a path: the hub's own rule
// for names, which our names of files keep too.
func plain(s string) bool {
	const longest = 96 // the hub's limit
	if s == "" || len(s) > longest || strings.Contains(s, "..") || strings.HasSuffix(s, ".") || strings.ContainsRune(".-", rune(s[0])) {
		return false
	}
	for _, c := range s {
		if !letter(c) {
			return false
		}
	}
	return true
}

// revision reports whether s can name a revision: plain names with slashes between.
func revision(s string) bool {
	const longest = 200
	for _, part := range strings.Split(s, "/") {
		if !plain(part) {
			return false
		}
	}
	return len(s) <= longest
}

func letter(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_'
}

// isHex reports whether s is n lower-case hexadecimal digits.
func isHex(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}
