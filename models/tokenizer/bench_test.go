package tokenizer_test

import (
	"os"
	"strings"
	"testing"

	"orrery/models/modeltest"
	"orrery/models/tokenizer"
)

// prose returns about n bytes of English and arithmetic in which words come back as in natural text.
func prose(n int) string {
	words := strings.Fields("the quick brown fox jumps over a lazy dog while twelve researchers measured how interpretability of small " +
		"transformers changes; she said it's 47 + 85 = 132, isn't it? Mechanistic understanding helps (sometimes) and residual streams carry " +
		"features: naïve café Größe 3.14159 http://example.org/path?x=1 \"quoted\" --flag under_score CamelCase")
	var b strings.Builder
	state := uint32(1)
	for b.Len() < n {
		state = state*1664525 + 1013904223
		w := words[state>>16%uint32(len(words))]
		if state>>8%11 == 0 { // a word of its own now and then
			w += words[state>>20%uint32(len(words))]
		}
		b.WriteString(w)
		switch state >> 4 % 17 {
		case 0:
			b.WriteString("\n")
		case 1:
			b.WriteString(".  ")
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func parseFile(tb testing.TB, path string) *tokenizer.Tokenizer {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	tok, err := tokenizer.Parse(data, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return tok
}

func BenchmarkEncode(b *testing.B) {
	text := prose(1 << 20)
	for _, f := range []struct{ name, path, text string }{
		{"gpt2-50k", modeltest.Reference(b, "tokenizers", "gpt2-tokenizer.json"), text},
		{"neox-50k", modeltest.Reference(b, "tokenizers", "gpt-neox-20B_tokenizer.json"), text},
		{"llama3", "testdata/llama3/tokenizer.json", text},
		{"llama2", "testdata/llama2/tokenizer.json", text},
		{"wordlevel", "testdata/wordlevel/tokenizer.json", text},
		{"gpt2-50k-one-word", modeltest.Reference(b, "tokenizers", "gpt2-tokenizer.json"), strings.Repeat("interpretability", 1<<16)},
	} {
		b.Run(f.name, func(b *testing.B) {
			tok := parseFile(b, f.path)
			b.SetBytes(int64(len(f.text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tok.Encode(f.text, true); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	data, err := os.ReadFile(modeltest.Reference(b, "tokenizers", "gpt2-tokenizer.json"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tokenizer.Parse(data, nil); err != nil {
			b.Fatal(err)
		}
	}
}
