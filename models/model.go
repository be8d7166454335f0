package models

import (
	"fmt"
	"io/fs"
	"sync"

	"orrery/models/tensor"
	"orrery/models/tokenizer"
)

// Model is a network with its weights. It is immutable after it is made and
// safe for concurrent runs. The fields are for reading.
type Model struct {
	Name      string
	Config    Config
	Tokenizer *tokenizer.Tokenizer // nil when there is none

	embed, pos       table // [V,D], [Context,D]
	blocks           []blockWeights
	embedNorm, final normWeights
	head             linearWeights // the unembedding

	params func() (*Params, error) // every weight as float32
	store  *store                  // where they come from
	hash   func() string
	arenas *sync.Pool // of *arena: scratch memory of runs
	files  fs.FS      // where it was loaded from; nil when it was made in memory
	dir    string     // the directory that it was loaded from; "" for none
}

// blockWeights are the weights of a block, packed for products.
type blockWeights struct {
	ln1, ln2      normWeights
	ln1Post       normWeights
	ln2Post       normWeights
	qNorm, kNorm  normWeights
	q, k, v, o    linearWeights
	gate, in, out linearWeights
}

// New makes a model of a config and weights. It keeps params without copying:
// the caller must not change them afterwards (With takes changed ones).
func New(cfg Config, params *Params) (*Model, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := params.check(cfg); err != nil {
		return nil, err
	}
	if err := params.finite(); err != nil {
		return nil, err
	}
	m := newModel(cfg)
	m.pack(params)
	return m, nil
}

// newModel is a model without weights.
func newModel(cfg Config) *Model {
	return &Model{Config: cfg, arenas: &sync.Pool{New: func() any { return new(arena) }}}
}

// With returns a model that differs in its weights only. Training makes one a
// step: it shares m's scratch memory, is not hashed, and takes params as New
// does. The params must be of the shapes of m's own.
func (m *Model) With(params *Params) (*Model, error) {
	if err := params.check(m.Config); err != nil {
		return nil, err
	}
	n := *m
	n.pack(params)
	n.hash = func() string { return "" }
	return &n, nil
}

// Params gives the weights as float32. The caller must not change them. A
// loaded model keeps its weights packed, in the file's type: the first call
// reads all of the file and keeps what it made, 4 bytes a weight beside the
// packed ones. It panics with the error when the file cannot be read any more,
// or when one of more than 256 MiB holds a NaN or an infinity.
func (m *Model) Params() *Params {
	p, err := m.params()
	if err != nil {
		panic(fmt.Errorf("models: params: %w", err))
	}
	return p
}

// pack lays weights in memory out for the kernels.
func (m *Model) pack(p *Params) {
	c := m.Config
	m.store = &store{cfg: c, places: p}
	m.params, m.hash = m.store.params, sync.OnceValue(m.sum)
	m.embed = table{plain: p.Embed.Data, width: c.Width}
	m.pos = table{plain: data(p.PosEmbed), width: c.Width}
	m.assemble(p,
		func(_ int, name string, n *NormParams) normWeights {
			return c.normWeights(name, data(n.Weight), data(n.Bias))
		},
		func(_ int, _ string, w *LinearParams) linearWeights { return packLinear(*w) })
	if m.Config.Tied {
		m.head = packLinear(LinearParams{Weight: p.Embed, Bias: p.Unembed.Bias})
	}
}

// assemble makes blocks, final norm and unembedding, each norm and matrix by a
// function that is told its layer, its name and its place.
func (m *Model) assemble(p *Params, norm func(int, string, *NormParams) normWeights, linear func(int, string, *LinearParams) linearWeights) {
	m.blocks = make([]blockWeights, len(p.Blocks))
	for l := range p.Blocks {
		b := &p.Blocks[l]
		m.blocks[l] = blockWeights{
			ln1: norm(l, "ln1", &b.LN1), ln2: norm(l, "ln2", &b.LN2),
			ln1Post: norm(l, "ln1_post", &b.LN1Post), ln2Post: norm(l, "ln2_post", &b.LN2Post),
			qNorm: norm(l, "attn.q_norm", &b.QNorm), kNorm: norm(l, "attn.k_norm", &b.KNorm),
			q: linear(l, "attn.q", &b.Q), k: linear(l, "attn.k", &b.K), v: linear(l, "attn.v", &b.V),
			o:    linear(l, "attn.o", &b.O),
			gate: linear(l, "mlp.gate", &b.Gate), in: linear(l, "mlp.in", &b.In), out: linear(l, "mlp.out", &b.Out),
		}
	}
	m.shareNorms()
	m.embedNorm, m.final = norm(-1, "embed.ln", &p.EmbedNorm), norm(-1, "ln_final", &p.Final)
	m.head = linear(-1, "unembed", &p.Unembed)
}

// data is the numbers of t, nil for nil.
func data(t *tensor.Dense) []float32 {
	if t == nil {
		return nil
	}
	return t.Data
}

// Encode turns a prompt into ids with the tokenizer's template: a beginning-of-
// sequence token where the tokenizer puts one.
func (m *Model) Encode(prompt string) ([]int, error) {
	if m.Tokenizer == nil {
		return nil, ErrNoTokenizer
	}
	enc, err := m.Tokenizer.Encode(prompt, true)
	if err != nil {
		return nil, fmt.Errorf("encode %q: %w", prompt, err)
	}
	for i, id := range enc.IDs {
		if id >= m.Config.Vocab {
			return nil, fmt.Errorf("encode %q: token %q has id %d, and the model's ids end at %d: its tokenizer has %d", prompt, enc.Tokens[i], id, m.Config.Vocab-1, m.Tokenizer.Size())
		}
	}
	return enc.IDs, nil
}
