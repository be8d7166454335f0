package train

import "encoding/json"

// wordTokenizer spells a tokenizer.json of whole words: text is cut at white
// space and around each punctuation mark, every piece must be in the
// vocabulary, and the template puts bos in front, or nothing where it is empty.
// With digits each digit is a piece of its own.
// The spelling is that of Hugging Face's tokenizers, which reads the file too;
// unk_token is required there, and as it names no word of the vocabulary an
// unknown piece is an error.
func wordTokenizer(words []string, bos string, digits bool) []byte {
	type object = map[string]any
	vocab := make(map[string]int, len(words))
	for id, w := range words {
		vocab[w] = id
	}
	file := object{
		"version":      "1.0",
		"truncation":   nil,
		"padding":      nil,
		"added_tokens": []object{},
		"normalizer":   nil,
		"pre_tokenizer": object{"type": "Sequence", "pretokenizers": []object{
			{"type": "WhitespaceSplit"},
			{"type": "Punctuation", "behavior": "Isolated"},
		}},
		"post_processor": nil,
		"decoder":        nil,
		"model":          object{"type": "WordLevel", "vocab": vocab, "unk_token": "<unk>"},
	}
	if digits {
		pre := file["pre_tokenizer"].(object)
		pre["pretokenizers"] = append(pre["pretokenizers"].([]object), object{"type": "Digits", "individual_digits": true})
	}
	if bos != "" {
		sequence := func(id string) object { return object{"Sequence": object{"id": id, "type_id": 0}} }
		start := object{"SpecialToken": object{"id": bos, "type_id": 0}}
		file["added_tokens"] = []object{{
			"id": vocab[bos], "content": bos, "single_word": false, "lstrip": false,
			"rstrip": false, "normalized": false, "special": true,
		}}
		file["post_processor"] = object{
			"type":   "TemplateProcessing",
			"single": []object{start, sequence("A")},
			"pair":   []object{start, sequence("A"), sequence("B")},
			"special_tokens": object{bos: object{
				"id": bos, "ids": []int{vocab[bos]}, "tokens": []string{bos},
			}},
		}
	}
	text, err := json.MarshalIndent(file, "", " ")
	if err != nil {
		panic(err) // maps of strings and numbers always marshal
	}
	return append(text, '\n')
}
