package viz

import "fmt"

// Kind says what a Figure draws; exactly the field of Figure with the same
// name is set.
type Kind string

// The kinds of figure.
const (
	KindTokens  Kind = "tokens"
	KindHeatmap Kind = "heatmap"
	KindLines   Kind = "lines"
	KindTable   Kind = "table"
)

// Kinds lists every kind, in the order of the reference page.
var Kinds = [...]Kind{KindTokens, KindHeatmap, KindLines, KindTable}

// Figure is a plot as data: a tagged union on Kind over a pool of named
// arrays. The browser draws it and makes it explorable; Render draws the same
// value to SVG, PNG and PDF; WriteCSV, WriteJSON and WriteNPZ write its numbers.
//
// Numbers never stand in the kind's own struct: they stand in Arrays and
// Texts and are referred to by name, so that a stream can fill them in (Part)
// and every export can walk them.
type Figure struct {
	// Kind selects which of Tokens, Heatmap, Lines and Table is set.
	Kind Kind `json:"kind"`
	// Title is the figure's name in a few words, "Logit lens".
	Title string `json:"title"`
	// Subtitle says what colour or height means, with its unit.
	Subtitle string `json:"subtitle"`
	// Caption is a sentence with the main numbers, shown under the figure;
	// empty while it is not known.
	Caption string `json:"caption,omitempty"`

	Tokens  *Tokens  `json:"tokens,omitempty"`
	Heatmap *Heatmap `json:"heatmap,omitempty"`
	Lines   *Lines   `json:"lines,omitempty"`
	Table   *Table   `json:"table,omitempty"`

	// Arrays holds every number of the figure by name.
	Arrays map[string]*Array `json:"arrays"`
	// Texts holds every list of strings of the figure by name.
	Texts map[string]*Text `json:"texts,omitempty"`
	// Scales holds the colour and axis scales that the kind refers to by name.
	Scales map[string]Scale `json:"scales,omitempty"`

	// Badges are invariants that were checked, with the measured difference.
	Badges []Badge `json:"badges,omitempty"`
	// Provenance says what made the figure, enough to make it again.
	Provenance Provenance `json:"provenance"`
}

// Axis is one axis of cells: a name and a label for each index.
type Axis struct {
	// Name is what the axis counts, "layer" or "position".
	Name string `json:"name"`
	// Labels holds one label an index, in index order.
	Labels []string `json:"labels"`
	// Roles holds one role an index (see TokenRole) where the axis is a
	// prompt's tokens; empty otherwise. A token axis is drawn as chips.
	Roles []TokenRole `json:"roles,omitempty"`
	// IDs holds the token ids where the axis is a prompt's tokens.
	IDs []int `json:"ids,omitempty"`
}

// TokenRole is a token's part in its prompt, which tints its chip.
type TokenRole string

// The roles of tokens.
const (
	RoleNone     TokenRole = ""
	RoleBOS      TokenRole = "bos"
	RoleOperandA TokenRole = "a"
	RoleOperator TokenRole = "op"
	RoleOperandB TokenRole = "b"
	RoleEquals   TokenRole = "eq"
	RoleAnswer   TokenRole = "answer"
)

// ScaleKind says how a value becomes a colour or a height.
type ScaleKind string

// The kinds of scale.
const (
	// ScaleSequential runs from Lo (paper) to Hi (ink) in one hue.
	ScaleSequential ScaleKind = "sequential"
	// ScaleDiverging is centred at exactly 0; Lo = -Hi.
	ScaleDiverging ScaleKind = "diverging"
	// ScaleLog is sequential in the logarithm; Lo > 0.
	ScaleLog ScaleKind = "log"
	// ScaleLinear is an axis of positions, not of colours.
	ScaleLinear ScaleKind = "linear"
)

// Scale maps values to colours or positions. Limits are in the unit of the
// value and are always written on the colour bar.
type Scale struct {
	Kind ScaleKind `json:"kind"`
	// Lo and Hi are the limits; a value outside them is clipped and its cell
	// marked.
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
	// Label says what the value is, "probability".
	Label string `json:"label"`
	// Unit is the value's unit, "nats"; empty for a pure number.
	Unit string `json:"unit,omitempty"`
	// Reverse makes low values dark, as for ranks, where 1 is best.
	Reverse bool `json:"reverse,omitempty"`
	// Format is a C-like number format for cells and hover: "%.2f", "%.0f", "%.2e".
	Format string `json:"format"`
}

// Tokens is a grid of tokens over rows (layers) and columns (positions), one
// metric of several colouring it. The reader switches metrics; nothing is
// computed again.
type Tokens struct {
	// Rows run from the bottom of the picture to the top, "embed" first.
	Rows Axis `json:"rows"`
	// Columns are the prompt's tokens.
	Columns Axis `json:"columns"`
	// Cell names the text, shape [rows, columns], written in the cells.
	Cell string `json:"cell"`
	// TopTokens names the text of shape [rows, columns, k] with the k best
	// tokens, best first, and TopValues the array of their probabilities.
	TopTokens string `json:"top_tokens"`
	TopValues string `json:"top_values"`
	// Metrics lists what may colour the cells; the first is shown first.
	Metrics []TokenMetric `json:"metrics"`
	// Show is the name of the metric that is shown first and exported.
	Show string `json:"show"`
	// Focus is the column that is framed, usually the last; -1 for none.
	Focus int `json:"focus"`
	// Target holds, a column, the token whose probability, logit and rank
	// are meant; the reader sees it on hover.
	Target []string `json:"target"`
}

// TokenMetric is one way to colour a token grid.
type TokenMetric struct {
	// Name is short and stable: "prob", "logit", "rank", "entropy", "kl", "logprob_diff".
	Name string `json:"name"`
	// Label is what the switch shows: "KL to final".
	Label string `json:"label"`
	// Help says in a sentence what is drawn, with its unit and formula.
	Help string `json:"help"`
	// Values names the array [rows, columns].
	Values string `json:"values"`
	// Scale names the scale.
	Scale string `json:"scale"`
}

// Heatmap is one or more panels of cells that share one scale.
type Heatmap struct {
	Panels []Panel `json:"panels"`
	// Scale names the scale of all panels.
	Scale string `json:"scale"`
}

// Panel is one grid of a heatmap.
type Panel struct {
	// Title is the panel's name, "MLP output".
	Title string `json:"title"`
	// Rows run from the bottom to the top, layer 0 first.
	Rows    Axis `json:"rows"`
	Columns Axis `json:"columns"`
	// Values names the array [rows, columns].
	Values string `json:"values"`
	// Errors names the array of standard errors [rows, columns]; empty for none.
	Errors string `json:"errors,omitempty"`
}

// Lines is a set of lines over one x axis.
type Lines struct {
	// X names the array [n] of x values.
	X string `json:"x"`
	// XScale and YScale name scales; a log scale has a log axis.
	XScale string   `json:"x_scale"`
	YScale string   `json:"y_scale"`
	Series []Series `json:"series"`
	// XLabels, if not empty, are drawn at the x values instead of numbers.
	XLabels []string `json:"x_labels,omitempty"`
}

// Series is one line.
type Series struct {
	Name string `json:"name"`
	// Y names the array [n].
	Y string `json:"y"`
	// Errors names the array of standard errors [n], drawn as a band.
	Errors string `json:"errors,omitempty"`
	// Control marks a control or baseline, drawn in grey and dashed.
	Control bool `json:"control,omitempty"`
}

// Table is rows of text and numbers.
type Table struct {
	Columns []Column `json:"columns"`
	// Rows is the number of rows.
	Rows int `json:"rows"`
}

// Column is one column of a table: either numbers or text.
type Column struct {
	Name string `json:"name"`
	Unit string `json:"unit,omitempty"`
	// Values names an array [rows]; Text names a text [rows]. One is set.
	Values string `json:"values,omitempty"`
	Text   string `json:"text,omitempty"`
	Format string `json:"format,omitempty"`
}

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
	// PromptIDs holds the token ids of each prompt.
	PromptIDs [][]int `json:"prompt_ids,omitempty"`
	// Basis says which weights: "raw" is the checkpoint as it is.
	Basis string `json:"basis,omitempty"`
	// Seed is the seed of all sampling, nil where nothing was sampled.
	Seed *uint64 `json:"seed,omitempty"`
	// Program is the version of Orrery, Kernel the path that computed ("fma", "go").
	Program string `json:"program,omitempty"`
	Kernel  string `json:"kernel,omitempty"`
}

// Validate reports the first inconsistency: a kind without its struct, a
// name that is not in the pool, a shape that does not fit its axes, a
// diverging scale that is not centred at 0, limits in the wrong order.
func (f *Figure) Validate() error {
	check := validators[f.Kind]
	if check == nil {
		return fmt.Errorf("figure %q: unknown kind %q (kinds are %v)", f.Title, f.Kind, Kinds)
	}
	if err := f.checkPool(); err != nil {
		return fmt.Errorf("figure %q: %w", f.Title, err)
	}
	if err := check(f); err != nil {
		return fmt.Errorf("figure %q: %w", f.Title, err)
	}
	return nil
}
