package hub

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"orrery/models/internal/clip"
)

// etagSuffix ends the name of the file that says which version a part is of.
const etagSuffix = partSuffix + ".etag"

// download is one file on its way: the part on disk and the hash of it.
type download struct {
	file
	path   string // of the finished file
	meter  *meter
	part   *os.File
	hash   hash.Hash
	have   int64 // bytes of the part, all in hash
	etag   string
	joined bool // the part is of more than one answer
}

// fetch brings one file: it goes on with the part that lies there,
// tries again when the line breaks, and gives the file its name when length
// and checksum are right. What was joined of several answers and turns out wrong is
// fetched anew.
func (j *job) fetch(ctx context.Context, f file) error {
	d := &download{file: f, path: filepath.Join(j.dir, f.name), meter: j.meter}
	size, err := fileSize(d.path)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(d.path); err == nil && size == f.size { // it was verified before it got this name
		j.meter.there(size)
		return nil
	}
	defer func() {
		if d.part != nil {
			d.part.Close()
		}
	}()
	if err := d.open(ctx); err != nil {
		return err
	}
	if d.have > 0 {
		j.notice(fmt.Sprintf("%s goes on at byte %d of %d", f.name, d.have, f.size))
	}
	j.meter.there(d.have)
	for {
		if err := j.fill(ctx, d); err != nil {
			return err
		}
		err := f.sum.check(d.hash)
		if err == nil {
			break
		}
		joined := d.joined
		if err := d.reset(); err != nil {
			return err
		}
		if !joined {
			return &Error{Problem: fmt.Sprintf("%s came with another content than the hub lists", f.name), Err: err, hint: "something between here and the hub changes files; what came is not kept"}
		}
		j.notice(fmt.Sprintf("%s: its parts do not fit together (%v); fetching it anew", f.name, err))
	}
	if err := errors.Join(d.part.Sync(), d.part.Close()); err != nil {
		return err
	}
	if err := os.Rename(d.path+partSuffix, d.path); err != nil {
		return err
	}
	return removeIfThere(d.path + etagSuffix)
}

// open opens the part and sums what it has.
func (d *download) open(ctx context.Context) error {
	size, err := fileSize(d.path + partSuffix)
	if err != nil {
		return err
	}
	if d.part, err = os.OpenFile(d.path+partSuffix, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return err
	}
	if size > d.size {
		return d.reset()
	}
	if tag, err := os.ReadFile(d.path + etagSuffix); err == nil && strongTag(string(tag)) {
		d.etag = string(tag)
	}
	d.hash = d.sum.begin(d.size)
	d.have, err = copyUntil(ctx, d.hash, d.part)
	d.joined = d.have > 0
	return err
}

// reset empties the part.
func (d *download) reset() error {
	d.meter.there(-d.have)
	d.have, d.etag, d.joined, d.hash = 0, "", false, d.sum.begin(d.size)
	_, err := d.part.Seek(0, io.SeekStart)
	return errors.Join(err, d.part.Truncate(0), removeIfThere(d.path+etagSuffix))
}

// fill brings what is missing of the part, in as many attempts as it takes.
func (j *job) fill(ctx context.Context, d *download) error {
	u := j.content(j.repo, j.plan.commit, d.name)
	for d.have < d.size {
		err := j.retry(ctx, maxAttempts, func() (int64, error) {
			header := http.Header{}
			if d.have > 0 {
				header.Set("Range", fmt.Sprintf("bytes=%d-", d.have))
				if d.etag != "" {
					header.Set("If-Range", d.etag)
				}
			}
			res, err := j.get(ctx, u, header)
			if err != nil {
				return 0, err
			}
			defer res.Body.Close()
			if err := j.status(res, j.repo, d.name); err != nil {
				return 0, err
			}
			return d.take(res)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// take writes an answer's body behind what is there. It returns how many bytes
// it brought; an answer from the beginning replaces the part.
func (d *download) take(res *http.Response) (int64, error) {
	lied := func(format string, args ...any) error {
		return &Error{Problem: fmt.Sprintf("%s of %s: %s", d.name, res.Request.URL.Host, fmt.Sprintf(format, args...)), hint: hintEndpoint}
	}
	tag := res.Header.Get("ETag")
	left := d.size - d.have
	switch {
	case res.StatusCode == http.StatusOK:
		left = d.size
	case res.StatusCode != http.StatusPartialContent || d.etag != "" && tag != "" && tag != d.etag: // the part is of another version
		if err := d.reset(); err != nil {
			return 0, err
		}
		return 0, transient(fmt.Errorf("%s cannot go on with %s", res.Request.URL.Host, d.name))
	default:
		var lo, hi, size int64
		said := res.Header.Get("Content-Range")
		if _, err := fmt.Sscanf(said, "bytes %d-%d/%d", &lo, &hi, &size); err != nil || lo != d.have || size != d.size || hi != d.size-1 {
			return 0, lied("the range %q came where bytes %d-%d/%d were asked for", clip.Text(said), d.have, d.size-1, d.size)
		}
	}
	if n := res.ContentLength; n >= 0 && n != left {
		return 0, lied("%d bytes are announced where the listing leaves %d", n, left)
	}
	if left == d.size {
		if err := d.reset(); err != nil {
			return 0, err
		}
	}
	d.joined = d.have > 0
	if d.etag == "" && strongTag(tag) {
		d.etag = tag
		if err := os.WriteFile(d.path+etagSuffix, []byte(tag), 0o644); err != nil {
			return 0, err
		}
	}
	return d.copy(res, lied)
}

// copy writes a body behind the part until the listed size is reached.
func (d *download) copy(res *http.Response, lied func(string, ...any) error) (int64, error) {
	before := d.have
	body := io.LimitReader(res.Body, d.size-d.have+1)
	buf := make([]byte, 256<<10)
	for {
		n, err := body.Read(buf)
		if over := d.have + int64(n) - d.size; over > 0 {
			return d.have - before, lied("more than the listed %d bytes came", d.size)
		}
		if n > 0 {
			if _, err := d.part.Write(buf[:n]); err != nil {
				return d.have - before, err
			}
			d.hash.Write(buf[:n])
			d.have += int64(n)
			d.meter.moved(int64(n))
		}
		switch {
		case err == io.EOF && d.have == d.size:
			return d.have - before, nil
		case err == io.EOF:
			return d.have - before, transient(fmt.Errorf("%s of %s was cut at byte %d of %d", d.name, res.Request.URL.Host, d.have, d.size))
		case err != nil:
			return d.have - before, transient(fmt.Errorf("%s of %s was cut at byte %d of %d: %w", d.name, res.Request.URL.Host, d.have, d.size, err))
		}
	}
}

// strongTag reports whether an ETag promises equal bytes.
func strongTag(tag string) bool {
	return len(tag) > 2 && len(tag) < 1000 && tag[0] == '"' && strings.HasSuffix(tag, `"`) && !strings.ContainsAny(tag, "\r\n")
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
