package models_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tokenizer"
)

// numbered is a tokenizer.json of n words, w0 w1 and so on.
func numbered(n int) []byte {
	vocab := make([]string, n)
	for i := range vocab {
		vocab[i] = fmt.Sprintf(`"w%d":%d`, i, i)
	}
	return []byte(`{"pre_tokenizer":{"type":"WhitespaceSplit"},"model":{"type":"WordLevel","vocab":{` + strings.Join(vocab, ",") + `}}}`)
}

// TestVocabulariesThatDiffer has a tokenizer with fewer ids than the model, as
// padded embeddings make it, and one with more, of which those that the model
// has still serve.
func TestVocabulariesThatDiffer(t *testing.T) {
	m := modeltest.GPT2(1)
	vocab := m.Config.Vocab
	load := func(n int) *models.Model {
		dir := filepath.Join(t.TempDir(), "m")
		if err := m.Save(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "tokenizer.json"), numbered(n), 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := models.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	few, many := load(vocab-3), load(vocab+3)
	for _, m := range []*models.Model{few, many} {
		if ids, err := m.Encode("w0 w2"); err != nil || !slices.Equal(ids, []int{0, 2}) {
			t.Errorf("encoded as %v, %v", ids, err)
		}
	}
	_, err := many.Encode(fmt.Sprintf("w1 w%d", vocab))
	mustSay(t, err, fmt.Sprintf(`token "w%d" has id %d`, vocab, vocab), fmt.Sprintf("end at %d", vocab-1), fmt.Sprintf("has %d", vocab+3))
	_, err = few.Encode(fmt.Sprintf("w%d", vocab-1))
	mustSay(t, err, fmt.Sprintf(`"w%d"`, vocab-1), "not in the vocabulary")
	_, err = few.Tokenizer.Decode([]int{0, vocab - 1}, false)
	mustSay(t, err, fmt.Sprintf("id %d at position 1", vocab-1), fmt.Sprintf("(0 to %d)", vocab-4))
	if label := few.Tokenizer.Label(vocab - 1); label != fmt.Sprintf("<%d>", vocab-1) {
		t.Errorf("an id without a token is shown as %q", label)
	}
}

// TestModelsWithPieces loads a model whose tokenizer is a tokenizer.model, and
// keeps it when the model is saved.
func TestModelsWithPieces(t *testing.T) {
	pieces, err := os.ReadFile(filepath.Join("tokenizer", "testdata", "sentencepiece", "bpe.model"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "m")
	if err := modeltest.GPT2(1).Save(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tokenizer.model"), pieces, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := models.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "again")
	if err := m.Save(again); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(again)
	if err != nil || m.Tokenizer == nil || tok.Size() != m.Tokenizer.Size() || tok.Size() < 400 {
		t.Errorf("the tokenizer did not come along: %v", err)
	}
}

// FuzzIDs feeds prompts as ids: a run of those in the vocabulary, an error of
// any other that names its bound.
func FuzzIDs(f *testing.F) {
	f.Add(int64(1), int64(2), int64(10), 3)
	f.Add(int64(-1), int64(0), int64(1<<40), 0)
	f.Add(int64(11), int64(-1<<63), int64(12), 1000)
	m := modeltest.GPT2(1)
	f.Fuzz(func(t *testing.T, a, b, c int64, n int) {
		ids := []int{int(a), int(b), int(c)}
		for range min(max(n, 0), 64) {
			ids = append(ids, ids[len(ids)-3])
		}
		out, err := m.Run(t.Context(), models.Prompt(ids...))
		bad := slices.ContainsFunc(ids, func(id int) bool { return id < 0 || id >= m.Config.Vocab }) || len(ids) > m.Config.Context
		if (err != nil) != bad {
			t.Fatalf("ids %v: %v", ids, err)
		}
		if err == nil && out.Logits.Len() != len(ids)*m.Config.Vocab {
			t.Fatalf("ids %v give logits %v", ids, out.Logits.Shape)
		}
		if err != nil && !strings.Contains(err.Error(), fmt.Sprint(m.Config.Vocab-1)) && !strings.Contains(err.Error(), fmt.Sprint(m.Config.Context)) {
			t.Fatalf("ids %v: the error names no bound: %v", ids, err)
		}
	})
}
