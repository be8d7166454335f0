package tokenizer

// wordLevel is a model in which a piece is a token or unknown.
type wordLevel struct {
	words map[string]int32
	unk   int32 // -1: an unknown piece is an error
}

func newWordLevel(m *modelJSON, v *vocabulary, byteLevel bool) *wordLevel {
	w := &wordLevel{words: v.pieces(byteLevel), unk: -1}
	if m.UnkToken != nil {
		if id, ok := v.ids[*m.UnkToken]; ok { // the library writes "<unk>" where none was chosen
			w.unk = int32(id)
		}
	}
	return w
}

func (w *wordLevel) tokenize(word string, out []symbol) ([]symbol, error) {
	id, ok := w.words[word]
	if !ok {
		id = w.unk
	}
	if id < 0 {
		return out, &missing{0, len(word)}
	}
	return append(out, symbol{id, int32(len(word))}), nil
}
