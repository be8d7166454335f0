package viz

// Badge is an invariant that was checked on this very result.
type Badge struct {
	// Text is short: "last layer = logits".
	Text string `json:"text"`
	// OK is false when the invariant does not hold; the badge is then red.
	OK bool `json:"ok"`
	// Value is the measured difference and Bound what it must not exceed.
	Value float64 `json:"value"`
	Bound float64 `json:"bound"`
	// Help says in a sentence what was compared.
	Help string `json:"help"`
}

// Provenance says what made a figure.
type Provenance struct {
	// Model is the model's name and Hash the sha256 of its weights.
	Model string `json:"model,omitempty"`
	Hash  string `json:"hash,omitempty"`
	// Analysis is the analysis' name and Version its version.
	Analysis string `json:"analysis,omitempty"`
	Version  int    `json:"version,omitempty"`
	// Params holds the analysis' parameters as they were used, defaults included.
	Params map[string]any `json:"params,omitempty"`
	// Prompts says how the prompts came about: how many were tried, how often the
	// model is right before and after the filter, what was dropped and why.
	Prompts string `json:"prompts,omitempty"`
	// PromptIDs holds the token ids of each prompt.
	PromptIDs [][]int `json:"prompt_ids,omitempty"`
	// Basis says which weights: "raw" is the checkpoint as it is.
	Basis string `json:"basis,omitempty"`
	// Seed is the seed of all sampling, nil where nothing was sampled.
	Seed *uint64 `json:"seed,omitempty"`
	// Program is the version of Orrery, Kernel the path that computed ("fma", "go").
	Program string `json:"program,omitempty"`
	Kernel  string `json:"kernel,omitempty"`
	// Resumed says what was kept from a run of the same call that was cut short; empty
	// where all was computed in one go. The numbers are the same in either case, what
	// caption and badges say of the cost is not.
	Resumed string `json:"resumed,omitempty"`
	// Tolerance is by how much a number may differ when the figure is made
	// again, as a share of the largest finite magnitude of its array: on another
	// processor sums may round differently. 0 is DefaultTolerance. See Compare.
	Tolerance float64 `json:"tolerance,omitempty"`
}
