package tokenizer

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// spmType is the kind of a piece in a SentencePiece model.
type spmType int

const (
	spmNormal  spmType = 1
	spmUnknown spmType = 2
	spmControl spmType = 3 // begins or ends a text; stands in none
	spmDefined spmType = 4 // always one token
	spmUnused  spmType = 5
	spmByte    spmType = 6
)

// spmPiece is one piece; its id is its place in the list.
type spmPiece struct {
	text  string
	score float64
	kind  spmType
}

// The model types of a trainer_spec.
const (
	spmUnigram = 1
	spmBPE     = 2
)

// spmModel is a tokenizer.model: what sentencepiece_model.proto calls ModelProto, as far as it changes an encoding.
type spmModel struct {
	pieces           []spmPiece
	modelType        int // trainer_spec
	byteFallback     bool
	suffix           bool // white space is a suffix of words
	unk, bos, eos    int
	pad              int
	charsmap         int    // bytes of the normalizer_spec's table
	normalizer       string // its name
	dummyPrefix      bool   // a space is put in front
	removeWhiteSpace bool   // runs of spaces become one
	escapeWhiteSpace bool   // spaces become ▁
}

// parseSPM reads a tokenizer.model, and refuses settings that are not implemented.
func parseSPM(data []byte) (*spmModel, error) {
	m := &spmModel{modelType: spmUnigram, unk: 0, bos: 1, eos: 2, pad: -1, dummyPrefix: true, removeWhiteSpace: true, escapeWhiteSpace: true} // the proto's defaults
	err := eachField(data, func(f protoField) error {
		switch {
		case f.number == 1 && f.wire == 2:
			return m.addPiece(f.bytes)
		case f.number == 2 && f.wire == 2:
			return eachField(f.bytes, m.trainerSpec)
		case f.number == 3 && f.wire == 2:
			return eachField(f.bytes, m.normalizerSpec)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	switch {
	case len(m.pieces) == 0:
		return nil, fmt.Errorf("no pieces: %w", errProto)
	case m.modelType != spmUnigram && m.modelType != spmBPE:
		return nil, fmt.Errorf("trainer_spec.model_type: %d is not implemented; implemented are 1 (unigram) and 2 (bpe)", m.modelType)
	case m.charsmap > 0:
		return nil, fmt.Errorf("normalizer_spec.precompiled_charsmap: the %d bytes of %q are not implemented; only models without a table are read", m.charsmap, m.normalizer)
	case m.removeWhiteSpace:
		return nil, fmt.Errorf("normalizer_spec.remove_extra_whitespaces: true is not implemented")
	case !m.escapeWhiteSpace:
		return nil, fmt.Errorf("normalizer_spec.escape_whitespaces: false is not implemented")
	case m.suffix:
		return nil, fmt.Errorf("trainer_spec.treat_whitespace_as_suffix: true is not implemented")
	}
	for name, id := range map[string]int{"unk_id": m.unk, "bos_id": m.bos, "eos_id": m.eos, "pad_id": m.pad} {
		if id >= len(m.pieces) {
			return nil, fmt.Errorf("trainer_spec.%s: %d is outside the vocabulary of %d pieces", name, id, len(m.pieces))
		}
	}
	if m.unk < 0 {
		return nil, fmt.Errorf("trainer_spec.unk_id: %d is no piece", m.unk)
	}
	return m, nil
}

func (m *spmModel) addPiece(msg []byte) error {
	if len(m.pieces) >= maxVocab {
		return fmt.Errorf("pieces: more than %d", maxVocab)
	}
	p := spmPiece{kind: spmNormal}
	err := eachField(msg, func(f protoField) error {
		switch {
		case f.number == 1 && f.wire == 2:
			p.text = string(f.bytes)
		case f.number == 2 && f.wire == 5:
			p.score = f.float()
		case f.number == 3 && f.wire == 0:
			p.kind = spmType(f.int())
		}
		return nil
	})
	at := len(m.pieces)
	switch {
	case err != nil:
		return fmt.Errorf("pieces[%d]: %w", at, err)
	case p.text == "" || !utf8.ValidString(p.text):
		return fmt.Errorf("pieces[%d]: %q is not a text", at, p.text)
	case len(p.text) > maxPiece:
		return fmt.Errorf("pieces[%d]: piece of %d bytes; at most %d are accepted", at, len(p.text), maxPiece)
	case math.IsNaN(p.score) || math.IsInf(p.score, 0):
		return fmt.Errorf("pieces[%d]: %q has the score %g", at, p.text, p.score)
	case p.kind == spmUnused:
		return fmt.Errorf("pieces[%d]: %q is of type 5 (unused), which is not implemented", at, p.text)
	case p.kind < spmNormal || p.kind > spmByte:
		return fmt.Errorf("pieces[%d]: %q has the type %d, which is not known", at, p.text, p.kind)
	}
	m.pieces = append(m.pieces, p)
	return nil
}

func (m *spmModel) trainerSpec(f protoField) error {
	if f.wire != 0 {
		return nil
	}
	switch f.number {
	case 3:
		m.modelType = f.int()
	case 24:
		m.suffix = f.value != 0
	case 35:
		m.byteFallback = f.value != 0
	case 40:
		m.unk = f.int()
	case 41:
		m.bos = f.int()
	case 42:
		m.eos = f.int()
	case 43:
		m.pad = f.int()
	}
	return nil
}

func (m *spmModel) normalizerSpec(f protoField) error {
	switch {
	case f.number == 1 && f.wire == 2:
		m.normalizer = string(f.bytes)
	case f.number == 2 && f.wire == 2:
		m.charsmap = len(f.bytes)
	case f.wire != 0:
	case f.number == 3:
		m.dummyPrefix = f.value != 0
	case f.number == 4:
		m.removeWhiteSpace = f.value != 0
	case f.number == 5:
		m.escapeWhiteSpace = f.value != 0
	}
	return nil
}

// vocabulary enters the pieces under their ids.
func (m *spmModel) vocabulary() (*vocabulary, error) {
	v := &vocabulary{ids: make(map[string]int, len(m.pieces))}
	for id, p := range m.pieces {
		if old, ok := v.ids[p.text]; ok {
			return nil, fmt.Errorf("pieces: %q has both id %d and id %d", p.text, old, id)
		}
		v.ids[p.text] = id
		v.entries = append(v.entries, newEntry(p.text))
	}
	return v, nil
}

// joins reports whether a piece can come out of a merge, or go into one.
func (p spmPiece) joins() bool { return p.kind == spmNormal }

// merges returns the merges that SentencePiece's BPE makes: any two neighbours that together are a piece, the best score first and
// the leftmost of equals. words says that none has a ▁ behind another character.
func (m *spmModel) merges(v *vocabulary) (_ *table[merge], _ *seams, words bool) {
	order := make([]int32, 0, len(m.pieces)) // of those that merges make, best first
	for id, p := range m.pieces {
		if p.joins() {
			order = append(order, int32(id))
		}
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(m.pieces[b].score, m.pieces[a].score) })
	merges, joined, rank := newTable[merge](), &seams{}, int32(0)
	words = true
	for i, id := range order {
		p := m.pieces[id]
		if i > 0 && m.pieces[order[i-1]].score != p.score {
			rank++
		}
		words = words && wordEnd(p.text) == len(p.text)
		for at := range p.text {
			left, ok := v.ids[p.text[:at]]
			right, too := v.ids[p.text[at:]]
			if at > 0 && ok && too && m.pieces[left].joins() && m.pieces[right].joins() {
				merges.put(pair{int32(left), int32(right)}, merge{rank, id})
				_, n := utf8.DecodeLastRuneInString(p.text[:at])
				_, k := utf8.DecodeRuneInString(p.text[at:])
				before, ok := v.ids[p.text[at-n:at]]
				after, too := v.ids[p.text[at:at+k]]
				if ok && too {
					joined.add(int32(before), int32(after))
				}
			}
		}
	}
	return merges, joined, words
}
