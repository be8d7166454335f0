package ablate_test

import (
	"os"
	"testing"

	"orrery/models/modeltest"
)

// TestMain holds the package to the reference's values of its methods: every one
// is compared, or stands here with the reason why not.
func TestMain(m *testing.M) {
	os.Exit(modeltest.Account{
		Files: []string{"causal/m*/0[1-8]_*.safetensors", "causal/metrics/*.safetensors"},
		Excused: map[string]string{
			"causal/*/05_paths.safetensors#tl_direct_path.raw.*":    "TransformerLens leaves out the norm's weights on a model that is not folded; ours has them, and folded.* is compared",
			"causal/*/07_knockouts.safetensors#noise.sequence_loss": "a trace reads the last token; the noised logits there are compared, and this loss without noise",
		},
	}.Run(m))
}
