package probe_test

import (
	"os"
	"testing"

	"orrery/models/modeltest"
)

// TestMain holds the package to the reference's values of its methods: every one
// is compared, or stands here with the reason why not.
func TestMain(m *testing.M) {
	const described = "says what the case is; the test makes it so"
	os.Exit(modeltest.Account{
		Files: []string{"probes/[01]*/*.safetensors", "probes/[01]*/*.json", "pizza/expected*.json", "pizza/gradsym*.json"},
		Copies: map[string]string{
			"linear.safetensors": "probes/07-linear/probes.safetensors", "linear.json": "probes/07-linear/probes.json",
			"toy.safetensors": "probes/05-lens/toy.safetensors", "toy.json": "probes/05-lens/toy.json",
		},
		Excused: map[string]string{
			"probes/*/*.json#arrays.*":    "shapes of the arrays",
			"probes/*/*.json#what*":       described,
			"probes/*/*.json#case":        described,
			"probes/*/*.json#model":       described,
			"probes/*/*.json#basis":       described,
			"probes/*/*.json#definition":  described,
			"probes/*/*.json#note":        described,
			"probes/*/*.json#tolerance*":  "stands in the tests",
			"probes/*/*.safetensors#in.*": "weights, read as a model",

			"pizza/expected*.json#[ms]o*":                          "says of what the numbers are and where they are from",
			"pizza/expected*.json#gradient_symmetricity_triples":   "names the file of triples, which is read",
			"probes/01-helix/*.json#expect.held_out.r2_about":      described,
			"probes/01-helix/*.json#null_r2_without_pca.formula":   "the formula is in the test",
			"probes/01-helix/*.json#recovery_max_abs":              "the maker's own error of recovery; the map is compared with the planted one",
			"probes/01-helix/neuron*.json#expect*.rank":            "of the basis of a, b and a+b, which pairs.json has too, and there it is compared",
			"probes/03-progress/*.json#subset":                     described,
			"probes/04-clock-pizza/*.json#circularity_variant*":    described,
			"probes/05-lens/*.json#config.*":                       "stands in the test",
			"probes/05-lens/*.json#smallest_gap*":                  "how close ranks are; near ties are weighed one by one",
			"probes/06-attention/toy.json#config.*":                "stands in the test",
			"probes/06-attention/toy.json#expect.trace_full_OV*":   "numerator of the copying score, which is compared",
			"probes/07-linear/*.json#folds":                        described,
			"probes/07-linear/*.json#expect.*.definition":          described,
			"probes/07-linear/*.json#expect.*.rule":                described,
			"probes/07-linear/*.json#expect.logistic.*gradient_*":  "how far the maker's own fit converged",
			"probes/07-linear/*.json#expect.pca.*":                 "of scikit-learn's randomized solver, which is another than ours",
			"probes/08-geometry/*.json#dadapy":                     "its version",
			"probes/08-geometry/*.json#expect.cosine.outlier*":     described,
			"probes/08-geometry/*.json#classes":                    described,
			"probes/09-digits/*.json#expect.null.distribution":     described,
			"probes/10-embeddings/fone.json#expect*.decode_table*": "what the published table reads off raw encodings, wrongly; ours reads them exactly",
		},
	}.Run(m))
}
