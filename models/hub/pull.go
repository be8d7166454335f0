package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"orrery/models/hub/filelock"
)

const (
	// DefaultEndpoint is Hugging Face.
	DefaultEndpoint = "https://huggingface.co"
	// DefaultLimit bounds the bytes of one model.
	DefaultLimit = 64 << 30

	defaultIdle  = 30 * time.Second
	defaultPause = time.Second
)

// Hub pulls models from one endpoint into one cache. The zero value of each
// field but Cache means its default.
type Hub struct {
	Cache     string            // the folder of pulled models; see CacheDir
	Endpoint  string            // DefaultEndpoint; https, or http to this machine
	Token     string            // sent to the endpoint's host only
	Limit     int64             // bytes of one model; DefaultLimit
	Idle      time.Duration     // how long a silent connection is waited for; 30 s
	Pause     time.Duration     // before the second attempt, doubled before each further one; 1 s
	Progress  func(Progress)    // called between reads, from Pull's goroutine
	Transport http.RoundTripper // http.DefaultTransport, which heeds HTTPS_PROXY
}

// Pull brings a revision of a repository into the cache and returns the model
// directory. What is there already is not fetched again; what was cut goes on.
// Two pulls of one repository at a time are refused. Errors: *Error, the file
// system's, or the context's.
func (h *Hub) Pull(ctx context.Context, repo Repo) (string, error) {
	m := &meter{Progress: Progress{ETA: -1}, report: h.Progress, now: time.Now}
	if m.report == nil {
		m.report = func(Progress) {}
	}
	c, err := h.client(m.notice)
	if err != nil {
		return "", err
	}
	dir := repo.dir(h.Cache)
	unlock, err := lock(dir, repo)
	if err != nil {
		return "", err
	}
	done, err := h.pull(ctx, c, repo, dir, m)
	if err = errors.Join(err, unlock()); err != nil {
		return "", h.offline(err, repo)
	}
	return done, nil
}

// client makes the HTTP side from the settings.
func (h *Hub) client(notice func(string)) (*client, error) {
	c := &client{token: h.Token, http: h.Transport, idle: h.Idle, pause: h.Pause, notice: notice}
	endpoint := h.Endpoint
	if endpoint == "" {
		endpoint = DefaultEndpoint
	}
	if c.http == nil {
		c.http = http.DefaultTransport
	}
	if c.idle <= 0 {
		c.idle = defaultIdle
	}
	if c.pause <= 0 {
		c.pause = defaultPause
	}
	var err error
	c.endpoint, err = parseEndpoint(endpoint)
	return c, err
}

// lock keeps a second pull of the repository out.
func lock(dir string, repo Repo) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	ok, err := filelock.Try(f)
	if err == nil && !ok {
		err = &Error{Problem: fmt.Sprintf("%s/%s is being pulled by another process", repo.Owner, repo.Name), hint: "wait for it to end, or stop it: this command then goes on where it stopped"}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}

// job is one pull with its lock held.
type job struct {
	*client
	repo  Repo
	limit int64
	plan  *plan
	dir   string // where the files go
	meter *meter
}

// pull is Pull with the lock held.
func (h *Hub) pull(ctx context.Context, c *client, repo Repo, dir string, m *meter) (string, error) {
	l, err := c.list(ctx, repo)
	if err != nil {
		return "", err
	}
	p, err := choose(repo, l, c.page(repo))
	if err != nil {
		return "", err
	}
	done := filepath.Join(dir, p.commit)
	if p.whole(done) {
		return done, writeRef(dir, repo.rev(), p.commit)
	}
	j := &job{client: c, repo: repo, limit: h.Limit, plan: p, dir: done + partSuffix, meter: m}
	if j.limit <= 0 {
		j.limit = DefaultLimit
	}
	if isDir(done) && !isDir(j.dir) { // something was taken out of it
		if err := os.Rename(done, j.dir); err != nil {
			return "", err
		}
	}
	if err := os.MkdirAll(j.dir, 0o755); err != nil {
		return "", err
	}
	if err := j.bring(ctx); err != nil {
		return "", err
	}
	if err := os.RemoveAll(done); err != nil { // there only when both were
		return "", err
	}
	if err := os.Rename(j.dir, done); err != nil {
		return "", err
	}
	return done, writeRef(dir, repo.rev(), p.commit)
}

// bring fetches all files of the plan; the index comes last of those known at
// first and names the shards.
func (j *job) bring(ctx context.Context) error {
	if err := j.measure(); err != nil {
		return err
	}
	for i := 0; i < len(j.plan.files); i++ {
		f := j.plan.files[i]
		j.meter.File = f.name
		if err := j.fetch(ctx, f); err != nil {
			return err
		}
		if f.name == indexName {
			if err := j.plan.addShards(j.dir); err != nil {
				return err
			}
			if err := j.measure(); err != nil {
				return err
			}
		}
		j.meter.show(j.meter.now())
	}
	return nil
}

// measure sets the total and refuses what is beyond the limit.
func (j *job) measure() error {
	total, ok := j.plan.total()
	if !ok {
		return &Error{Problem: fmt.Sprintf("the sizes of the files of %s overflow 63 bits", j.repo)}
	}
	if total > j.limit {
		return &Error{Problem: fmt.Sprintf("%s has %d bytes of files to pull, and the limit is %d", j.repo, total, j.limit), hint: "raise it with --limit-gb"}
	}
	j.meter.Total = total
	return nil
}

// offline adds to an error that the cache has a copy already.
func (h *Hub) offline(err error, repo Repo) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	if dir, notThere := Find(h.Cache, repo.String()); notThere == nil {
		e.hint += fmt.Sprintf("; the copy pulled before still opens: load(%q), in %s", repo.String(), dir)
	}
	return err
}

// copyUntil is io.Copy that stops when the context is done.
func copyUntil(ctx context.Context, to io.Writer, from io.Reader) (int64, error) {
	return io.Copy(to, readerFunc(func(b []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return from.Read(b)
	}))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }
