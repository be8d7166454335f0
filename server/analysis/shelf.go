package analysis

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"

	"orrery/ablate"
	"orrery/models"
)

// shelfBytes is about how much a Shelf holds; the sets of a notebook take a few MB.
const shelfBytes = 64 << 20

// Shelf shares between calls what many begin with: prompts that a model has read,
// and been asked which of them it gets right. They are known by content, template,
// options and model (see Key), so that a call finds what it would have made. What
// was used longest ago goes first. It is safe for concurrent use.
type Shelf struct {
	limit int64

	mu    sync.Mutex // guards all below
	kept  []shelved  // used last at the end
	bytes int64
}

// shelved is prompts without their model, which may be large and is known to who
// asks for them.
type shelved struct {
	key   string
	bound BoundPrompts
	bytes int64
}

// NewShelf returns an empty shelf.
func NewShelf() *Shelf { return &Shelf{limit: shelfBytes} }

// shelfKey is the context key of a shelf.
type shelfKey struct{}

// WithShelf returns a context in which calls share what they begin with.
func WithShelf(ctx context.Context, s *Shelf) context.Context {
	return context.WithValue(ctx, shelfKey{}, s)
}

// bind is Prompts.Bind, by way of the context's shelf where it has one.
func bind(ctx context.Context, p Prompts, m *models.Model) (*BoundPrompts, error) {
	s, ok := ctx.Value(shelfKey{}).(*Shelf)
	if !ok {
		return p.Bind(ctx, m)
	}
	sum := sha256.New()
	if writeContent(sum, p) != nil || writeModel(sum, m) != nil {
		return p.Bind(ctx, m) // not known by content
	}
	key := fmt.Sprintf("%s %x", models.BitsPath(), sum.Sum(nil))
	if b := s.take(key); b != nil {
		b.Model = m
		return b, nil
	}
	b, err := p.Bind(ctx, m)
	if err == nil {
		s.put(key, *b)
	}
	return b, err
}

// take returns a copy of what is kept under a key, nil for nothing.
func (s *Shelf) take(key string) *BoundPrompts {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.place(key)
	if i < 0 {
		return nil
	}
	found := s.kept[i]
	s.kept = append(slices.Delete(s.kept, i, i+1), found)
	return &found.bound
}

// place is where a key is kept, -1 for nowhere. The caller holds mu.
func (s *Shelf) place(key string) int {
	return slices.IndexFunc(s.kept, func(x shelved) bool { return x.key == key })
}

// put keeps prompts under a key, if there is room for them at all.
func (s *Shelf) put(key string, b BoundPrompts) {
	b.Model = nil
	size := b.size()
	s.mu.Lock()
	defer s.mu.Unlock()
	if size > s.limit || s.place(key) >= 0 {
		return
	}
	s.kept = append(s.kept, shelved{key, b, size})
	for s.bytes += size; s.bytes > s.limit; s.kept = slices.Delete(s.kept, 0, 1) {
		s.bytes -= s.kept[0].bytes
	}
}

// What a prompt takes: its numbers and text, and a token's id and role.
const promptBytes, tokenBytes = 400, 8 + 24

// size is about how many bytes prompts take.
func (b *BoundPrompts) size() int64 {
	n, tokens := len(b.Set.Prompts)+len(b.List), 0
	for _, c := range []*ablate.ContrastSet{b.Contrasts, b.Control} {
		if c != nil {
			n += 2 * len(c.Contrasts)
		}
	}
	if len(b.Set.Prompts) > 0 { // one length for all
		tokens = len(b.Set.Prompts[0].IDs)
	}
	return int64(n) * int64(promptBytes+tokenBytes*tokens)
}
