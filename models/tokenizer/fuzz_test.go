package tokenizer_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"orrery/models/tokenizer"
)

// FuzzParse feeds arbitrary files: they are refused or give a tokenizer that survives use.
func FuzzParse(f *testing.F) {
	f.Add([]byte(calculator()), "1 + 2 é")
	for _, name := range []string{"gpt2", "llama2", "llama3", "wordlevel"} {
		data, err := os.ReadFile(filepath.Join("testdata", name, "tokenizer.json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "a<s>b 12\n")
	}
	for _, part := range []string{
		`"normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Strip","strip_left":true},{"type":"Prepend","prepend":"a"}]}`,
		`"pre_tokenizer":{"type":"Metaspace","replacement":"_"},"decoder":{"type":"Metaspace","replacement":"_"}`,
		`"pre_tokenizer":{"type":"Split","pattern":{"String":""},"behavior":"MergedWithNext","invert":true}`,
		`"decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1}]}`,
		`"post_processor":{"type":"ByteLevel","trim_offsets":true},"added_tokens":[{"id":9,"content":"b","lstrip":true,"rstrip":true}]`,
	} {
		f.Add([]byte(`{`+part+`,"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2," ":3,"_":4},"merges":[["a","b"]],"unk_token":"_"}}`), " ab  b")
		f.Add([]byte(`{`+part+`,"model":{"type":"Unigram","vocab":[["a",-1],["ab",-3]],"unk_id":0,"byte_fallback":true}}`), " ab  b")
	}
	f.Fuzz(func(t *testing.T, file []byte, text string) {
		tok, err := tokenizer.Parse(file, file)
		if err != nil {
			return
		}
		got, err := tok.Encode(text, true)
		if err == nil {
			if len(got.IDs) != len(got.Tokens) || len(got.IDs) != len(got.Offsets) {
				t.Fatalf("%d ids, %d tokens, %d offsets", len(got.IDs), len(got.Tokens), len(got.Offsets))
			}
			for i, x := range got.Offsets {
				if x[0] < 0 || x[0] > x[1] || x[1] > len(text) {
					t.Fatalf("token %d %q has offsets %v in %q", i, got.Tokens[i], x, text)
				}
			}
			if _, err := tok.Decode(got.IDs, true); err != nil {
				t.Fatal(err)
			}
		}
		tok.Nearest(text, 3)
		for id := -1; id <= min(tok.Size(), 50); id++ {
			if tok.Label(id) == "" {
				t.Fatalf("empty label of id %d", id)
			}
		}
	})
}

// FuzzRoundTrip checks that byte-level BPE loses nothing: decoding gives the text back, and offsets advance over all of it.
func FuzzRoundTrip(f *testing.F) {
	var toks []*tokenizer.Tokenizer
	for _, name := range []string{"gpt2", "llama3"} {
		toks = append(toks, load(f, filepath.Join("testdata", name)))
	}
	for _, text := range []string{"", "47 + 85 = 132", "don't  STOP'Ll \n\n x", "e\u0301 中文 🙂 \u200d", "<|endoftext|> <|eot_id|>", "'ſ\u00a0 \t1234567"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, tok := range toks {
			got, err := tok.Encode(text, false)
			if !utf8.ValidString(text) {
				if err == nil {
					t.Fatalf("%q is not UTF-8 and was encoded", text)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if again, err := tok.Encode(text, false); err != nil || !slices.Equal(again.IDs, got.IDs) { // from what is remembered
				t.Fatalf("%q is %v, then %v, %v", text, got.IDs, again.IDs, err)
			}
			if back, err := tok.Decode(got.IDs, false); err != nil || back != text {
				t.Fatalf("%q comes back as %q, %v", text, back, err)
			}
			end := 0
			for i, x := range got.Offsets {
				if x[0] > end || x[1] < end {
					t.Fatalf("%q: token %d has offsets %v after %d", text, i, x, end)
				}
				end = x[1]
			}
			if end != len(text) {
				t.Fatalf("%q: offsets end at %d", text, end)
			}
		}
	})
}

// FuzzPiecesRoundTrip checks that SentencePiece models with byte tokens lose nothing but what they write themselves: a ▁ comes back as
// a space, and behind an added token legacy models put one.
func FuzzPiecesRoundTrip(f *testing.F) {
	var toks []*tokenizer.Tokenizer
	for _, name := range []string{"bpe", "defined", "unigram"} {
		toks = append(toks, parseFile(f, filepath.Join("testdata", "sentencepiece", name+".model")))
	}
	for _, text := range []string{"", " ", "  a", "47 + 85 = 132", "don't  STOP \n\n x", "e\u0301 中文 🙂 \u200d", "sum  sum", "\u00a0 \t1234567", "the the"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || strings.ContainsAny(text, "<▁") {
			return
		}
		for i, tok := range toks {
			got, err := tok.Encode(text, false)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := tok.Decode(got.IDs, false); err != nil || back != text {
				t.Fatalf("model %d: %q comes back as %q, %v", i, text, back, err)
			}
			again, err := tok.Encode(text, false) // from what is remembered
			if err != nil || !slices.Equal(again.IDs, got.IDs) || !slices.Equal(again.Offsets, got.Offsets) {
				t.Fatalf("model %d: %q is %v, then %v, %v", i, text, got.IDs, again.IDs, err)
			}
		}
	})
}
