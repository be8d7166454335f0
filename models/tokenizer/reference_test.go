package tokenizer_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"orrery/models/modeltest"
	"orrery/models/tokenizer"
)

// vectors is a family's vectors.json: what the tokenizers library 0.23.3 answers.
type vectors struct {
	VocabSize     int      `json:"vocab_size"`
	SingleDecoded []string `json:"single_decoded"`
	DecodeOnly    []struct {
		IDs         []int  `json:"ids"`
		Decoded     string `json:"decoded"`
		DecodedSkip string `json:"decoded_skip"`
	} `json:"decode_only"`
	Vectors []struct {
		Name               string   `json:"name"`
		Text               string   `json:"text"`
		IDs                []int    `json:"ids"`
		IDsSpecial         []int    `json:"ids_special"`
		Tokens             []string `json:"tokens"`
		ByteOffsets        [][2]int `json:"byte_offsets"`
		Decoded            string   `json:"decoded"`
		DecodedSkip        string   `json:"decoded_skip"`
		DecodedSpecial     string   `json:"decoded_special"`
		DecodedSpecialSkip string   `json:"decoded_special_skip"`
	} `json:"vectors"`
}

func readJSON(t testing.TB, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func load(t testing.TB, dir string) *tokenizer.Tokenizer {
	t.Helper()
	tok, err := tokenizer.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// checkFamily compares everything that a family's vectors hold. keepsSpecial says that the library does not skip this family's
// special tokens, which ours does: what it skips is not compared.
func checkFamily(t *testing.T, dir string, keepsSpecial bool) {
	tok := load(t, dir)
	var v vectors
	readJSON(t, filepath.Join(dir, "vectors.json"), &v)
	if tok.Size() != v.VocabSize {
		t.Errorf("size %d, want %d", tok.Size(), v.VocabSize)
	}
	if len(v.Vectors) == 0 || len(v.SingleDecoded) != v.VocabSize {
		t.Fatalf("vectors.json holds %d vectors and %d labels of %d", len(v.Vectors), len(v.SingleDecoded), v.VocabSize)
	}
	bad := 0
	differ := func(name, text, what string, got, want any) {
		t.Helper()
		if bad++; bad <= 12 {
			t.Errorf("%s %+q: %s\n got %+q\nwant %+q", name, text, what, got, want)
		}
	}
	decode := func(name, text, what string, ids []int, skip bool, want string) {
		t.Helper()
		if got, err := tok.Decode(ids, skip); err != nil || got != want {
			differ(name, text, what, got, want)
		}
	}
	for _, x := range v.Vectors {
		got, err := tok.Encode(x.Text, false)
		if err != nil {
			differ(x.Name, x.Text, "error", err.Error(), "")
			continue
		}
		if !slices.Equal(got.IDs, x.IDs) {
			differ(x.Name, x.Text, "tokens", got.Tokens, x.Tokens)
		} else if !slices.Equal(got.Offsets, x.ByteOffsets) {
			differ(x.Name, x.Text, "offsets", got.Offsets, x.ByteOffsets)
		} else if !slices.Equal(got.Tokens, x.Tokens) {
			differ(x.Name, x.Text, "token strings", got.Tokens, x.Tokens)
		}
		if special, err := tok.Encode(x.Text, true); err != nil || !slices.Equal(special.IDs, x.IDsSpecial) {
			differ(x.Name, x.Text, "ids with special tokens", special.Tokens, x.IDsSpecial)
		}
		decode(x.Name, x.Text, "decoded", x.IDs, false, x.Decoded)
		decode(x.Name, x.Text, "decoded special", x.IDsSpecial, false, x.DecodedSpecial)
		if !keepsSpecial || !slices.ContainsFunc(x.IDsSpecial, tok.IsSpecial) {
			decode(x.Name, x.Text, "decoded special, skipping", x.IDsSpecial, true, x.DecodedSpecialSkip)
		}
		if !keepsSpecial || !slices.ContainsFunc(x.IDs, tok.IsSpecial) {
			decode(x.Name, x.Text, "decoded, skipping", x.IDs, true, x.DecodedSkip)
		}
	}
	for _, x := range v.DecodeOnly {
		decode("decode only", "", "decoded", x.IDs, false, x.Decoded)
		if !keepsSpecial || !slices.ContainsFunc(x.IDs, tok.IsSpecial) {
			decode("decode only", "", "decoded, skipping", x.IDs, true, x.DecodedSkip)
		}
	}
	for id, want := range v.SingleDecoded {
		if want == "" {
			want, _ = tok.Token(id)
		}
		if got := tok.Label(id); got != want {
			differ("label", "", "label", got, want)
		}
	}
	if bad > 12 {
		t.Errorf("and %d differences more", bad-12)
	}
}

func TestFamilies(t *testing.T) {
	for _, family := range []string{"gpt2", "llama2", "llama3", "wordlevel"} {
		t.Run(family, func(t *testing.T) { checkFamily(t, filepath.Join("testdata", family), family == "llama2") })
	}
}

// families are the folders of the reference.
var families = []string{
	"bloom", "characters", "digits-r2l", "digits-split", "dolma", "gemma", "gpt-neox", "gpt2", "gptj", "llama2", "llama2-metaspace",
	"llama3", "mistral", "olmo2", "opt", "phi", "phi3", "qwen2", "t5", "wordlevel",
}

func TestReferenceFamilies(t *testing.T) {
	dir := modeltest.Reference(t, "tokenizers", "families")
	for _, family := range families {
		t.Run(family, func(t *testing.T) { checkFamily(t, filepath.Join(dir, family), family == "llama2") })
	}
}
