package viz

import "fmt"

// TokenPanel is one of several token grids abreast, such as the clean, the
// corrupted and the patched run.
type TokenPanel struct {
	// Title is the panel's name, "Clean run"; Note says in a few words what run
	// it is, "34 + 57 = 91".
	Title string `json:"title"`
	Note  string `json:"note,omitempty"`
	// Columns are the panel's own tokens, as many as Tokens.Columns has.
	Columns Axis `json:"columns"`
}

// TokenPatch says how the last panels of a token grid came about: values were
// moved from cells of one panel into cells of another.
type TokenPatch struct {
	// From and Into are the panels whose values are taken and that they are put
	// into, before anything was moved.
	From int `json:"from"`
	Into int `json:"into"`
	// Results are the panels of the runs with values moved, none or more.
	Results []TokenResult `json:"results,omitempty"`
	// Call is the source that makes the figure, on one line, with {model} for
	// the model and {patches} for the list's elements.
	Call string `json:"call"`
	// Tries is the table of what was tried, a row a try, and Logits that of the
	// best tokens at the last position, a row a token.
	Tries  *Table `json:"tries,omitempty"`
	Logits *Table `json:"logits,omitempty"`
	// Words is the caption with its tokens and numbers told apart.
	Words []Word `json:"words,omitempty"`
}

// TokenResult is a panel of a run with values moved.
type TokenResult struct {
	Panel int `json:"panel"`
	// Try is its row in the table of tries.
	Try int `json:"try"`
	// Moves are the cells that were moved, as far as they can be pointed at.
	Moves []TokenMove `json:"moves,omitempty"`
	// Cone names the array [rows, columns] that holds 1 where what was moved can
	// reach, 0 elsewhere: there the panel equals the Into panel to the bit.
	Cone string `json:"cone"`
	// Changed names the array [rows, columns] that holds 1 where the cell's text
	// differs from that of the Into panel.
	Changed string `json:"changed"`
}

// TokenMove is one cell of the From panel, or another, moved into a cell of the
// result.
type TokenMove struct {
	Panel      int `json:"panel"`
	FromRow    int `json:"from_row"`
	FromColumn int `json:"from_column"`
	ToRow      int `json:"to_row"`
	ToColumn   int `json:"to_column"`
	// Lens is the lens whose cells were moved, where it is not the first: the first
	// shows all moves, the others their own.
	Lens string `json:"lens,omitempty"`
}

// Word is a piece of a sentence.
type Word struct {
	Text string `json:"text"`
	// Token marks a token, drawn as a chip, and Role tints it.
	Token bool      `json:"token,omitempty"`
	Role  TokenRole `json:"role,omitempty"`
	// Strong marks a number that the sentence is about.
	Strong bool `json:"strong,omitempty"`
}

// panels is how many grids a token figure has, and the shape in front of rows
// and columns of its arrays.
func (t *Tokens) panels() (n int, lead []int) {
	if len(t.Panels) == 0 {
		return 1, nil
	}
	return len(t.Panels), []int{len(t.Panels)}
}

// panel is the tokens of a grid, and the index of its first cell.
func (f *Figure) panel(i int) (columns Axis, first int) {
	t := f.Tokens
	if len(t.Panels) == 0 {
		return t.Columns, 0
	}
	return t.Panels[i].Columns, i * len(t.Rows.Labels) * len(t.Columns.Labels)
}

// checkPanels is the part of Validate for panels and what was moved between them.
func (f *Figure) checkPanels() error {
	t := f.Tokens
	r, c := len(t.Rows.Labels), len(t.Columns.Labels)
	if len(t.Sites) != 0 && len(t.Sites) != r {
		return fmt.Errorf("%d sites for %d rows", len(t.Sites), r)
	}
	for i, p := range t.Panels {
		if err := p.Columns.check("columns"); err != nil {
			return fmt.Errorf("panel %d %q: %w", i, p.Title, err)
		}
		if len(p.Columns.Labels) != c {
			return fmt.Errorf("panel %d %q has %d columns, the figure %d", i, p.Title, len(p.Columns.Labels), c)
		}
		if len(p.Columns.IDs) != len(t.Columns.IDs) {
			return fmt.Errorf("panel %d %q has %d ids, the figure %d", i, p.Title, len(p.Columns.IDs), len(t.Columns.IDs))
		}
	}
	if t.Patch == nil {
		return nil
	}
	if err := f.checkPatch(t.Patch); err != nil {
		return fmt.Errorf("patch: %w", err)
	}
	return nil
}

func (f *Figure) checkPatch(p *TokenPatch) error {
	t := f.Tokens
	r, c := len(t.Rows.Labels), len(t.Columns.Labels)
	panel := func(what string, i int) error {
		if i < 0 || i >= len(t.Panels) {
			return fmt.Errorf("%s is panel %d of %d", what, i, len(t.Panels))
		}
		return nil
	}
	if err := first(panel("from", p.From), panel("into", p.Into)); err != nil {
		return err
	}
	for i, res := range p.Results {
		err := first(panel("result", res.Panel), f.array(res.Cone, r, c), f.array(res.Changed, r, c))
		for _, m := range res.Moves {
			if err == nil {
				err = panel("move", m.Panel)
			}
			if err == nil && !(inside(m.FromRow, r) && inside(m.ToRow, r) && inside(m.FromColumn, c) && inside(m.ToColumn, c)) {
				err = fmt.Errorf("move %+v is outside %d rows and %d columns", m, r, c)
			}
		}
		if err != nil {
			return fmt.Errorf("result %d: %w", i, err)
		}
	}
	for _, table := range []*Table{p.Tries, p.Logits} {
		if table != nil {
			if err := f.checkTableOf(table); err != nil {
				return err
			}
		}
	}
	return nil
}

func inside(i, n int) bool { return i >= 0 && i < n }
