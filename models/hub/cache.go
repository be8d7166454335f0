package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// The names beside the commits of a repository.
const (
	refsName   = "refs"
	lockName   = "lock"
	partSuffix = ".part"
)

// CacheVariable is the environment variable that moves the cache.
const CacheVariable = "ORRERY_MODELS"

// CacheDir returns the folder of pulled models: what the environment variable
// ORRERY_MODELS says, else orrery/models in the user's folder of caches.
func CacheDir() (string, error) {
	if dir := os.Getenv(CacheVariable); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for pulled models (%w); set %s", err, CacheVariable)
	}
	return filepath.Join(dir, "orrery", "models"), nil
}

// NotPulledError says that the cache has no such model.
type NotPulledError struct {
	Name   string
	Pulled []string // the names that it has
}

func (e *NotPulledError) Error() string {
	have := "nothing"
	if len(e.Pulled) > 0 {
		have = strings.Join(e.Pulled, ", ")
	}
	return fmt.Sprintf("no model %q: neither a directory nor pulled (pulled is %s)", e.Name, have)
}

// Hint says how to pull it.
func (e *NotPulledError) Hint() string { return "orrery pull " + e.Name + " fetches it from a hub" }

// Find returns the directory of a pulled model, OWNER/NAME or OWNER/NAME@REV.
// Without a revision that is the one at which main was when it was last pulled,
// or else the only one there. It never asks the hub. Errors: *Error for what is
// not a name, *NotPulledError.
func Find(cache, name string) (string, error) {
	repo, err := ParseRepo(name)
	if err != nil {
		return "", err
	}
	dir := repo.dir(cache)
	commit := repo.rev()
	if at, err := os.ReadFile(refPath(dir, repo.rev())); err == nil {
		commit = strings.TrimSpace(string(at))
	}
	if isHex(commit, commitLength) {
		if found := filepath.Join(dir, commit); isDir(found) {
			return found, nil
		}
	}
	if all := commits(dir); repo.Rev == "" && len(all) == 1 {
		return filepath.Join(dir, all[0]), nil
	}
	return "", &NotPulledError{repo.String(), Pulled(cache)}
}

// commitLength is the number of hexadecimal digits of a commit.
const commitLength = 40

// Pulled returns the names of the models in a cache, OWNER/NAME, sorted.
func Pulled(cache string) []string {
	var names []string
	owners, _ := os.ReadDir(cache) // a cache that is not there is empty
	for _, owner := range owners {
		repos, _ := os.ReadDir(filepath.Join(cache, owner.Name()))
		for _, repo := range repos {
			if len(commits(filepath.Join(cache, owner.Name(), repo.Name()))) > 0 {
				names = append(names, owner.Name()+"/"+repo.Name())
			}
		}
	}
	return names
}

// dir is the repository's folder.
func (r Repo) dir(cache string) string { return filepath.Join(cache, r.Owner, r.Name) }

// commits lists the complete model directories of a repository.
func commits(dir string) []string {
	var list []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() && isHex(e.Name(), commitLength) {
			list = append(list, e.Name())
		}
	}
	return list
}

// refPath is the file that remembers a revision's commit; a slash is escaped.
func refPath(dir, rev string) string { return filepath.Join(dir, refsName, url.PathEscape(rev)) }

// writeRef remembers the commit of a revision.
func writeRef(dir, rev, commit string) error {
	path := refPath(dir, rev)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path+partSuffix, []byte(commit+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(path+partSuffix, path)
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// fileSize returns the size of a file, 0 for one that is not there.
func fileSize(path string) (int64, error) {
	st, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, err
	case !st.Mode().IsRegular():
		return 0, fmt.Errorf("%s is not a regular file", path)
	}
	return st.Size(), nil
}
