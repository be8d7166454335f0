package hub

import (
	"encoding/json"
	"math"
	"path/filepath"
	"testing"
	"time"
)

// FuzzListing feeds what a hub may answer: it is refused, or gives a plan of
// plain names, known sums and sizes that can be added.
func FuzzListing(f *testing.F) {
	for _, s := range []string{
		`{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":[{"rfilename":"config.json","size":2,"blobId":"0123456789abcdef0123456789abcdef01234567"},` +
			`{"rfilename":"model.safetensors","lfs":{"sha256":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","size":9}}]}`,
		`{"siblings":[{"rfilename":"config.json"},{"rfilename":"pytorch_model.bin"}]}`,
		`{"siblings":[{"rfilename":"config.json","lfs":{}},{"rfilename":"../model.safetensors"},{"rfilename":"model.safetensors.index.json","size":-5}]}`,
		`{"siblings":null}`, `[]`, `{"siblings":[null]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		l := &listing{}
		if json.Unmarshal(text, l) != nil {
			return
		}
		p, err := choose(Repo{Owner: "a", Name: "b"}, l, "https://example.com/a/b")
		if err != nil {
			return
		}
		for _, x := range p.files {
			if filepath.Base(x.name) != x.name || !filepath.IsLocal(x.name) {
				t.Errorf("file %q", x.name)
			}
			if x.size < 0 || !isHex(x.sum.hex, x.sum.kind.digits()) {
				t.Errorf("%s of %d bytes with %s %q", x.name, x.size, x.sum.kind, x.sum.hex)
			}
		}
		if total, ok := p.total(); ok && total < 0 {
			t.Errorf("total %d", total)
		}
	})
}

// TestMeter steps a clock by hand.
func TestMeter(t *testing.T) {
	now := time.Unix(0, 0)
	var got []Progress
	m := &meter{Progress: Progress{Total: 10_000, ETA: -1}, now: func() time.Time { return now }, report: func(p Progress) { got = append(got, p) }}
	m.there(4000)
	m.show(now)
	if p := got[0]; p.Done != 4000 || p.Rate != 0 || p.ETA >= 0 {
		t.Errorf("at first %+v", p)
	}
	for range 20 { // 100 bytes a second
		now = now.Add(time.Second)
		m.moved(100)
	}
	p := got[len(got)-1]
	if p.Done != 6000 || math.Abs(p.Rate-100) > 1e-9 || p.ETA != 40*time.Second {
		t.Errorf("after 20 s %+v, want 6000 bytes, 100 a second, 40 s left", p)
	}
	for range 20 { // twice as fast: the old rate is forgotten
		now = now.Add(time.Second / 2)
		m.moved(100)
	}
	if p := got[len(got)-1]; math.Abs(p.Rate-200) > 1e-9 || p.ETA != 10*time.Second {
		t.Errorf("after 10 s more %+v, want 200 a second, 10 s left", p)
	}
	before := len(got)
	now = now.Add(interval / 2)
	m.moved(100)
	if len(got) != before {
		t.Error("reported twice within the interval")
	}
}
