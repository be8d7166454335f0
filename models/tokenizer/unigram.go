package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// unigram is the unigram language model (T. Kudo, Subword Regularization, 2018, arXiv:1804.10959): the segmentation with the
// greatest sum of log probabilities, the earlier found one among equals. Neighbouring unknown characters are one unknown token.
type unigram struct {
	pieces   *trie
	score    []float64 // by id
	unkScore float64   // of an unknown character: 10 below the least
	unk      int32     // -1: what no token expresses is an error
	fallback map[byte]int32
	cache    *cache
}

func newUnigram() *unigram {
	return &unigram{pieces: newTrie(), unkScore: math.Inf(1), unk: -1, cache: newCache()}
}

func parseUnigram(m *modelJSON, byteLevel bool) (model, *vocabulary, error) {
	if byteLevel {
		return nil, nil, errors.New("model: Unigram after a ByteLevel pre-tokenizer is not implemented")
	}
	var list []scored
	if err := json.Unmarshal(m.Vocab, &list); err != nil {
		return nil, nil, fmt.Errorf("model.vocab: %w", err)
	}
	if len(list) == 0 || len(list) > maxVocab {
		return nil, nil, fmt.Errorf("model.vocab: %d tokens; between 1 and %d are accepted", len(list), maxVocab)
	}
	v := &vocabulary{ids: make(map[string]int, len(list))}
	looked := 0 // bytes
	u := newUnigram()
	for id, x := range list {
		if old, ok := v.ids[x.token]; ok {
			return nil, nil, fmt.Errorf("model.vocab: %q has both id %d and id %d", x.token, old, id)
		}
		v.ids[x.token] = id
		v.entries = append(v.entries, newEntry(x.token))
		u.score = append(u.score, x.score)
		u.unkScore = min(u.unkScore, x.score-10)
		if looked += len(x.token); looked > maxLooked {
			return nil, nil, fmt.Errorf("model.vocab: more than %d bytes of tokens", maxLooked)
		}
		if x.token != "" {
			u.pieces.add(x.token, int32(id))
		}
	}
	if m.UnkID != nil {
		if *m.UnkID < 0 || *m.UnkID >= len(list) {
			return nil, nil, fmt.Errorf("model.unk_id: %d is outside the vocabulary of %d tokens", *m.UnkID, len(list))
		}
		u.unk = int32(*m.UnkID)
	}
	if m.ByteFallback {
		u.fallback = byteTokens(v)
	}
	return u, v, nil
}

// scored is a token and its log probability, ["token", -1.5] in the file.
type scored struct {
	token string
	score float64
}

// UnmarshalJSON reads the pair.
func (x *scored) UnmarshalJSON(raw []byte) error {
	return json.Unmarshal(raw, &[2]any{&x.token, &x.score})
}

// arrival is the best way to a byte of a word found so far.
type arrival struct {
	score float64
	from  int32 // -1: not reached
	id    int32
}

func (u *unigram) tokenize(word string, out []symbol) ([]symbol, error) {
	known, hash := u.cache.get(word)
	if known != nil {
		return append(out, known...), nil
	}
	from := len(out)
	out = u.segment(word, out)
	out, err := u.express(word, out, from)
	if err == nil {
		u.cache.put(hash, word, out[from:])
	}
	return out, err
}

// segment runs Viterbi over the byte positions of word.
func (u *unigram) segment(word string, out []symbol) []symbol {
	var few [32]arrival // a word has seldom more bytes
	best := few[:]
	if len(word) >= len(few) {
		best = make([]arrival, len(word)+1)
	}
	best = best[:len(word)+1]
	for i := range best[1:] {
		best[i+1].from = -1
	}
	for i := 0; i < len(word); {
		_, n := runeAt(word, i)
		whole := false // the character at i is a token
		node := int32(0)
		reach := func(end int, id int32, score float64) {
			if b := &best[end]; b.from < 0 || score > b.score {
				*b = arrival{score, int32(i), id}
			}
		}
		for at := i; at < len(word); at++ {
			if node = u.pieces.next(node, word[at]); node == 0 {
				break
			}
			if id := u.pieces.value[node]; id >= 0 {
				whole = whole || at+1 == i+n
				reach(at+1, id, best[i].score+u.score[id])
			}
		}
		if !whole {
			reach(i+n, u.unk, best[i].score+u.unkScore)
		}
		i += n
	}
	from := len(out)
	for end := len(word); end > 0; end = int(best[end].from) {
		b := best[end]
		width := int32(end) - b.from
		if last := len(out) - 1; b.id == u.unk && last >= from && out[last].id == u.unk {
			out[last].width += width
			continue
		}
		out = append(out, symbol{b.id, width})
	}
	slices.Reverse(out[from:])
	return out
}

// express replaces unknown symbols by byte tokens where all bytes have one, and reports those that stay unknown without a token.
func (u *unigram) express(word string, out []symbol, from int) ([]symbol, error) {
	if !slices.ContainsFunc(out[from:], func(y symbol) bool { return y.id == u.unk }) {
		return out, nil
	}
	known := slices.Clone(out[from:])
	out = out[:from]
	at := 0
	for _, y := range known {
		end := at + int(y.width)
		switch {
		case y.id != u.unk:
			out = append(out, y)
		case u.hasBytes(word[at:end]):
			for i := at; i < end; i++ {
				out = append(out, symbol{u.fallback[word[i]], 1})
			}
		case u.unk < 0:
			_, n := utf8.DecodeRuneInString(word[at:])
			return out, &missing{at, at + n}
		default:
			out = append(out, y)
		}
		at = end
	}
	return out, nil
}

func (u *unigram) hasBytes(s string) bool {
	for i := range len(s) {
		if _, ok := u.fallback[s[i]]; !ok {
			return false
		}
	}
	return true
}
