package tokenizer_test

import (
	"slices"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"orrery/models/tokenizer"
)

// FuzzGPT2Files feeds the files of GPT-2's own format: they are refused, or give a tokenizer whose ids are of its vocabulary, stand for
// stretches of the text and can be decoded.
func FuzzGPT2Files(f *testing.F) {
	f.Add([]byte(`{"a":0,"b":1,"ab":2,"\u0120":3,"<|endoftext|>":4}`), []byte("#version: 0.2\na b\n"), []byte(`{"<x>":5}`), []byte(`{"add_bos_token":true,"bos_token":"<x>"}`), "ab a<x>")
	f.Add([]byte(`{"a":0,"b":1}`), []byte("a b"), []byte(`{"a":9223372036854775807}`), []byte(`{"added_tokens_decoder":{"1e3":{"content":"q"},"-1":{"content":"r"}}}`), "a")
	f.Add([]byte(`{"a":-1}`), []byte("a  b\r\n\n a\nab"), []byte(`[]`), []byte(`{"tokenizer_class":"BertTokenizer"}`), "")
	f.Add([]byte(`{"a":0,"a":1}`), []byte("\x00 \xff"), []byte(`null`), []byte(`{"eos_token":{"content":null},"unk_token":7}`), "\u2028")
	f.Add([]byte(`{"a":0,"x":9}`), []byte(""), []byte(`{}`), []byte(`{"added_tokens_decoder":{"5":{"content":"q"},"4":{"content":"q"},"3":{"content":"q"},"2":{"content":"q"},"1":{"content":"q"}}}`), "aq")
	f.Fuzz(func(t *testing.T, vocab, merges, added, config []byte, text string) {
		dir := fstest.MapFS{
			"vocab.json": {Data: vocab}, "merges.txt": {Data: merges}, "added_tokens.json": {Data: added}, "tokenizer_config.json": {Data: config},
		}
		tok, err := tokenizer.LoadFS(dir)
		twin, again := tokenizer.LoadFS(dir)
		if (err == nil) != (again == nil) {
			t.Fatalf("loaded once and refused once: %v, %v", err, again)
		}
		if err != nil {
			return
		}
		got, err := tok.Encode(text, true)
		if !utf8.ValidString(text) && err == nil {
			t.Fatalf("%q is not UTF-8 and was encoded", text)
		}
		if err != nil {
			return
		}
		if other, err := twin.Encode(text, true); err != nil || !slices.Equal(other.IDs, got.IDs) {
			t.Fatalf("%q is %v and, loaded once more, %v, %v", text, got.IDs, other.IDs, err)
		}
		for i, x := range got.Offsets {
			if x[0] < 0 || x[0] > x[1] || x[1] > len(text) {
				t.Fatalf("token %d %q has offsets %v in %q", i, got.Tokens[i], x, text)
			}
			if id := got.IDs[i]; id < 0 || id >= tok.Size() || tok.Label(id) == "" {
				t.Fatalf("token %d has the id %d of %d, labelled %q", i, id, tok.Size(), tok.Label(id))
			}
		}
		if _, err := tok.Decode(got.IDs, false); err != nil {
			t.Fatal(err)
		}
	})
}
