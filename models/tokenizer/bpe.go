package tokenizer

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

// bpe is byte-pair encoding (R. Sennrich, B. Haddow, A. Birch, Neural Machine Translation of Rare Words with Subword Units, 2016,
// arXiv:1508.07909): a piece begins as single characters or bytes, which the merges join. The symbols of short pieces are kept.
type bpe struct {
	pieces       map[string]int32 // tokens by the bytes they stand for
	merges       *table[merge]
	joined       *seams         // nil where a merge takes byte tokens or the unknown one
	byteLevel    bool           // initial symbols are bytes; otherwise characters
	ascii        [256]int32     // initial symbol of a byte, or of an ASCII character; -1 if it is no token
	fallback     map[byte]int32 // <0x00> .. <0xFF>, of those that are tokens; nil without byte_fallback
	unk          int32          // -1: what no token expresses is an error
	fuseUnk      bool           // one unknown token for neighbouring unknown characters
	ignoreMerges bool           // a piece that is a token is that token, whatever the merges say
	words        bool           // no merge has a ▁ behind another character: what a ▁ begins is a word of its own
	cache        *cache
	mergers      sync.Pool // of *merger
}

func newBPE(m *modelJSON, v *vocabulary, byteLevel bool) (*bpe, error) {
	switch {
	case m.Dropout != nil && *m.Dropout != 0:
		return nil, fmt.Errorf("model.dropout: %g is not implemented; encodings would be random", *m.Dropout)
	case m.ContinuingSubwordPrefix != "":
		return nil, fmt.Errorf("model.continuing_subword_prefix: %q is not implemented", m.ContinuingSubwordPrefix)
	case m.EndOfWordSuffix != "":
		return nil, fmt.Errorf("model.end_of_word_suffix: %q is not implemented", m.EndOfWordSuffix)
	}
	merges, err := parseMerges(m.Merges, v)
	if err != nil {
		return nil, err
	}
	unk, err := m.unknown(v)
	if err != nil {
		return nil, err
	}
	b := &bpe{
		pieces: v.pieces(byteLevel), merges: merges, byteLevel: byteLevel, unk: unk,
		fuseUnk: m.FuseUnk, ignoreMerges: m.IgnoreMerges,
		cache:   newCache(),
		mergers: sync.Pool{New: func() any { return &merger{} }},
	}
	b.readASCII()
	if m.ByteFallback {
		b.fallback = byteTokens(v)
	}
	b.readSeams(m.Merges, v)
	if _, ok := b.pieces[wordMark]; ok && !b.ignoreMerges {
		b.words = true
	}
	for _, m := range m.Merges {
		if end := wordEnd(m.left + m.right); end < len(m.left)+len(m.right) {
			b.words = false
		}
	}
	return b, nil
}

// readASCII fills the table of initial symbols.
func (b *bpe) readASCII() {
	for c := range b.ascii {
		b.ascii[c] = -1
		if id, ok := b.pieces[string([]byte{byte(c)})]; ok && (b.byteLevel || c < utf8.RuneSelf) {
			b.ascii[c] = id
		}
	}
}

// readSeams finds where merges join. Initial symbols that stand for no characters of their own, bytes and the unknown one, are told
// from none by a token's string: where a merge takes such, seams are not known.
func (b *bpe) readSeams(merges []mergeJSON, v *vocabulary) {
	odd := map[int32]bool{b.unk: true}
	for _, id := range b.fallback {
		odd[id] = true
	}
	bytes, joined := newByteTable(), &seams{}
	for _, m := range merges {
		if odd[int32(v.ids[m.left])] || odd[int32(v.ids[m.right])] {
			return
		}
		_, n := utf8.DecodeLastRuneInString(m.left)
		_, k := utf8.DecodeRuneInString(m.right)
		before, after := m.left[len(m.left)-n:], m.right[:k]
		if b.byteLevel { // of which each character is a byte
			x, known := bytes.bytes(before)
			y, too := bytes.bytes(after)
			if !known || !too {
				continue // no text has it
			}
			before, after = string(x), string(y)
		}
		left, ok := b.pieces[before]
		right, too := b.pieces[after]
		if ok && too {
			joined.add(left, right)
		}
	}
	b.joined = joined
}

// wordMark is what SentencePiece writes for a space.
const wordMark = "▁"

// wordEnd returns where the first word of s ends: before the first ▁ that follows another character.
func wordEnd(s string) int {
	from := 0
	for strings.HasPrefix(s[from:], wordMark) {
		from += len(wordMark)
	}
	if i := strings.Index(s[from:], wordMark); i >= 0 {
		return from + i
	}
	return len(s)
}

// byteTokens returns the ids of the tokens <0x00> .. <0xFF>, of those that there are.
func byteTokens(v *vocabulary) map[byte]int32 {
	out := map[byte]int32{}
	for c := range 256 {
		if id, ok := v.ids[fmt.Sprintf("<0x%02X>", c)]; ok {
			out[byte(c)] = int32(id)
		}
	}
	return out
}

func (b *bpe) tokenize(word string, out []symbol) ([]symbol, error) {
	if len(word) == 1 && b.ascii[word[0]] >= 0 {
		return append(out, symbol{b.ascii[word[0]], 1}), nil
	}
	if !b.words {
		return b.word(word, out)
	}
	for at := 0; at < len(word); {
		end := at + wordEnd(word[at:])
		var err error
		if out, err = b.word(word[at:end], out); err != nil {
			if m := (*missing)(nil); errors.As(err, &m) {
				m.lo, m.hi = m.lo+at, m.hi+at
			}
			return out, err
		}
		at = end
	}
	return out, nil
}

// word appends the symbols of a stretch that no merge leads out of.
func (b *bpe) word(word string, out []symbol) ([]symbol, error) {
	known, hash := b.cache.get(word)
	if known != nil {
		return append(out, known...), nil
	}
	from := len(out)
	if b.ignoreMerges {
		if id, ok := b.pieces[word]; ok {
			out = append(out, symbol{id, int32(len(word))})
			b.cache.put(hash, word, out[from:])
			return out, nil
		}
	}
	m := b.mergers.Get().(*merger)
	defer b.mergers.Put(m)
	m.nodes = m.nodes[:0]
	if err := b.start(m, word); err != nil {
		return out, err
	}
	m.run(b.merges, b.joined)
	for i := range m.nodes {
		out = append(out, symbol{m.nodes[i].id, m.nodes[i].width})
	}
	b.cache.put(hash, word, out[from:])
	return out, nil
}

// start pushes the initial symbols of word.
func (b *bpe) start(m *merger, word string) error {
	for i := 0; i < len(word); {
		n := 1
		id := b.ascii[word[i]]
		if !b.byteLevel && word[i] >= utf8.RuneSelf {
			_, n = utf8.DecodeRuneInString(word[i:])
			var ok bool
			if id, ok = b.pieces[word[i:i+n]]; !ok {
				id = -1
			}
		}
		switch {
		case id >= 0:
			m.push(id, int32(n))
		case b.pushBytes(m, word[i:i+n]):
		case b.unk < 0:
			x := text{s: word}.extentAt(i)
			return &missing{int(x.lo), int(x.hi)}
		case b.fuseUnk && len(m.nodes) > 0 && m.nodes[len(m.nodes)-1].id == b.unk:
			m.nodes[len(m.nodes)-1].width += int32(n)
		default:
			m.push(b.unk, int32(n))
		}
		i += n
	}
	return nil
}

// pushBytes pushes the byte tokens of a character, if there is one for each of its bytes.
func (b *bpe) pushBytes(m *merger, char string) bool {
	if b.fallback == nil {
		return false
	}
	for i := range len(char) {
		if _, ok := b.fallback[char[i]]; !ok {
			return false
		}
	}
	for i := range len(char) {
		m.push(b.fallback[char[i]], 1)
	}
	return true
}
