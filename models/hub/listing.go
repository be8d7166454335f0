package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"

	"orrery/models/internal/clip"
)

// Bounds on a listing; the largest repositories need a hundredth of them.
const (
	maxListing  = 32 << 20 // bytes
	maxSiblings = 100_000  // files
)

// listing is what the hub's API says of a revision.
type listing struct {
	Commit   string    `json:"sha"`
	Siblings []sibling `json:"siblings"`
}

// sibling is a file of a revision.
type sibling struct {
	Name string `json:"rfilename"`
	Size *int64 `json:"size"`
	Blob string `json:"blobId"` // SHA-1 of git's blob: the content behind "blob SIZE\0"
	LFS  *struct {
		SHA256 string `json:"sha256"`
		Size   int64  `json:"size"`
	} `json:"lfs"` // of large files, whose blob is a pointer
}

// list asks for the files of a revision, with sizes and checksums.
func (c *client) list(ctx context.Context, repo Repo) (*listing, error) {
	u := c.endpoint.JoinPath("api", "models", repo.Owner, repo.Name, "revision", url.PathEscape(repo.rev()))
	u.RawQuery = "blobs=true"
	var text []byte
	err := c.retry(ctx, fewAttempts, func() (int64, error) {
		res, err := c.get(ctx, u, nil)
		if err != nil {
			return 0, err
		}
		defer res.Body.Close()
		if err := c.status(res, repo, ""); err != nil {
			return 0, err
		}
		if text, err = io.ReadAll(io.LimitReader(res.Body, maxListing+1)); err != nil {
			return 0, transient(err)
		}
		return 0, nil
	})
	if err != nil {
		return nil, err
	}
	if len(text) > maxListing {
		return nil, &Error{Problem: fmt.Sprintf("the listing of %s is larger than %d bytes", repo, maxListing)}
	}
	l := &listing{}
	if err := json.Unmarshal(text, l); err != nil {
		return nil, &Error{Problem: fmt.Sprintf("%s did not answer as a hub does about %s", c.endpoint.Host, repo), Err: err, hint: hintEndpoint}
	}
	if !isHex(l.Commit, commitLength) {
		return nil, &Error{Problem: fmt.Sprintf("the listing of %s names the commit %q, which is not %d hexadecimal digits", repo, clip.Text(l.Commit), commitLength), hint: hintEndpoint}
	}
	if isHex(repo.Rev, commitLength) && repo.Rev != l.Commit {
		return nil, &Error{Problem: fmt.Sprintf("%s was asked for and the listing is of commit %s", repo, l.Commit)}
	}
	if len(l.Siblings) > maxSiblings {
		return nil, &Error{Problem: fmt.Sprintf("%s has %d files, at most %d are read", repo, len(l.Siblings), maxSiblings)}
	}
	return l, nil
}

// content is where a file of a commit is to be had.
func (c *client) content(repo Repo, commit, name string) *url.URL {
	return c.endpoint.JoinPath(repo.Owner, repo.Name, "resolve", commit, name)
}

// page is where a person looks at a repository.
func (c *client) page(repo Repo) string {
	return strings.TrimSuffix(c.endpoint.String(), "/") + "/" + repo.Owner + "/" + repo.Name
}
