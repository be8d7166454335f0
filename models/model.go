package models

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"sync"
	"unsafe"

	"orrery/models/internal/kernel"
	"orrery/models/tensor"
	"orrery/models/tokenizer"
)

// Model is a network with its weights. It is immutable after it is made and
// safe for concurrent runs. The fields are for reading.
type Model struct {
	Name      string
	Hash      string // sha256 (hex) of config and weights; empty for models made by With
	Config    Config
	Tokenizer *tokenizer.Tokenizer // nil when there is none

	params           *Params
	blocks           []blockWeights
	embedNorm, final normWeights
	head             linearWeights // the unembedding
	arenas           *sync.Pool    // of *arena: scratch memory of runs
	files            fs.FS         // where it was loaded from; nil when it was made in memory
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

// linearWeights are a matrix [out,in], plain and packed, and a bias [out], nil
// when there is none.
type linearWeights struct {
	weight, bias []float32
	packed       *kernel.Packed
	out, in      int
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
	m := &Model{Config: cfg, arenas: &sync.Pool{New: func() any { return new(arena) }}}
	m.pack(params)
	m.Hash = m.hash()
	return m, nil
}

// With returns a model that differs in its weights only. Training makes one a
// step: it shares m's scratch memory, is not hashed, and takes params as New
// does. The params must be of the shapes of m's own.
func (m *Model) With(params *Params) (*Model, error) {
	if err := params.check(m.Config); err != nil {
		return nil, err
	}
	n := *m
	n.Hash = ""
	n.pack(params)
	return &n, nil
}

// Params gives the weights. The caller must not change them.
func (m *Model) Params() *Params { return m.params }

// pack lays the weights out for the kernels.
func (m *Model) pack(p *Params) {
	c := m.Config
	m.params = p
	m.blocks = make([]blockWeights, len(p.Blocks))
	for l := range p.Blocks {
		b := &p.Blocks[l]
		m.blocks[l] = blockWeights{
			ln1: c.packNorm("ln1", b.LN1), ln2: c.packNorm("ln2", b.LN2),
			ln1Post: c.packNorm("ln1_post", b.LN1Post), ln2Post: c.packNorm("ln2_post", b.LN2Post),
			qNorm: c.packNorm("attn.q_norm", b.QNorm), kNorm: c.packNorm("attn.k_norm", b.KNorm),
			q: packLinear(b.Q), k: packLinear(b.K), v: packLinear(b.V), o: packLinear(b.O),
			gate: packLinear(b.Gate), in: packLinear(b.In), out: packLinear(b.Out),
		}
		if c.SharedNorm {
			m.blocks[l].ln2 = m.blocks[l].ln1
		}
	}
	m.embedNorm, m.final = c.packNorm("embed.ln", p.EmbedNorm), c.packNorm("ln_final", p.Final)
	m.head = packLinear(LinearParams{Weight: p.Unembedding(), Bias: p.Unembed.Bias})
}

func packLinear(w LinearParams) linearWeights {
	if w.Weight == nil {
		return linearWeights{}
	}
	out, in := w.Weight.Dim(0), w.Weight.Dim(1)
	return linearWeights{
		weight: w.Weight.Data, bias: data(w.Bias),
		packed: kernel.PackNT(w.Weight.Data, out, in), out: out, in: in,
	}
}

// data is the numbers of t, nil for nil.
func data(t *tensor.Dense) []float32 {
	if t == nil {
		return nil
	}
	return t.Data
}

// hash is the sha256 of everything that a run's numbers depend on: config and
// weights by name, so that the same model hashes the same in every file layout.
func (m *Model) hash() string {
	h := sha256.New()
	cfg, err := json.Marshal(m.Config)
	if err != nil {
		panic(fmt.Sprintf("models: a valid config does not marshal: %v", err)) // no NaN passes Validate
	}
	h.Write(cfg)
	m.params.Each(func(name string, t *tensor.Dense) {
		fmt.Fprintf(h, "\n%s %v\n", name, t.Shape)
		h.Write(bits(t.Data))
	})
	return hex.EncodeToString(h.Sum(nil))
}

// bits is the memory of x.
func bits(x []float32) []byte {
	if len(x) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*len(x))
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
	return enc.IDs, nil
}
