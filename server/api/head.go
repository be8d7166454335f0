package api

// HeadCard is GET
// /api/notebooks/ID/cells/CELL/outputs/OUTPUT/head?panel=P&row=R&column=C&prompt=N:
// what the attention head behind one cell of a figure (see viz.HeadCells) reads
// and writes in the runs of one of the figure's prompts. It is computed when it
// is asked for, by one run a prompt, and kept nowhere.
//
// The model is the one of the figure's hash: a variable of the notebook, or one
// that the server can open by the figure's name for it. Where there is none the
// answer is an error of code "unsupported", whose hint says what to run.
type HeadCard struct {
	Layer int `json:"layer"`
	Head  int `json:"head"`
	// Query is the position that reads, and behind whose token the logits stand
	// that are written to.
	Query int `json:"query"`
	// Prompt is which of the figure's prompts, or pairs, Runs are of, from 0.
	Prompt int `json:"prompt"`
	// Answer and Other are the tokens whose logits are compared: the top tokens of
	// both runs at the last position, or the two best of the first.
	Answer Token `json:"answer"`
	Other  Token `json:"other"`
	// Runs holds the run of a single prompt, or both of a pair.
	Runs []HeadRun `json:"runs"`
	// Readers are the inputs behind the head that read most of what it writes, the
	// best MLP among them, the largest score first; Chance is about what an input at
	// random scores. They are of the weights, the same in every run.
	Readers []HeadReader `json:"readers"`
	Chance  float64      `json:"chance"`
}

// HeadReader is an input behind a head.
type HeadReader struct {
	Layer int `json:"layer"`
	// Head is absent for the layer's MLP.
	Head *int `json:"head,omitempty"`
	// Input is "Q", "K", "V" or "MLP".
	Input string `json:"input"`
	// Score is the composition score |W_OV·W_x| / (|W_OV|·|W_x|), 0 to 1.
	Score float64 `json:"score"`
}

// HeadDirect is GET
// /api/notebooks/ID/cells/CELL/outputs/OUTPUT/head/direct?panel=P&row=R&column=C:
// what the attention head behind one cell writes directly, over all of the
// figure's prompts, as HeadCard has it of one of them. The cost is a run of each.
type HeadDirect struct {
	// N is how many prompts, or pairs of them, there are.
	N int `json:"n"`
	// Runs are in the order of those of the card.
	Runs []HeadMean `json:"runs"`
}

// HeadMean is a mean over prompts.
type HeadMean struct {
	Name string `json:"name"`
	// Direct is the mean of HeadRun's, SEM its standard error over prompts, absent
	// where there is one prompt; Difference is the mean of HeadRun's.
	Direct     float64  `json:"direct"`
	SEM        *float64 `json:"sem,omitempty"`
	Difference float64  `json:"difference"`
}

// HeadRun is a head in one run.
type HeadRun struct {
	// Name is the run's: "clean run".
	Name   string  `json:"name"`
	Tokens []Token `json:"tokens"`
	// Pattern is the attention of every query (row) to every key, row-major, as
	// base64 of little-endian float32; absent for a prompt of more than 64 tokens.
	Pattern string `json:"pattern,omitempty"`
	// Reads are the keys that Query attends to most, the largest first.
	Reads []HeadKey `json:"reads"`
	// Promoted and Demoted are the tokens whose logits at Query the head's output
	// raises and lowers most on the direct path, against the mean of all tokens.
	Promoted []TokenLogit `json:"promoted"`
	Demoted  []TokenLogit `json:"demoted"`
	// Direct is what the output adds to the logit of Answer less that of Other on
	// the direct path, and Difference that difference itself; both absent where
	// Query is not the last position, from which alone a direct path leads there.
	Direct     *float64 `json:"direct,omitempty"`
	Difference *float64 `json:"difference,omitempty"`
}

// HeadKey is a position that is attended to.
type HeadKey struct {
	Position  int     `json:"position"`
	Attention float64 `json:"attention"`
}

// TokenLogit is what is added to a token's logit.
type TokenLogit struct {
	Token Token   `json:"token"`
	Logit float64 `json:"logit"`
}
