package tokenizer_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"orrery/models/modeltest"
	"orrery/models/tokenizer"
)

// draws is a small generator of numbers, the same on every machine.
type draws uint32

func (d *draws) below(n int) int {
	*d = *d*1664525 + 1013904223
	return int(uint32(*d) >> 8 % uint32(n))
}

// prose returns about n bytes of English and arithmetic in which words come back as in natural text.
func prose(n int) string {
	words := strings.Fields("the quick brown fox jumps over a lazy dog while twelve researchers measured how interpretability of small " +
		"transformers changes; she said it's 47 + 85 = 132, isn't it? Mechanistic understanding helps (sometimes) and residual streams carry " +
		"features: naïve café Größe 3.14159 http://example.org/path?x=1 \"quoted\" --flag under_score CamelCase")
	var b strings.Builder
	d := draws(1)
	for b.Len() < n {
		w := words[d.below(len(words))]
		if d.below(11) == 0 { // a word of its own now and then
			w += words[d.below(len(words))]
		}
		b.WriteString(w)
		switch d.below(17) {
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

// sums returns about n bytes of arithmetic, as our prompts are: few numbers come back.
func sums(n int) string {
	var b strings.Builder
	d := draws(1)
	for b.Len() < n {
		x, y := d.below(10_000), d.below(10_000)
		fmt.Fprintf(&b, "%d + %d = %d\n", x, y, x+y)
	}
	return b.String()
}

// hanzi returns about n bytes of Chinese characters, which no spaces part.
func hanzi(n int) string {
	var b strings.Builder
	d := draws(1)
	for b.Len() < n {
		for range 5 + d.below(25) {
			b.WriteRune(rune(0x4E00 + d.below(3000)))
		}
		b.WriteString("，")
	}
	return b.String()
}

// lines returns about n bytes of base64 in lines, as of a file in a mail.
func lines(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var b strings.Builder
	d := draws(1)
	for b.Len() < n {
		for range 76 {
			b.WriteByte(letters[d.below(len(letters))])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func parseFile(tb testing.TB, path string) *tokenizer.Tokenizer {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	parse := tokenizer.Parse
	if filepath.Ext(path) == ".model" {
		parse = tokenizer.ParseSentencePiece
	}
	tok, err := parse(data, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return tok
}

// BenchmarkEncode encodes a megabyte on one core: published vocabularies of 50,000 tokens, then the families' small ones, which
// give three times as many tokens.
func BenchmarkEncode(b *testing.B) {
	texts := []struct{ name, text string }{{"prose", prose(1 << 20)}, {"sums", sums(1 << 20)}, {"hanzi", hanzi(1 << 20)}, {"lines", lines(1 << 20)}}
	vocabularies := []struct{ name, path string }{
		{"gpt2-50k", modeltest.Reference(b, "tokenizers", "gpt2-tokenizer.json")},
		{"neox-50k", modeltest.Reference(b, "tokenizers", "gpt-neox-20B_tokenizer.json")},
		{"llama2-32k", modeltest.Reference(b, "tokenizers", "llama2-tokenizer.model")},
	}
	for _, family := range families {
		vocabularies = append(vocabularies, struct{ name, path string }{family, modeltest.Reference(b, "tokenizers", "families", family, "tokenizer.json")})
	}
	run := func(name string, tok *tokenizer.Tokenizer, text string) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tok.Encode(text, true); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, v := range vocabularies {
		tok := parseFile(b, v.path)
		for _, x := range texts {
			run(v.name+"/"+x.name, tok, x.text)
		}
	}
	run("gpt2-50k/one-word", parseFile(b, vocabularies[0].path), strings.Repeat("interpretability", 1<<16))
}

func BenchmarkDecode(b *testing.B) {
	text := prose(1 << 20)
	for _, family := range []string{"gpt2", "llama2", "t5"} {
		tok := parseFile(b, modeltest.Reference(b, "tokenizers", "families", family, "tokenizer.json"))
		enc, err := tok.Encode(text, false)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(family, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tok.Decode(enc.IDs, true); err != nil {
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
