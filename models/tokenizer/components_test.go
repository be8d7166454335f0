package tokenizer_test

import (
	"encoding/json"
	"os"
	"slices"
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
