package models_test

import (
	"os"
	"testing"

	"orrery/models/modeltest"
)

// TestMain holds the package to the reference's values of forward passes: every
// one is compared, or stands here with the reason why not.
func TestMain(m *testing.M) {
	os.Exit(modeltest.Account{
		Files: []string{
			"causal/m*/00_forward.safetensors", "causal/m*/09_dla.safetensors",
			"nanosort/partials.safetensors", "tiny-random-gpt2/model.json", "stories260k/hf/golden.json",
		},
		Excused: map[string]string{
			"causal/*/09_dla.safetensors#raw.logit_attrs.*": "TransformerLens leaves the norm's gain out on a model that is not folded; definition.* and folded.* are compared",
			"stories260k/hf/golden.json#logit_lens.*":       "package probe compares the lens",
			"stories260k/hf/golden.json#tokenizer.cases*":   "package tokenizer compares them",
			"stories260k/hf/golden.json#measured.*":         "what its maker measured of its own two programs",
			"stories260k/hf/golden.json#tokenizer.[fn]*":    "a note, and the maker's count of differences: none",
			"stories260k/hf/golden.json#greedy.[bnt]*":      "says how the ids were made",
			"stories260k/hf/golden.json#tolerance.*":        "stands in the test",
			"stories260k/hf/golden.json#what":               "says what the file is",
			"tiny-random-gpt2/model.json#config.*":          "stands in the test as config.json",
			"tiny-random-gpt2/model.json#tensors.*":         "shapes of the weights, which loading checks",
			"tiny-random-gpt2/model.json#expected.[st]*":    "says where the numbers are from and how close; the test is stricter",
			"tiny-random-gpt2/model.json#l*":                "layout and licence",
			"tiny-random-gpt2/model.json#source":            "says where the file is from",
		},
	}.Run(m))
}
