package ablate

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// MarshalText writes a role.
func (r Role) MarshalText() ([]byte, error) {
	switch r.Kind {
	case Constant:
		return []byte("-"), nil
	case Operand, Operator:
		return []byte(string(r.Kind) + strconv.Itoa(r.Index)), nil
	}
	return []byte(r.Kind), nil
}

// UnmarshalText reads one.
func (r *Role) UnmarshalText(text []byte) error {
	s := string(text)
	kind := strings.TrimRight(s, "0123456789")
	*r = Role{Kind: RoleKind(kind)}
	switch r.Kind {
	case "-":
		r.Kind = Constant
		return nil
	case BOS, Equals:
		if kind == s {
			return nil
		}
	case Operand, Operator:
		if n, err := strconv.Atoi(s[len(kind):]); err == nil {
			r.Index = n
			return nil
		}
	}
	return fmt.Errorf("role %q is none of bos, operand0, operator0, equals and -", s)
}

// UnmarshalJSON reads a prompt; answers that are left out are -1. Unknown keys
// are errors.
func (p *Prompt) UnmarshalJSON(b []byte) error {
	type plain Prompt
	x := plain{Answer: -1, Other: -1}
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&x); err != nil {
		return err
	}
	*p = Prompt(x)
	return p.checkFile()
}

// checkFile refuses what no prompt can be.
func (p *Prompt) checkFile() error {
	switch {
	case len(p.IDs) == 0:
		return errors.New("a prompt needs ids")
	case len(p.Roles) != 0 && len(p.Roles) != len(p.IDs):
		return fmt.Errorf("%d roles for %d ids", len(p.Roles), len(p.IDs))
	}
	for _, id := range p.IDs {
		if id < 0 {
			return fmt.Errorf("id %d is negative", id)
		}
	}
	return nil
}

// WriteJSONLines writes one prompt a line.
func WriteJSONLines(w io.Writer, prompts []Prompt) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for _, p := range prompts {
		if err := enc.Encode(p); err != nil {
			return err
		}
	}
	return out.Flush()
}

// ReadJSONLines reads what WriteJSONLines wrote. An error names the line.
func ReadJSONLines(r io.Reader) (prompts []Prompt, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<24)
	for n := 1; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		var p Prompt
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			return nil, fmt.Errorf("prompts: line %d: %w", n, err)
		}
		prompts = append(prompts, p)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("prompts: %w", err)
	}
	return prompts, nil
}

// promptColumns are those of a CSV file; lists are written with spaces between.
var promptColumns = [...]string{"text", "ids", "answer", "other", "group", "operands", "roles"}

// WriteCSV writes a table of prompts with a header.
func WriteCSV(w io.Writer, prompts []Prompt) error {
	out := csv.NewWriter(w)
	if err := out.Write(promptColumns[:]); err != nil {
		return err
	}
	for _, p := range prompts {
		var roles []string
		for _, r := range p.Roles {
			text, err := r.MarshalText()
			if err != nil {
				return err
			}
			roles = append(roles, string(text))
		}
		record := []string{p.Text, joinInts(p.IDs), strconv.Itoa(p.Answer), strconv.Itoa(p.Other), p.Group, joinInts(p.Operands), strings.Join(roles, " ")}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func joinInts(x []int) string {
	parts := make([]string, len(x))
	for i, v := range x {
		parts[i] = strconv.Itoa(v)
	}
	return strings.Join(parts, " ")
}

// ReadCSV reads a table whose header names columns of WriteCSV, in any order; ids
// must be among them. An error names the line and the column.
func ReadCSV(r io.Reader) (prompts []Prompt, err error) {
	in := csv.NewReader(r)
	header, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("prompts: the header: %w", err)
	}
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return prompts, nil
		}
		if err != nil {
			return nil, fmt.Errorf("prompts: %w", err)
		}
		line, _ := in.FieldPos(0)
		p := Prompt{Answer: -1, Other: -1}
		for i, column := range header {
			if err := p.set(column, record[i]); err != nil {
				return nil, fmt.Errorf("prompts: line %d: column %q: %w", line, column, err)
			}
		}
		if err := p.checkFile(); err != nil {
			return nil, fmt.Errorf("prompts: line %d: %w", line, err)
		}
		prompts = append(prompts, p)
	}
}

// set reads one field of a table.
func (p *Prompt) set(column, value string) (err error) {
	switch column {
	case "text":
		p.Text = value
	case "group":
		p.Group = value
	case "ids":
		p.IDs, err = splitInts(value)
	case "operands":
		p.Operands, err = splitInts(value)
	case "answer":
		p.Answer, err = strconv.Atoi(value)
	case "other":
		p.Other, err = strconv.Atoi(value)
	case "roles":
		for _, word := range strings.Fields(value) {
			var r Role
			if err := r.UnmarshalText([]byte(word)); err != nil {
				return err
			}
			p.Roles = append(p.Roles, r)
		}
	default:
		return fmt.Errorf("it is none of %v", promptColumns)
	}
	return err
}

func splitInts(text string) (out []int, err error) {
	for _, word := range strings.Fields(text) {
		v, err := strconv.Atoi(word)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
