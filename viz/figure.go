package viz

// Kind says what a Figure draws; exactly the field of Figure with the same
// name is set.
type Kind string

// The kinds of figure.
const (
	KindTokens    Kind = "tokens"
	KindHeatmap   Kind = "heatmap"
	KindLines     Kind = "lines"
	KindTable     Kind = "table"
	KindScatter   Kind = "scatter"
	KindBars      Kind = "bars"
	KindDials     Kind = "dials"
	KindMultiples Kind = "multiples"
)

// Kinds lists every kind, in the order of the reference page.
var Kinds = [...]Kind{KindTokens, KindHeatmap, KindLines, KindTable, KindScatter, KindBars, KindDials, KindMultiples}

// Figure is a plot as data: a tagged union on Kind over a pool of named
// arrays. The browser draws it and makes it explorable; Render draws the same
// value to SVG, PNG and PDF; WriteCSV, WriteJSON and WriteNPZ write its numbers.
//
// Numbers never stand in the kind's own struct: they stand in Arrays and
// Texts and are referred to by name, so that a stream can fill them in (Part)
// and every export can walk them.
type Figure struct {
	// Kind selects which of the fields from Tokens to Multiples is set.
	Kind Kind `json:"kind"`
	// Title is the figure's name in a few words, "Logit lens".
	Title string `json:"title"`
	// Subtitle says what colour or height means, with its unit.
	Subtitle string `json:"subtitle"`
	// Caption is a sentence with the main numbers, shown under the figure;
	// empty while it is not known. Sentences that begin with "Prompts: ",
	// "Means: ", "Activations: ", "Effects: ", "Measured: " or "The N edited runs " say how
	// it was measured and stand after the others, smaller.
	Caption string `json:"caption,omitempty"`

	Tokens    *Tokens    `json:"tokens,omitempty"`
	Heatmap   *Heatmap   `json:"heatmap,omitempty"`
	Lines     *Lines     `json:"lines,omitempty"`
	Table     *Table     `json:"table,omitempty"`
	Scatter   *Scatter   `json:"scatter,omitempty"`
	Bars      *Bars      `json:"bars,omitempty"`
	Dials     *Dials     `json:"dials,omitempty"`
	Multiples *Multiples `json:"multiples,omitempty"`

	// Slider moves the figure through frames, such as training checkpoints.
	Slider *Slider `json:"slider,omitempty"`

	// Arrays holds every number of the figure by name.
	Arrays map[string]*Array `json:"arrays"`
	// Texts holds every list of strings of the figure by name.
	Texts map[string]*Text `json:"texts,omitempty"`
	// Scales holds the colour and axis scales that the kind refers to by name.
	Scales map[string]Scale `json:"scales,omitempty"`

	// Interval is the interval of 95 % of the means that have standard errors; nil
	// for one standard error down and up.
	Interval *Interval `json:"interval,omitempty"`

	// Badges are invariants that were checked, with the measured difference.
	Badges []Badge `json:"badges,omitempty"`
	// Provenance says what made the figure, enough to make it again.
	Provenance Provenance `json:"provenance"`

	// frames holds, in a figure that is one frame of another, the other's
	// arrays (see frame).
	frames map[string]*Array
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
	RoleOperandC TokenRole = "c"
	RoleEquals   TokenRole = "eq"
	RoleAnswer   TokenRole = "answer"
)

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
	// Panels, if not empty, are several grids abreast that share rows, metrics
	// and scales. Every array and text named above then has an axis of panels
	// before rows and columns, and Columns are those of the first panel.
	Panels []TokenPanel `json:"panels,omitempty"`
	// Sites holds, a row, the site whose values a cell of it stands for,
	// "blocks.3.hook_resid_post", where a cell can be moved into another run.
	Sites []string `json:"sites,omitempty"`
	// Patch says what was moved from one panel into another; nil where nothing can be.
	Patch *TokenPatch `json:"patch,omitempty"`
	// Lenses, if not empty, are several readings of the cells, the first of which is
	// shown and exported first; the reader switches them.
	Lenses []TokenLens `json:"lenses,omitempty"`
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
	// Each names the array [rows, columns, n] of what the mean is over, one number
	// a pair or prompt, in the metric's own unit; empty for none. It is exported
	// and not drawn.
	Each string `json:"each,omitempty"`
	// Sums draws the sum of each row's values in the margin.
	Sums bool `json:"sums,omitempty"`
	// Ring holds flat, row-major indices of cells that are ringed in brass: the
	// account that a search has chosen.
	Ring []int `json:"ring,omitempty"`
	// Frequency, above 0, says that rows and columns are the residues of their
	// number in order and that the cells follow a wave of so many turns: the
	// reader may sort both axes by phase, Frequency·i mod that number. Such a panel
	// has no Errors, Each or Ring.
	Frequency int `json:"frequency,omitempty"`
	// Open says how a cell's edited run is written as a call; nil where it cannot.
	Open *Opening `json:"open,omitempty"`
	// Heads says which attention head each cell is about; nil where cells are about none.
	Heads *HeadCells `json:"heads,omitempty"`
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
	// Rule says that x is the slider's axis, one point a frame: a rule with
	// the values stands at the present frame, what comes after it is faint,
	// and the slider's bands are drawn behind. X, Y and Errors are then whole
	// curves and not among the slider's arrays.
	Rule bool `json:"rule,omitempty"`
	// Guides are labelled lines across the plot, in the order of x.
	Guides []Guide `json:"guides,omitempty"`
	// Views, if not empty, are several pairs of axes for the same curves, the
	// first that of XScale and YScale; the reader switches them, and the label of
	// the one that is shown follows the subtitle.
	Views []LinesView `json:"views,omitempty"`
}

// Guide is a place on the x axis that curves are read at: a dashed line from its label
// over the plot down to the axis.
type Guide struct {
	X     float64 `json:"x"`
	Label string  `json:"label"`
}

// LinesView is one pair of axes. On a log axis of x, 0 stands at the lower end with
// a tick of its own and a break behind it.
type LinesView struct {
	// Name is short and stable, "loglog".
	Name string `json:"name"`
	// Label is what the switch shows: "log–log".
	Label string `json:"label"`
	// Help says in a sentence what is drawn.
	Help   string `json:"help"`
	XScale string `json:"x_scale"`
	YScale string `json:"y_scale"`
}

// Series is one line.
type Series struct {
	Name string `json:"name"`
	// Y names the array [n].
	Y string `json:"y"`
	// Errors names the array of standard errors [n]. What is drawn is the figure's
	// Interval: whiskers where points have marks, else a band.
	Errors string `json:"errors,omitempty"`
	// Each names the array [n, m] of the m numbers that each mean is over; empty
	// for none. It is exported and not drawn.
	Each string `json:"each,omitempty"`
	// Control marks a control or baseline, drawn in grey and dashed.
	Control bool `json:"control,omitempty"`
	// Kin says, in a figure of one method and its rivals, how near a rival is: it
	// takes the colour, and the place among the others gives dash and mark.
	Kin Kin `json:"kin,omitempty"`
}

// Kin is how near a line is to the method that a figure is about.
type Kin string

// The kinds of kin. Empty is the method itself, or a line of no such figure.
const (
	KinNear  Kin = "near"  // blue
	KinCrude Kin = "crude" // grey
)

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

// Scatter is n points in a plane or in space, one view of several placing
// them and one colouring of several colouring them. The reader switches both
// and turns what is in space by hand; nothing is computed again. A point with
// a coordinate that is not finite stands at the margin with the sign for such
// numbers, and the foot counts them.
type Scatter struct {
	// Views lists the ways to place the points, at least one.
	Views []ScatterView `json:"views"`
	// Show is the name of the view that is shown first and exported; empty is
	// the first.
	Show string `json:"show,omitempty"`
	// Colours lists what may colour the points; the first is shown first and
	// exported. Empty draws all in one colour.
	Colours []ScatterColour `json:"colours,omitempty"`
	// Labels names the text [n], written at the points where there is room
	// and shown on hover; empty for none.
	Labels string `json:"labels,omitempty"`
	// Backdrop names an array [n] that holds 1 at points which are only there
	// to be compared with, such as published runs: small, grey and behind the
	// others; 0 elsewhere. Empty for none.
	Backdrop string `json:"backdrop,omitempty"`
	// BackdropLabel says in the legend what they are, "published runs".
	BackdropLabel string `json:"backdrop_label,omitempty"`
	// Paths are lines through points.
	Paths []Path `json:"paths,omitempty"`
	// Turn is how a view in space is turned, as it is shown first and
	// exported, in degrees: azimuth within ±360 and elevation within ±90. Each
	// axis is stretched to -1 at its lower and 1 at its upper limit; with
	// azimuth a and elevation e a point (x, y, z) is seen at
	//
	//	right  x cos a - y sin a
	//	up     z cos e + (x sin a + y cos a) sin e
	//	near   z sin e - (x sin a + y cos a) cos e
	//
	// so that at 0, 0 the eye looks along y with x to the right and z upwards.
	Turn [2]float64 `json:"turn"`
}

// ScatterView is one way to place the points: a plane, or space when Z is set.
type ScatterView struct {
	// Name is short and stable, "pc", "period10".
	Name string `json:"name"`
	// Label is what the switch shows: "PC 1 to 3".
	Label string `json:"label"`
	// Help says in a sentence what is drawn, with its unit and formula.
	Help string `json:"help"`
	// X runs to the right and Y upwards; in space Z runs upwards and Turn
	// says where X and Y run.
	X Coordinate `json:"x"`
	Y Coordinate `json:"y"`
	// Z is left empty for a plane.
	Z Coordinate `json:"z,omitzero"`
}

// Coordinate is where points stand along one axis.
type Coordinate struct {
	// Values names the array [n].
	Values string `json:"values"`
	// Scale names a linear or log scale, whose label is the axis' name.
	Scale string `json:"scale"`
}

// ScatterColour is one way to colour points.
type ScatterColour struct {
	// Name is short and stable, "value", "last_digit".
	Name string `json:"name"`
	// Label is what the switch shows: "last digit".
	Label string `json:"label"`
	// Help says in a sentence what the colour means.
	Help string `json:"help"`
	// Values names the array [n]; a point with no finite value has the colour
	// of such numbers.
	Values string `json:"values"`
	// Scale names a scale of colours.
	Scale string `json:"scale"`
}

// Path is a line through points.
type Path struct {
	Name string `json:"name"`
	// Order names an array [k] of point indices 0 to n-1, joined in order. A
	// place that is not Done breaks the line.
	Order string `json:"order"`
	// Control marks a control or baseline, drawn in grey and dashed.
	Control bool `json:"control,omitempty"`
}

// Bars is one bar, or one stem, a category and series, from 0 or where 0 is
// not within the limits from the nearer one. Under a slider that moves a
// series a short line marks its value at the last frame.
type Bars struct {
	Categories Axis `json:"categories"`
	// Series holds Y and Errors of shape [categories]; whiskers are the figure's
	// Interval.
	Series []Series `json:"series"`
	// YScale names a linear or log scale.
	YScale string `json:"y_scale"`
	// Stems draws thin stems with a dot, for spectra.
	Stems bool `json:"stems,omitempty"`
	// Marks holds the indices of emphasised categories, such as key
	// frequencies: drawn in brass with their label above.
	Marks []int `json:"marks,omitempty"`
}

// Dials is one or more clock faces, a period each.
type Dials struct {
	Items []Dial `json:"items"`
}

// Dial is n points in the plane of one period around a unit circle. The
// cosine's direction points upwards and the sine's to the right, so that the
// residue 0 stands at the top and numbers run clockwise, as on a clock.
type Dial struct {
	// Title is the dial's name, "T = 10"; Note a few words beside it, "0.93
	// of the variance". NoteText names a text [1] that stands there instead, for
	// words that the slider moves.
	Title    string `json:"title"`
	Note     string `json:"note,omitempty"`
	NoteText string `json:"note_text,omitempty"`
	// Period is how many numbers make one turn, above 0. A whole one up to
	// 1000 has its residues around the face; else the points' labels are
	// there.
	Period float64 `json:"period"`
	// X and Y name arrays [n]: the components along cosine and sine, in radii
	// of the circle. A point further out than 1.35 is drawn there with the
	// sign for a value beyond the limits.
	X string `json:"x"`
	Y string `json:"y"`
	// Labels names the text [n]; empty for none.
	Labels string `json:"labels,omitempty"`
	// Colour names the array [n] and Scale the scale of colours; both empty
	// draw all points in one colour.
	Colour string `json:"colour,omitempty"`
	Scale  string `json:"scale,omitempty"`
	// Hands point from the centre, at a, b and their sum.
	Hands []Hand `json:"hands,omitempty"`
}

// Hand is one hand of a dial, in the colour of its role.
type Hand struct {
	Name string `json:"name"`
	// X and Y name arrays [1], as those of the dial.
	X    string    `json:"x"`
	Y    string    `json:"y"`
	Role TokenRole `json:"role,omitempty"`
}

// Multiples is a grid of panels over one pool and one slider. Panels that
// name the same scale share its colour bar, drawn once at the foot.
type Multiples struct {
	// Columns is how many panels stand abreast where the width allows, 1 to 12.
	Columns int `json:"columns"`
	// Items are read along the rows.
	Items []Item `json:"items"`
	// Browse is how many items stand in a row of small pictures from which a page
	// shows one large, each a heatmap of one panel; 0 where it shows all of them in
	// full, as every export does. Large is the one that is large at first.
	Browse int `json:"browse,omitempty"`
	Large  int `json:"large,omitempty"`
}

// Item is one panel: a figure of any kind but multiples, without pool,
// caption, slider, badges or provenance of its own.
type Item struct {
	Title    string `json:"title"`
	Subtitle string `json:"subtitle,omitempty"`
	// Kind selects which of the fields below is set.
	Kind Kind `json:"kind"`

	Tokens  *Tokens  `json:"tokens,omitempty"`
	Heatmap *Heatmap `json:"heatmap,omitempty"`
	Lines   *Lines   `json:"lines,omitempty"`
	Table   *Table   `json:"table,omitempty"`
	Scatter *Scatter `json:"scatter,omitempty"`
	Bars    *Bars    `json:"bars,omitempty"`
	Dials   *Dials   `json:"dials,omitempty"`
}

// Slider moves a figure of any kind through f frames. The first dimension of
// the arrays and texts that it names is the frames; everything that refers to
// one of them means its slice at the present frame, of the remaining shape.
// Limits, axes and heights do not move.
type Slider struct {
	// Name is what the frames count, "checkpoint".
	Name string `json:"name"`
	// Labels holds one label a frame, "9,400".
	Labels []string `json:"labels"`
	// Values names the array [f] of each frame's place, in ascending order:
	// the step of a checkpoint.
	Values string `json:"values"`
	// Show is the frame that is shown first and exported.
	Show int `json:"show"`
	// Bands are stretches of Values with a name, the phases of a training.
	Bands []Band `json:"bands,omitempty"`
	// Arrays names arrays of shape [f, ...] and Texts texts of shape [f, ...].
	Arrays []string `json:"arrays"`
	Texts  []string `json:"texts,omitempty"`
}

// Band is a stretch of a slider's axis, From to To in the unit of its values.
type Band struct {
	Label string  `json:"label"`
	From  float64 `json:"from"`
	To    float64 `json:"to"`
}
