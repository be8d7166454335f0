package train

import (
	"encoding/json"
	"strconv"
)

// Sizes of the mental arithmetic task.
const (
	mentalOperands = 100                  // a and b are 0..99
	mentalAnswers  = 2*mentalOperands - 1 // 0..198
)

// mental2op is addition and subtraction of two numbers below 100. Each number
// is one token, so each operand sits at a position of its own and the answer
// has to be put together at the last position, behind "=". Differences below 0
// are left out: a − b with a ≥ b only.
func mental2op() Task {
	t := Task{
		Name:   "mental-2op",
		Data:   `"<bos> a + b =" and "<bos> a - b =" for all a and b in 0..99 whose result is at least 0; each number is one token, the answer is the next token`,
		Split:  "by pairs of operands without order: a held-out pair is held out for both operators and in both orders",
		Tokens: []string{"<bos>", "+", "-", "="},
	}
	const bos, plus, minus, equals, zero = 0, 1, 2, 3, 4
	for n := range mentalAnswers {
		t.Tokens = append(t.Tokens, strconv.Itoa(n))
	}
	for a := range mentalOperands {
		for b := range mentalOperands {
			pair := min(a, b)*mentalOperands + max(a, b)
			t.Examples = append(t.Examples, Example{IDs: []int{bos, zero + a, plus, zero + b, equals}, Answer: zero + a + b, Group: pair})
			if a >= b {
				t.Examples = append(t.Examples, Example{IDs: []int{bos, zero + a, minus, zero + b, equals}, Answer: zero + a - b, Group: pair})
			}
		}
	}
	t.Tokenizer = wordTokenizer(t.Tokens, t.Tokens[bos])
	return t
}

// wordTokenizer spells a tokenizer.json of whole words: text is cut at white
// space and around each punctuation mark, every piece must be in the
// vocabulary, and the template puts bos in front. The spelling is that of
// Hugging Face's tokenizers, which reads the file too; unk_token is required
// there, and as it names no word of the vocabulary an unknown piece is an error.
func wordTokenizer(words []string, bos string) []byte {
	type object = map[string]any
	vocab := make(map[string]int, len(words))
	for id, w := range words {
		vocab[w] = id
	}
	sequence := func(id string) object { return object{"Sequence": object{"id": id, "type_id": 0}} }
	start := object{"SpecialToken": object{"id": bos, "type_id": 0}}
	text, err := json.MarshalIndent(object{
		"version":    "1.0",
		"truncation": nil,
		"padding":    nil,
		"added_tokens": []object{{
			"id": vocab[bos], "content": bos, "single_word": false, "lstrip": false,
			"rstrip": false, "normalized": false, "special": true,
		}},
		"normalizer": nil,
		"pre_tokenizer": object{"type": "Sequence", "pretokenizers": []object{
			{"type": "WhitespaceSplit"},
			{"type": "Punctuation", "behavior": "Isolated"},
		}},
		"post_processor": object{
			"type":   "TemplateProcessing",
			"single": []object{start, sequence("A")},
			"pair":   []object{start, sequence("A"), sequence("B")},
			"special_tokens": object{bos: object{
				"id": bos, "ids": []int{vocab[bos]}, "tokens": []string{bos},
			}},
		},
		"decoder": nil,
		"model":   object{"type": "WordLevel", "vocab": vocab, "unk_token": "<unk>"},
	}, "", " ")
	if err != nil {
		panic(err) // maps of strings and numbers always marshal
	}
	return append(text, '\n')
}
