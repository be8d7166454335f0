package tokenizer

import (
	"errors"
	"fmt"
	"slices"
	"sync"
)

// ParseSentencePiece reads a tokenizer.model, as SentencePiece writes it, and a tokenizer_config.json that may be nil, from memory.
// The pipeline is the one that transformers 5 gives such a file: control pieces are looked for in the text as special tokens and
// pieces that a user defined as ordinary ones (in the normalized text, as SentencePiece does), a text begins with the beginning-of-sequence token unless the configuration's
// add_bos_token says no, and "legacy": false puts the space in front of the whole text only. A model with a table of characters
// (nmt_nfkc), or another setting that is not implemented, is refused by its name.
func ParseSentencePiece(model, configJSON []byte) (*Tokenizer, error) {
	var c config
	if err := c.readConfig("tokenizer_config.json", configJSON); err != nil {
		return nil, err
	}
	t, err := parseSentencePiece(model, c)
	if err == nil {
		t.hash = hashOf(model, configJSON)
	}
	return t, err
}

func parseSentencePiece(data []byte, c config) (*Tokenizer, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("tokenizer.model: more than %d bytes", maxFile)
	}
	m, err := parseSPM(data)
	if err != nil {
		return nil, fmt.Errorf("tokenizer.model: %w", err)
	}
	t, err := m.build(c)
	if err != nil {
		return nil, fmt.Errorf("tokenizer.model: %w", err)
	}
	t.roles(c)
	return t, nil
}

// build makes the pipeline.
func (m *spmModel) build(c config) (*Tokenizer, error) {
	v, err := m.vocabulary()
	if err != nil {
		return nil, err
	}
	t := &Tokenizer{vocab: v, asText: -1}
	space := replaceText{" ", wordMark}
	legacy := c.Legacy == nil || *c.Legacy
	switch {
	case !m.dummyPrefix:
		t.normalizer = space
	case legacy:
		t.normalizer = normalizers{prependText(wordMark), space}
	default:
		t.steps = []preTokenizer{metaspace{replacement: wordMark, scheme: "first"}}
	}
	if m.modelType == spmBPE {
		t.model = m.bpe(v)
	} else if t.model, err = m.unigram(v); err != nil {
		return nil, err
	} else {
		t.asText = m.unk
	}
	added, err := m.added(c)
	if err != nil {
		return nil, err
	}
	if err := t.addTokens(added); err != nil {
		return nil, err
	}
	t.post.template = true
	if m.bos >= 0 && flag(c.AddBOS, true) {
		t.post.before = []int{m.bos}
	}
	if m.eos >= 0 && flag(c.AddEOS, false) {
		t.post.after = []int{m.eos}
	}
	steps := decoders{replaceTokens{wordMark, " "}, byteFallback{}, fuseTokens{}}
	if m.dummyPrefix {
		steps = append(steps, stripTokens{stripN{' ', 1, 0}})
	}
	t.decoder = steps
	t.encoders.New = func() any { return newEncoder(t) }
	return t, nil
}

// added returns the pieces that are looked for in the text, and the tokens that the configuration adds behind the model's.
func (m *spmModel) added(c config) ([]addedToken, error) {
	var list []addedToken
	for id, p := range m.pieces {
		switch p.kind {
		case spmUnknown, spmControl:
			list = append(list, addedToken{ID: id, Content: p.text, Special: true})
		case spmDefined:
			list = append(list, addedToken{ID: id, Content: p.text, Normalized: true, verbatim: true})
		}
	}
	configured, err := c.added()
	if err != nil {
		return nil, err
	}
	var more []addedToken
	for _, tok := range configured {
		if at := slices.IndexFunc(list, func(x addedToken) bool { return x.ID == tok.ID }); at >= 0 {
			if list[at].Content != tok.Content {
				return nil, fmt.Errorf("tokenizer_config.json: added_tokens_decoder: id %d is %q, which is %q in tokenizer.model", tok.ID, tok.Content, list[at].Content)
			}
			list[at] = tok
			continue
		}
		more = append(more, tok)
	}
	return append(list, more...), nil
}

// bpe makes the model of a BPE file.
func (m *spmModel) bpe(v *vocabulary) *bpe {
	b := &bpe{
		pieces: make(map[string]int32, len(m.pieces)), unk: int32(m.unk), fuseUnk: true, cache: newCache(),
		mergers: sync.Pool{New: func() any { return &merger{} }},
	}
	b.merges, b.joined, b.words = m.merges(v)
	for id, p := range m.pieces {
		if p.joins() {
			b.pieces[p.text] = int32(id)
		}
	}
	b.readASCII()
	if m.byteFallback {
		b.fallback = byteTokens(v)
	}
	return b
}

// unigram makes the model of a Unigram file.
func (m *spmModel) unigram(v *vocabulary) (*unigram, error) {
	u := newUnigram()
	u.unk = int32(m.unk)
	looked := 0 // bytes
	for id, p := range m.pieces {
		u.score = append(u.score, p.score)
		if !p.joins() {
			continue
		}
		u.unkScore = min(u.unkScore, p.score-10)
		if looked += len(p.text); looked > maxLooked {
			return nil, fmt.Errorf("pieces: more than %d bytes", maxLooked)
		}
		u.pieces.add(p.text, int32(id))
	}
	if looked == 0 {
		return nil, errors.New("pieces: none is of type 1 (normal)")
	}
	if m.byteFallback {
		u.fallback = byteTokens(v)
	}
	return u, nil
}
