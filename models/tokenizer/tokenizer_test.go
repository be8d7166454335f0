package tokenizer_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"orrery/models/tokenizer"
)

// calculator is a tokenizer.json as our own models have it: the numbers 0 to 99 and signs, each one token, <bos> in front.
func calculator() string {
	vocab := []string{`"<pad>":0`, `"<bos>":1`, `"<eos>":2`, `"+":3`, `"-":4`, `"=":5`}
	for n := range 100 {
		vocab = append(vocab, fmt.Sprintf(`"%d":%d`, n, n+6))
	}
	return `{"version":"1.0","added_tokens":[` +
		`{"id":0,"content":"<pad>","special":true},{"id":1,"content":"<bos>","special":true},{"id":2,"content":"<eos>","special":true}],` +
		`"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Punctuation","behavior":"Isolated"}]},` +
		`"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<bos>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],` +
		`"special_tokens":{"<bos>":{"id":"<bos>","ids":[1],"tokens":["<bos>"]}}},` +
		`"model":{"type":"WordLevel","vocab":{` + strings.Join(vocab, ",") + `}}}`
}

func mustParse(t testing.TB, file string) *tokenizer.Tokenizer {
	t.Helper()
	tok, err := tokenizer.Parse([]byte(file), nil)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestCalculator(t *testing.T) {
	tok := mustParse(t, calculator())
	got, err := tok.Encode("47 + 8=", true)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{1, 53, 3, 14, 5}; !slices.Equal(got.IDs, want) {
		t.Errorf("ids %v, want %v", got.IDs, want)
	}
	if want := [][2]int{{0, 0}, {0, 2}, {3, 4}, {5, 6}, {6, 7}}; !slices.Equal(got.Offsets, want) {
		t.Errorf("offsets %v, want %v", got.Offsets, want)
	}
	if text, err := tok.Decode(got.IDs, true); err != nil || text != "47 + 8 =" {
		t.Errorf("decoded %q, %v", text, err)
	}
	if tok.Size() != 106 {
		t.Errorf("size %d, want 106", tok.Size())
	}
	for _, role := range []struct {
		name string
		get  func() (int, bool)
		want int
	}{{"BOS", tok.BOS, 1}, {"EOS", tok.EOS, 2}, {"Pad", tok.Pad, 0}} {
		if id, ok := role.get(); !ok || id != role.want {
			t.Errorf("%s %d, %t, want %d", role.name, id, ok, role.want)
		}
	}
	if !tok.IsSpecial(1) || tok.IsSpecial(3) || tok.IsSpecial(-1) || tok.IsSpecial(106) {
		t.Error("special tokens are not 0 to 2")
	}
	if id, ok := tok.ID("47"); !ok || id != 53 {
		t.Errorf("ID(47) = %d, %t", id, ok)
	}
	if s, ok := tok.Token(53); !ok || s != "47" || tok.Label(53) != "47" {
		t.Errorf("token 53 is %q, %t, shown as %q", s, ok, tok.Label(53))
	}
	if s, ok := tok.Token(106); ok || tok.Label(106) != "<106>" {
		t.Errorf("token 106 is %q, shown as %q", s, tok.Label(106))
	}
	if _, err := tok.Decode([]int{5, 106}, false); err == nil || !strings.Contains(err.Error(), "id 106 at position 1 is not in the vocabulary (0 to 105)") {
		t.Errorf("decoding 106: %v", err)
	}
}

func TestRolesFromConfig(t *testing.T) {
	config := `{"bos_token":{"content":"+"},"eos_token":"-","pad_token":null}`
	tok, err := tokenizer.Parse([]byte(calculator()), []byte(config))
	if err != nil {
		t.Fatal(err)
	}
	bos, _ := tok.BOS()
	eos, _ := tok.EOS()
	pad, _ := tok.Pad()
	if bos != 3 || eos != 4 || pad != 0 {
		t.Errorf("bos %d, eos %d, pad %d; want 3, 4, 0", bos, eos, pad)
	}
}

func TestInexpressible(t *testing.T) {
	calc := mustParse(t, calculator())
	bytesOnly := mustParse(t, `{"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"model":{"type":"BPE","vocab":{"a":0,"Ġ":1},"merges":[]}}`)
	for _, c := range []struct {
		name, text string
		tok        *tokenizer.Tokenizer
		want       string
	}{
		{"number", "7 + 100 =", calc, `"100" at byte 4 is not in the vocabulary, which has the integers 0 to 99; nearest are "99", "98", "97"`},
		{"huge", "99999999999999999999999", calc, `"99999999999999999999999" at byte 0 is not in the vocabulary, which has the integers 0 to 99; nearest are "99", "98", "97"`},
		{"leading zero", "007", calc, `"007" at byte 0 is not in the vocabulary, which has the integers 0 to 99; nearest are "7", "6", "8"`},
		{"word", "é 1 <boss", calc, `"é" at byte 0 is not in the vocabulary`},
		{"character", "a aéa", bytesOnly, `"é" at byte 3 is not in the vocabulary`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.tok.Encode(c.text, true)
			var unknown *tokenizer.UnknownPieceError
			if !errors.As(err, &unknown) || err.Error() != c.want {
				t.Errorf("%v\n got %v\nwant %s", got.Tokens, err, c.want)
			}
		})
	}
	if _, err := calc.Encode("1 \xff", false); err == nil || !strings.Contains(err.Error(), "byte 2 is 0xFF") {
		t.Errorf("invalid UTF-8: %v", err)
	}
}

func TestNearest(t *testing.T) {
	words := mustParse(t, `{"model":{"type":"WordLevel","vocab":{"Paris":0,"Parma":1,"London":2,"pear":3,"":4,"12":5,"15":6,"-3":7}}}`)
	for _, c := range []struct {
		token string
		n     int
		want  []string
	}{
		{"Pariss", 2, []string{"Paris", "Parma"}},
		{"Lonndon", 1, []string{"London"}},
		{"Para", 1, []string{"Parma"}},
		{"13", 2, []string{"12", "15"}},
		{"-100", 1, []string{"-3"}},
		{"zzzz", 3, nil},
		{"Paris", 0, nil},
		{"", 3, nil},
	} {
		if got := words.Nearest(c.token, c.n); !slices.Equal(got, c.want) {
			t.Errorf("Nearest(%q, %d) = %q, want %q", c.token, c.n, got, c.want)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	write := func(name, text string) string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	if _, err := tokenizer.Load(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("empty directory: %v", err)
	}
	if _, err := tokenizer.Load(write("spiece.model", "x")); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "spiece.model alone is not read") {
		t.Errorf("another model: %v", err)
	}
	if _, err := tokenizer.Load(write("tokenizer.model", "x")); err == nil || !strings.Contains(err.Error(), "tokenizer.model: not a protocol buffer") {
		t.Errorf("broken SentencePiece model: %v", err)
	}
	if tok, err := tokenizer.Load(write("tokenizer.model", string(pieces(2)))); err != nil || tok.Size() != 6 {
		t.Errorf("SentencePiece model: %v", err)
	}
	dir := write("tokenizer.json", calculator())
	if err := os.WriteFile(filepath.Join(dir, "special_tokens_map.json"), []byte(`{"eos_token": "="}`), 0o644); err != nil {
		t.Fatal(err)
	}
	tok := load(t, dir)
	if eos, ok := tok.EOS(); !ok || eos != 5 {
		t.Errorf("EOS from special_tokens_map.json is %d, %t; want 5", eos, ok)
	}
	if err := os.WriteFile(filepath.Join(dir, "tokenizer_config.json"), []byte("{\n \"eos_token\": 5}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := tokenizer.Load(dir); err == nil || !strings.Contains(err.Error(), "tokenizer_config.json") {
		t.Errorf("broken config: %v", err)
	}
}

// TestConcurrent runs one tokenizer from many goroutines; it is for the race detector, and compares with a run alone.
func TestConcurrent(t *testing.T) {
	tok := load(t, filepath.Join("testdata", "gpt2"))
	text := prose(1 << 14)
	want, err := tok.Encode(text, true)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 5 {
				if got, err := tok.Encode(text, true); err != nil || !slices.Equal(got.IDs, want.IDs) {
					t.Errorf("%d ids, %v; want %d", len(got.IDs), err, len(want.IDs))
				}
			}
		})
	}
	group.Wait()
}

// TestLongPieces encodes what a merge loop or a backtracking pattern of quadratic cost would take minutes for.
func TestLongPieces(t *testing.T) {
	const size = 1 << 18
	for _, dir := range []string{"gpt2", "llama2", "llama3"} {
		tok := load(t, filepath.Join("testdata", dir))
		for _, unit := range []string{"a", "the", " ", "\n", "1", "é", "'", "▁", "<|", "1a", " \n", "Aʰ", "e\u0301"} {
			start := time.Now()
			text := strings.Repeat(unit, size/len(unit))
			got, err := tok.Encode(text, false)
			if err != nil {
				t.Fatalf("%s, %q repeated: %v", dir, unit, err)
			}
			if last := got.Offsets[len(got.Offsets)-1][1]; last != len(text) {
				t.Errorf("%s, %q repeated: tokens end at byte %d of %d", dir, unit, last, len(text))
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("%s, %q repeated: %v for a quarter of a megabyte", dir, unit, took)
			}
		}
	}
}
