package ablate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"orrery/models/exactjson"
)

// String is how a role is written.
func (r Role) String() string {
	switch r.Kind {
	case Constant:
		return "-"
	case Operand, Operator:
		return string(r.Kind) + strconv.Itoa(r.Index)
	}
	return string(r.Kind)
}

// MarshalText writes a role.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads one.
func (r *Role) UnmarshalText(text []byte) error {
	s := string(text)
	kind := strings.TrimRight(s, "0123456789")
	*r = Role{Kind: RoleKind(kind)}
	switch r.Kind {
	case "-", BOS, Equals, Answer:
		if kind == s {
			if kind == "-" {
				r.Kind = Constant
			}
			return nil
		}
	case Operand, Operator:
		if n, err := strconv.Atoi(s[len(kind):]); err == nil {
			r.Index = n
			return nil
		}
	}
	return fmt.Errorf("role %q is none of bos, operand0, operator0, equals, answer and -", s)
}

// UnmarshalJSON reads a prompt; answers that are left out are -1, and an empty
// list is none. Unknown keys are errors.
func (p *Prompt) UnmarshalJSON(b []byte) error {
	type plain Prompt
	x := plain{Answer: -1, Other: -1}
	if err := exactjson.Decode(b, &x); err != nil {
		return err
	}
	if len(x.IDs) == 0 {
		x.IDs = nil
	}
	if len(x.Operands) == 0 {
		x.Operands = nil
	}
	if len(x.Roles) == 0 {
		x.Roles = nil
	}
	*p = Prompt(x)
	return p.checkFile()
}

// checkFile refuses what no prompt can be.
func (p *Prompt) checkFile() error {
	switch {
	case len(p.IDs) == 0 && p.Text == "":
		return errors.New("a prompt needs a text or ids")
	case len(p.Roles) != 0 && len(p.Roles) != len(p.IDs):
		return fmt.Errorf("%d roles for %d ids", len(p.Roles), len(p.IDs))
	}
	for _, text := range []string{p.Text, p.AnswerText, p.OtherText, p.Group} {
		if !utf8.ValidString(text) {
			return fmt.Errorf("%q is not UTF-8: save the file as UTF-8", text)
		}
	}
	for _, id := range p.IDs {
		if id < 0 {
			return fmt.Errorf("id %d is negative", id)
		}
	}
	return nil
}

// UnmarshalJSON reads a pair. Both prompts are needed; unknown keys are errors.
func (c *Contrast) UnmarshalJSON(b []byte) error {
	var x struct {
		Clean     *Prompt `json:"clean"`
		Corrupted *Prompt `json:"corrupted"`
	}
	if err := exactjson.Decode(b, &x); err != nil {
		return err
	}
	if x.Clean == nil || x.Corrupted == nil {
		return errors.New("a pair needs clean and corrupted")
	}
	*c = Contrast{*x.Clean, *x.Corrupted}
	return nil
}

// PromptFile is what a file of prompts holds: prompts, or pairs of them.
type PromptFile struct {
	Prompts   []Prompt
	Contrasts []Contrast
}

// ReadPrompts reads a file of prompts or pairs in either form: JSON lines where
// its first letter is "{", else CSV. A byte order mark, as spreadsheets write it,
// is no part of it.
func ReadPrompts(text string) (PromptFile, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	start := strings.TrimSpace(text)
	switch {
	case start == "":
		return PromptFile{}, errors.New("prompts: the file is empty")
	case strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff"):
		return PromptFile{}, errors.New("prompts: the file is UTF-16: save it as UTF-8")
	case start[0] == '[':
		return PromptFile{}, errors.New("prompts: the file is a list: write one object a line, without the list's brackets and the commas between")
	case start[0] == '{':
		return ReadJSONLines(strings.NewReader(text))
	case strings.Contains(start, "\r") && !strings.Contains(start, "\n"):
		return PromptFile{}, errors.New("prompts: the lines end in carriage returns alone: save the file with line feeds")
	}
	return ReadCSV(strings.NewReader(strings.TrimLeft(text, "\r\n")))
}

// WriteJSONLines writes one prompt, or one pair, a line.
func WriteJSONLines[T Prompt | Contrast](w io.Writer, rows []T) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for _, r := range rows {
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	return out.Flush()
}

// ReadJSONLines reads what WriteJSONLines wrote; a line with "clean" is a pair,
// and prompts and pairs do not mix. An error names the line.
func ReadJSONLines(r io.Reader) (f PromptFile, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 1
	for ; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		if err := f.line(lines.Bytes()); err != nil {
			return PromptFile{}, fmt.Errorf("prompts: line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("it has more than %d bytes", maxLine)
		}
		return PromptFile{}, fmt.Errorf("prompts: line %d: %w", n, err)
	}
	return f, nil
}

// maxLine is the longest line of JSON that is read, in bytes.
const maxLine = 1 << 24

// line reads one line of JSON.
func (f *PromptFile) line(b []byte) error {
	var keys map[string]json.RawMessage
	if err := exactjson.Decode(b, &keys); err != nil {
		return err
	}
	_, clean := keys["clean"]
	_, corrupted := keys["corrupted"]
	if clean || corrupted {
		var c Contrast
		if err := json.Unmarshal(b, &c); err != nil {
			return err
		}
		f.Contrasts = append(f.Contrasts, c)
	} else {
		var p Prompt
		if err := json.Unmarshal(b, &p); err != nil {
			return err
		}
		f.Prompts = append(f.Prompts, p)
	}
	if len(f.Prompts) > 0 && len(f.Contrasts) > 0 {
		return errors.New("prompts and pairs stand in one file")
	}
	return nil
}
