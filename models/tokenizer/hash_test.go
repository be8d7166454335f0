package tokenizer_test

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"orrery/models/tokenizer"
)

// TestHash holds that a tokenizer's hash is that of all files that it is read from,
// and of no other.
func TestHash(t *testing.T) {
	words, err := os.ReadFile("../zoo/mental-2op/tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	others, err := os.ReadFile("../zoo/mental-3op/tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	gpt2 := fstest.MapFS{}
	dir := gpt2Files(t, filepath.Join("testdata", "gpt2", "tokenizer.json"), map[string]any{"tokenizer_class": "GPT2Tokenizer"})
	for _, name := range []string{"vocab.json", "merges.txt", "added_tokens.json", "tokenizer_config.json"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		gpt2[name] = &fstest.MapFile{Data: data}
	}
	hash := func(files fstest.MapFS) string {
		t.Helper()
		tok, err := tokenizer.LoadFS(files)
		if err != nil {
			t.Fatal(err)
		}
		return tok.Hash()
	}
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	with := func(files fstest.MapFS, name, text string) fstest.MapFS {
		changed := maps.Clone(files)
		changed[name] = file(text)
		return changed
	}
	plain := fstest.MapFS{"tokenizer.json": {Data: words}}
	if hash(plain) != hash(with(plain, "README.md", "words")) {
		t.Error("a file that is not read changes the hash")
	}
	seen := map[string]string{}
	for name, files := range map[string]fstest.MapFS{
		"tokenizer.json":                    plain,
		"another":                           {"tokenizer.json": {Data: others}},
		"with a space more":                 with(plain, "tokenizer.json", string(words)+" "),
		"with a configuration":              with(plain, "tokenizer_config.json", "{}"),
		"with another":                      with(plain, "tokenizer_config.json", "{ }"),
		"with special tokens":               with(plain, "special_tokens_map.json", "{}"),
		"GPT-2's files":                     gpt2,
		"with a comment among the merges":   with(gpt2, "merges.txt", string(gpt2["merges.txt"].Data)+"\n"),
		"with a space in the vocabulary":    with(gpt2, "vocab.json", string(gpt2["vocab.json"].Data)+" "),
		"with a space in the added tokens":  with(gpt2, "added_tokens.json", string(gpt2["added_tokens.json"].Data)+" "),
		"with a space in the configuration": with(gpt2, "tokenizer_config.json", string(gpt2["tokenizer_config.json"].Data)+" "),
	} {
		got := hash(files)
		if other, taken := seen[got]; taken || len(got) != 64 {
			t.Errorf("%s has the hash of %q: %q", name, other, got)
		}
		seen[got] = name
	}
	a, err := tokenizer.Parse(words, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := tokenizer.Parse(words, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if a.Hash() == b.Hash() || a.Hash() == "" {
		t.Errorf("hashes %q and %q of one file with two configurations", a.Hash(), b.Hash())
	}
}
