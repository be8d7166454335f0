package tokenizer

import "unicode/utf8"

// wordLevel is a model in which a piece is a token or unknown.
type wordLevel struct {
	words map[string]int32
	ascii [utf8.RuneSelf]int32 // of one character, as in words or unk
	unk   int32                // -1: an unknown piece is an error
}

func newWordLevel(m *modelJSON, v *vocabulary, byteLevel bool) *wordLevel {
	w := &wordLevel{words: v.pieces(byteLevel), unk: -1}
	if m.UnkToken != nil {
		if id, ok := v.ids[*m.UnkToken]; ok { // the library writes "<unk>" where none was chosen
			w.unk = int32(id)
		}
	}
	for c := range w.ascii {
		w.ascii[c] = w.id(string(rune(c)))
	}
	return w
}

// id returns the token of word.
func (w *wordLevel) id(word string) int32 {
	if id, ok := w.words[word]; ok {
		return id
	}
	return w.unk
}

func (w *wordLevel) tokenize(word string, out []symbol) ([]symbol, error) {
	var id int32
	if len(word) == 1 && word[0] < utf8.RuneSelf {
		id = w.ascii[word[0]]
	} else {
		id = w.id(word)
	}
	if id < 0 {
		return out, &missing{0, len(word)}
	}
	return append(out, symbol{id, int32(len(word))}), nil
}
