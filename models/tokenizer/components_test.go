package tokenizer_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"orrery/models/tokenizer"
)

// TestComponents compares parts and settings one by one with the library; ORRERY_TOKENIZER_COMPONENTS may name a longer file of
// testdata/make_components.py.
func TestComponents(t *testing.T) {
	path := "testdata/components.json"
	if longer := os.Getenv("ORRERY_TOKENIZER_COMPONENTS"); longer != "" {
		path = longer
	}
	var list []struct {
		Name      string          `json:"name"`
		Tokenizer json.RawMessage `json:"tokenizer"`
		Cases     []struct {
			Text    string   `json:"text"`
			Tokens  []string `json:"tokens"`
			IDs     []int    `json:"ids"`
			Offsets [][2]int `json:"offsets"`
			Decoded *string  `json:"decoded"`
		} `json:"cases"`
	}
	readJSON(t, path, &list)
	if len(list) < 60 {
		t.Fatalf("%d tokenizers in %s", len(list), path)
	}
	for _, x := range list {
		t.Run(x.Name, func(t *testing.T) {
			tok, err := tokenizer.Parse(x.Tokenizer, nil)
			if err != nil {
				t.Fatal(err)
			}
			bad := 0
			for _, c := range x.Cases {
				got, err := tok.Encode(c.Text, true)
				if err != nil {
					t.Fatalf("%+q: %v", c.Text, err)
				}
				same := slices.Equal(got.IDs, c.IDs) && slices.Equal(got.Tokens, c.Tokens)
				if c.Offsets != nil {
					same = same && slices.Equal(got.Offsets, c.Offsets)
				}
				if !same {
					if bad++; bad <= 3 {
						t.Errorf("%+q\n got %+q %v %v\nwant %+q %v %v", c.Text, got.Tokens, got.IDs, got.Offsets, c.Tokens, c.IDs, c.Offsets)
					}
				}
				if c.Decoded == nil {
					continue
				}
				if decoded, err := tok.Decode(c.IDs, false); err != nil || decoded != *c.Decoded {
					t.Errorf("%+q decoded\n got %+q, %v\nwant %+q", c.Text, decoded, err, *c.Decoded)
				}
			}
			if bad > 3 {
				t.Errorf("%d of %d differ", bad, len(x.Cases))
			}
		})
	}
}

// TestWhiteSpaceTakenAgain has added tokens that take the white space beside them, in texts that are nothing else: a token finds the
// next one in what it took, as in the library, as long as that is not too much.
func TestWhiteSpaceTakenAgain(t *testing.T) {
	for _, side := range []string{"lstrip", "rstrip"} {
		tok, err := tokenizer.Parse([]byte(`{"added_tokens":[{"id":1,"content":" ","`+side+`":true}],"model":{"type":"BPE","vocab":{"a":0," ":1},"merges":[]}}`), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tok.Encode(strings.Repeat(" ", 100)+"a", false)
		if err != nil || len(got.IDs) != 101 {
			t.Fatalf("%s: %d ids, %v", side, len(got.IDs), err)
		}
		for i, x := range got.Offsets[:100] {
			if want := map[string][2]int{"lstrip": {i, i + 1}, "rstrip": {i, 100}}[side]; x != want {
				t.Errorf("%s: token %d stands for %v, want %v", side, i, x, want)
			}
		}
		_, err = tok.Encode(strings.Repeat(" ", 500_000)+"a", false)
		if refused := err != nil && strings.Contains(err.Error(), `added tokens such as " " take more than 1048576 bytes again`); refused != (side == "rstrip") {
			t.Errorf("%s: %v", side, err)
		}
	}
}
