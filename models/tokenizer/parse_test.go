package tokenizer_test

import (
	"strings"
	"testing"

	"orrery/models/tokenizer"
)

// TestRefused lists files that must not be read, and what the error must name.
func TestRefused(t *testing.T) {
	model := `"model":{"type":"WordLevel","vocab":{"a":0,"b":1},"unk_token":"a"}`
	bpe := func(more string) string { return `{"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2}` + more + `}}` }
	deep := strings.Repeat(`{"type":"Sequence","normalizers":[`, 20) + `{"type":"NFC"}` + strings.Repeat(`]}`, 20)
	many := `{"type":"Sequence","decoders":[` + strings.Repeat(`{"type":"Fuse"},`, 100) + `{"type":"Fuse"}]}`
	for _, c := range []struct{ name, file, want string }{
		{"empty", ``, `line 1, column 0: unexpected end of JSON input`},
		{"cut short", "{\n\"version\": \"1.0\",\n\"model\": {", `line 3, column 10: unexpected end of JSON input`},
		{"not JSON", "{\n  oops}", `line 2, column 3: invalid character 'o'`},
		{"wrong kind", `{"version": "1.0", "added_tokens": {}}`, `line 1, column 36`},
		{"no model", `{}`, `no "model"`},
		{"version", `{"version":"2.0",` + model + `}`, `version "2.0" is not known`},
		{"model type", `{"model":{"type":"WordPiece","vocab":{}}}`, `model: type "WordPiece" is not implemented; implemented are BPE, Unigram, WordLevel`},
		{"no vocabulary", `{"model":{"type":"WordLevel","vocab":{}}}`, `model.vocab: 0 tokens`},
		{"list vocabulary", `{"model":{"type":"BPE","vocab":[]}}`, `model.vocab: json`},
		{"same id", `{"model":{"type":"WordLevel","vocab":{"a":0,"b":0}}}`, `"a" and "b" have the same id 0`},
		{"negative id", `{"model":{"type":"WordLevel","vocab":{"a":-1}}}`, `"a" has id -1`},
		{"huge id", `{"model":{"type":"WordLevel","vocab":{"a":1000000000}}}`, `"a" has id 1000000000; in a vocabulary of 1 tokens ids from 0 to 65537`},
		{"dropout", bpe(`,"merges":[],"dropout":0.1`), `model.dropout: 0.1 is not implemented`},
		{"prefix", bpe(`,"merges":[],"continuing_subword_prefix":"##"`), `model.continuing_subword_prefix: "##" is not implemented`},
		{"suffix", bpe(`,"merges":[],"end_of_word_suffix":"</w>"`), `model.end_of_word_suffix: "</w>" is not implemented`},
		{"unknown token", bpe(`,"merges":[],"unk_token":"?"`), `model.unk_token: "?" is not in model.vocab`},
		{"merge of three", bpe(`,"merges":["a b b"]`), `merge "a b b" is not two tokens`},
		{"merge of one", bpe(`,"merges":[["a"]]`), `merge ["a"] is not two tokens`},
		{"merge of a number", bpe(`,"merges":[7]`), `model`},
		{"merge without result", bpe(`,"merges":["a b",["b","a"]]`), `model.merges[1]: "ba" of the merge "b" with "a" is not in model.vocab`},
		{"unigram twice", `{"model":{"type":"Unigram","vocab":[["a",0],["a",1]]}}`, `"a" has both id 0 and id 1`},
		{"unigram unknown", `{"model":{"type":"Unigram","unk_id":3,"vocab":[["a",0]]}}`, `model.unk_id: 3 is outside the vocabulary of 1 tokens`},
		{"normalizer", `{"normalizer":{"type":"Precompiled"},` + model + `}`, `normalizer: normalizer "Precompiled" is not implemented; implemented are Sequence, NFC`},
		{"untyped normalizer", `{"normalizer":{},` + model + `}`, `normalizer without a "type"`},
		{"replace by pattern", `{"normalizer":{"type":"Replace","pattern":{"Regex":" {2,}"},"content":""},` + model + `}`, `regular expression " {2,}" is not implemented`},
		{"replace nothing", `{"normalizer":{"type":"Replace","pattern":{"String":""},"content":"x"},` + model + `}`, `Replace needs a pattern`},
		{"replace by much", `{"normalizer":{"type":"Replace","pattern":{"String":"a"},"content":"12345678901234567"},` + model + `}`, `Replace of 1 bytes by 17`},
		{"replace again and again", `{"normalizer":{"type":"Sequence","normalizers":[` + strings.Repeat(`{"type":"Replace","pattern":{"String":"a"},"content":"aa"},`, 9) + `{"type":"NFC"}]},` + model + `}`, `normalizer: the replacements may make a text more than 16 times as long`},
		{"decode by much", `{"decoder":{"type":"Sequence","decoders":[` + strings.Repeat(`{"type":"Replace","pattern":{"String":"a"},"content":"aa"},`, 9) + `{"type":"Fuse"}]},` + model + `}`, `decoder: the replacements may make`},
		{"prepend much", `{"normalizer":{"type":"Prepend","prepend":"` + strings.Repeat("x", 100) + `"},` + model + `}`, `Prepend of 100 bytes`},
		{"metaspace twice", `{"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Metaspace","replacement":"_"},{"type":"Metaspace","replacement":"-"}]},` + model + `}`, `pre_tokenizer.pretokenizers[1]: a second Metaspace`},
		{"many steps", `{"pre_tokenizer":{"type":"Sequence","pretokenizers":[` + strings.Repeat(`{"type":"Sequence","pretokenizers":[{"type":"Digits"},{"type":"Digits"}]},`, 40) + `{"type":"Digits"}]},` + model + `}`, `more than 64 pre-tokenizers`},
		{"deep", `{"normalizer":` + deep + `,` + model + `}`, `nested more than 8 deep`},
		{"many", `{"decoder":` + many + `,` + model + `}`, `decoder.decoders: 101 parts; at most 64`},
		{"pre-tokenizer", `{"pre_tokenizer":{"type":"UnicodeScripts"},` + model + `}`, `pre-tokenizer "UnicodeScripts" is not implemented`},
		{"pattern", `{"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"[0-9]+x"},"behavior":"Isolated"}]},` + model + `}`, `pre_tokenizer.pretokenizers[0]: the pattern "[0-9]+x" is not implemented; implemented are those of GPT-2`},
		{"no pattern", `{"pre_tokenizer":{"type":"Split","behavior":"Isolated"},` + model + `}`, `Split without a pattern`},
		{"behavior", `{"pre_tokenizer":{"type":"Punctuation","behavior":"Dropped"},` + model + `}`, `behavior "Dropped" is none of Removed`},
		{"no behavior", `{"pre_tokenizer":{"type":"Split","pattern":{"String":" "}},` + model + `}`, `Split without a behavior`},
		{"bytes first", `{"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"ByteLevel"},{"type":"Whitespace"}]},` + model + `}`, `pre_tokenizer.pretokenizers[1]: Whitespace after ByteLevel is not implemented`},
		{"delimiter", `{"pre_tokenizer":{"type":"CharDelimiterSplit","delimiter":"ab"},` + model + `}`, `delimiter "ab" is not one character`},
		{"replacement", `{"pre_tokenizer":{"type":"Metaspace","replacement":""},` + model + `}`, `replacement "" is not one character`},
		{"scheme", `{"pre_tokenizer":{"type":"Metaspace","replacement":"_","prepend_scheme":"maybe"},` + model + `}`, `prepend_scheme "maybe" is none of`},
		{"post-processor", `{"post_processor":{"type":"BertProcessing"},` + model + `}`, `post-processor "BertProcessing" is not implemented`},
		{"template of two", `{"post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"B"}}]},` + model + `}`, `post_processor.single[0]: neither a special token nor the text A`},
		{"template without text", `{"post_processor":{"type":"TemplateProcessing","single":[]},` + model + `}`, `the text A stands there 0 times`},
		{"template token", `{"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}},{"Sequence":{"id":"A"}}]},` + model + `}`, `special token "x" has no usable entry`},
		{"template id", `{"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}},{"Sequence":{"id":"A"}}],"special_tokens":{"x":{"ids":[9]}}},` + model + `}`, `"x" has id 9, which is not in the vocabulary`},
		{"decoder", `{"decoder":{"type":"WordPiece"},` + model + `}`, `decoder "WordPiece" is not implemented`},
		{"strip", `{"decoder":{"type":"Strip","content":"ab","start":1},` + model + `}`, `Strip needs one character`},
		{"added id", `{"added_tokens":[{"id":1,"content":"a"}],` + model + `}`, `added_tokens[0]: "a" has id 1, but id 0 above`},
		{"added over another", `{"added_tokens":[{"id":1,"content":"c"}],` + model + `}`, `added_tokens[0]: "c" has id 1, which is "b"`},
		{"added too long", `{"added_tokens":[{"id":2,"content":"` + strings.Repeat("x", 2000) + `"}],` + model + `}`, `added_tokens[0]: token of 2000 bytes; at most 1024`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := tokenizer.Parse([]byte(c.file), nil)
			if err == nil || !strings.HasPrefix(err.Error(), "tokenizer.json: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestStripDecoder covers both ends; the library panics on tokens shorter than what it is to cut.
func TestStripDecoder(t *testing.T) {
	tok := mustParse(t, `{"decoder":{"type":"Strip","content":"_","start":2,"stop":1},"model":{"type":"WordLevel","vocab":{"___a__":0,"_":1,"___":2}}}`)
	for id, want := range []string{"_a_", "", ""} {
		if got, err := tok.Decode([]int{id}, false); err != nil || got != want {
			t.Errorf("token %d decodes to %q, %v; want %q", id, got, err, want)
		}
	}
	if got := tok.Label(1); got != "_" {
		t.Errorf("label %q, want the vocabulary's string", got)
	}
}
