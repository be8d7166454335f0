package tokenizer_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"orrery/models/modeltest"
	"orrery/models/tokenizer"
)

// TestSentencePiece compares ids with the sentencepiece library, and decodes what has a token for each of its characters.
func TestSentencePiece(t *testing.T) {
	var all map[string][]struct {
		Text string `json:"text"`
		IDs  []int  `json:"ids"`
	}
	readJSON(t, filepath.Join("testdata", "sentencepiece", "vectors.json"), &all)
	if len(all) != 4 {
		t.Fatalf("%d models", len(all))
	}
	for name, cases := range all {
		t.Run(name, func(t *testing.T) {
			tok := parseFile(t, filepath.Join("testdata", "sentencepiece", name+".model"))
			unk, _ := tok.ID("<unk>")
			for _, c := range cases {
				got, err := tok.Encode(c.Text, false)
				if err != nil || !slices.Equal(got.IDs, c.IDs) {
					t.Errorf("%+q: %v, %v, want %v", c.Text, got.IDs, err, c.IDs)
					continue
				}
				// A space in front that was typed and a ▁ that was typed come back as one space, as in the library.
				if slices.Contains(c.IDs, unk) || strings.Contains(c.Text, "▁") {
					continue
				}
				if back, err := tok.Decode(c.IDs, false); err != nil || back != c.Text {
					t.Errorf("%+q comes back as %+q, %v", c.Text, back, err)
				}
			}
		})
	}
}

// TestLlama2Pieces reads Llama 2's own tokenizer.model and encodes llama.cpp's 46 strings.
func TestLlama2Pieces(t *testing.T) {
	tok := parseFile(t, modeltest.Reference(t, "tokenizers", "llama2-tokenizer.model"))
	if tok.Size() != 32000 {
		t.Errorf("%d tokens, want 32000", tok.Size())
	}
	texts, ids := stringVectors(t, "llama-spm")
	for i, text := range texts {
		got, err := tok.Encode(text, false)
		if err != nil || !slices.Equal(got.IDs, ids[i]) {
			t.Errorf("%+q: %v, %v, want %v", text, got.IDs, err, ids[i])
		}
		if back, err := tok.Decode(ids[i], false); err != nil || back != text {
			t.Errorf("decoded %+q, %v, want %+q", back, err, text)
		}
		if with, err := tok.Encode(text, true); err != nil || !slices.Equal(with.IDs, append([]int{1}, ids[i]...)) {
			t.Errorf("%+q with BOS: %v, %v", text, with.IDs, err)
		}
	}
}

// TestSentencePieceConfig covers what a tokenizer_config.json says of a tokenizer.model.
func TestSentencePieceConfig(t *testing.T) {
	path := filepath.Join("testdata", "sentencepiece", "bpe.model")
	size := parseFile(t, path).Size()
	with := func(config string) *tokenizer.Tokenizer {
		tok, err := tokenizer.ParseSentencePiece([]byte(readText(t, path)), []byte(config))
		if err != nil {
			t.Fatal(err)
		}
		return tok
	}
	for _, c := range []struct {
		name, config, text string
		special            bool
		want               string // the tokens joined
	}{
		{"defaults", ``, "the", true, "<s>▁the"},
		{"no BOS, EOS", `{"add_bos_token":false,"add_eos_token":true}`, "the", true, "▁the</s>"},
		{"special in the text", ``, "the</s>the", false, "▁the</s>▁the"},
		{"not legacy", `{"legacy":false}`, "the</s>the", false, "▁the</s>the"},
		{"added behind", fmt.Sprintf(`{"added_tokens_decoder":{"%d":{"content":"<pad>","special":true},"1":{"content":"<s>","special":true,"lstrip":true}}}`, size), "the <s><pad>", false, "▁the <s><pad>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := with(c.config).Encode(c.text, c.special)
			if err != nil || strings.Join(got.Tokens, "") != c.want {
				t.Errorf("%q: %q, %v, want %q", c.text, got.Tokens, err, c.want)
			}
		})
	}
	pad, ok := with(fmt.Sprintf(`{"added_tokens_decoder":{"%d":{"content":"<pad>","special":true}},"pad_token":"<pad>"}`, size)).Pad()
	if !ok || pad != size {
		t.Errorf("pad %d, %t, want %d", pad, ok, size)
	}
	for _, c := range []struct{ config, want string }{
		{`{"added_tokens_decoder":{"1":{"content":"<bos>"}}}`, `id 1 is "<bos>", which is "<s>"`},
		{`{"added_tokens_decoder":{"x":{"content":"<bos>"}}}`, `"x" is not an id`},
		{`{"added_tokens_decoder":{"4":{"content":"<bos>"}}}`, `"<bos>" has id 4, which is`},
		{`{"added_tokens_decoder":{"99999999":{"content":"<bos>"}}}`, `has id 99999999`},
	} {
		if _, err := tokenizer.ParseSentencePiece([]byte(readText(t, path)), []byte(c.config)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.config, err, c.want)
		}
	}
}

// message writes protocol buffers by hand.
type message []byte

func (m message) bytes(number int, b []byte) message {
	m = binary.AppendUvarint(m, uint64(number)<<3|2)
	return append(binary.AppendUvarint(m, uint64(len(b))), b...)
}

func (m message) int(number int, v uint64) message {
	return binary.AppendUvarint(binary.AppendUvarint(m, uint64(number)<<3), v)
}

func (m message) piece(text string, score float32, kind uint64) message {
	p := message{}.bytes(1, []byte(text))
	p = binary.LittleEndian.AppendUint32(append(p, 2<<3|5), math.Float32bits(score))
	return m.bytes(1, p.int(3, kind))
}

// pieces is a file of the given type with <unk>, <s>, </s>, a, b and ab.
func pieces(modelType uint64) message {
	return message{}.piece("<unk>", 0, 2).piece("<s>", 0, 3).piece("</s>", 0, 3).piece("a", -2, 1).piece("b", -3, 1).piece("ab", -1, 1).
		bytes(2, message{}.int(3, modelType)).bytes(3, message{}.int(4, 0))
}

func TestSentencePieceRefused(t *testing.T) {
	if tok, err := tokenizer.ParseSentencePiece(pieces(2), nil); err != nil || tok.Size() != 6 {
		t.Fatalf("the file that the others are made of: %v", err)
	}
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "no pieces"},
		{"text", []byte(`{"model": 1}`), "not a protocol buffer"},
		{"cut", pieces(2)[:40], "not a protocol buffer, or cut short"},
		{"length beyond the end", append(pieces(2), 1<<3|2, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F), "cut short"},
		{"word model", pieces(3), "trainer_spec.model_type: 3"},
		{"table of characters", pieces(2).bytes(3, message{}.bytes(1, []byte("nmt_nfkc")).bytes(2, make([]byte, 99))), `precompiled_charsmap: the 99 bytes of "nmt_nfkc"`},
		{"extra white space", pieces(2).bytes(3, message{}.int(4, 1)), "remove_extra_whitespaces"},
		{"no escape", pieces(2).bytes(3, message{}.int(5, 0)), "escape_whitespaces"},
		{"suffix", pieces(2).bytes(2, message{}.int(24, 1)), "treat_whitespace_as_suffix"},
		{"unknown outside", pieces(2).bytes(2, message{}.int(40, 6)), "unk_id: 6 is outside the vocabulary of 6 pieces"},
		{"no unknown", pieces(2).bytes(2, message{}.int(40, 1<<64-1)), "unk_id: -1"},
		{"BOS outside", pieces(2).bytes(2, message{}.int(41, 100)), "bos_id: 100 is outside"},
		{"NaN", pieces(2).piece("c", float32(math.NaN()), 1), `pieces[6]: "c" has the score NaN`},
		{"infinity", pieces(1).piece("c", float32(math.Inf(-1)), 1), `"c" has the score -Inf`},
		{"twice", pieces(2).piece("ab", 0, 1), `"ab" has both id 5 and id 6`},
		{"no text", pieces(2).piece("", 0, 1), `pieces[6]: "" is not a text`},
		{"not UTF-8", pieces(2).piece("\xff", 0, 1), `"\xff" is not a text`},
		{"unused", pieces(2).piece("c", 0, 5), `"c" is of type 5 (unused)`},
		{"unknown type", pieces(2).piece("c", 0, 9), `"c" has the type 9`},
		{"long piece", pieces(2).piece(strings.Repeat("x", 2000), 0, 1), "2000 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := tokenizer.ParseSentencePiece(c.file, nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// FuzzSentencePiece feeds arbitrary tokenizer.model files: they are refused or give a tokenizer that survives use.
func FuzzSentencePiece(f *testing.F) {
	f.Add([]byte(pieces(1)), []byte(`{"legacy":false}`), " ab b\u00e9")
	f.Add([]byte(pieces(2)), []byte(nil), "abab<s>a")
	for _, name := range []string{"bpe", "defined", "unigram", "bytes-off"} {
		data, err := os.ReadFile(filepath.Join("testdata", "sentencepiece", name+".model"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, []byte(`{"add_eos_token":true}`), "the 47+85=132 \u00e9\n")
	}
	f.Fuzz(func(t *testing.T, file, config []byte, text string) {
		if json.Valid(config) == (len(config) == 0) {
			config = nil
		}
		tok, err := tokenizer.ParseSentencePiece(file, config)
		if err != nil || !utf8.ValidString(text) {
			return
		}
		got, err := tok.Encode(text, true)
		if err != nil {
			t.Fatal(err) // there is always an unknown token
		}
		if _, err := tok.Decode(got.IDs, true); err != nil {
			t.Fatal(err)
		}
		for i, x := range got.Offsets {
			if x[0] < 0 || x[0] > x[1] || x[1] > len(text) {
				t.Fatalf("token %d %q has offsets %v in %q", i, got.Tokens[i], x, text)
			}
		}
	})
}

// TestSentencePieceFamily checks the family llama2 from its tokenizer.model: all that its tokenizer.json gives, offsets and decodings
// included.
func TestSentencePieceFamily(t *testing.T) {
	from, dir := filepath.Join("testdata", "llama2"), t.TempDir()
	for _, name := range []string{"tokenizer.model", "tokenizer_config.json", "vectors.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(readText(t, filepath.Join(from, name))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	checkFamily(t, dir, true)
}
