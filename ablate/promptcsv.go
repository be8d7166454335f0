package ablate

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// promptColumns are those of a CSV file; lists are written with spaces between.
// A file of pairs has each of them twice, with clean_ and corrupted_ in front.
var promptColumns = [...]string{"text", "ids", "answer", "answer_text", "other", "other_text", "group", "operands", "roles"}

// The prefixes of a pair's columns.
const cleanPrefix, corruptedPrefix = "clean_", "corrupted_"

// WriteCSV writes a table of prompts, or of pairs, with a header. Of a line end
// "\r\n" within a text the readers of CSV leave "\n".
func WriteCSV[T Prompt | Contrast](w io.Writer, rows []T) error {
	out := csv.NewWriter(w)
	var header []string
	var zero T
	switch any(zero).(type) {
	case Contrast:
		for _, prefix := range []string{cleanPrefix, corruptedPrefix} {
			for _, name := range promptColumns {
				header = append(header, prefix+name)
			}
		}
	default:
		header = promptColumns[:]
	}
	if err := out.Write(header); err != nil {
		return err
	}
	for _, r := range rows {
		var record []string
		switch r := any(r).(type) {
		case Prompt:
			record = r.record()
		case Contrast:
			record = append(r.Clean.record(), r.Corrupted.record()...)
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// record is a prompt's fields, one a column.
func (p Prompt) record() []string {
	roles := make([]string, len(p.Roles))
	for i, r := range p.Roles {
		roles[i] = r.String()
	}
	return []string{p.Text, joinInts(p.IDs), strconv.Itoa(p.Answer), p.AnswerText, strconv.Itoa(p.Other), p.OtherText, p.Group, joinInts(p.Operands), strings.Join(roles, " ")}
}

func joinInts(x []int) string {
	parts := make([]string, len(x))
	for i, v := range x {
		parts[i] = strconv.Itoa(v)
	}
	return strings.Join(parts, " ")
}

// ReadCSV reads a table whose header names columns of WriteCSV, in any order;
// text or ids must be among them. An error names the line and the column.
func ReadCSV(r io.Reader) (f PromptFile, err error) {
	in := csv.NewReader(r)
	header, err := in.Read()
	if err != nil {
		return f, csvError(err, nil, nil)
	}
	pairs := slices.ContainsFunc(header, func(name string) bool {
		return strings.HasPrefix(name, cleanPrefix) || strings.HasPrefix(name, corruptedPrefix)
	})
	for i, column := range header {
		name := column
		if slices.Contains(header[:i], column) {
			return f, fmt.Errorf("prompts: line 1: column %q stands there twice", column)
		}
		if pairs {
			name = strings.TrimPrefix(strings.TrimPrefix(column, corruptedPrefix), cleanPrefix)
		}
		if !slices.Contains(promptColumns[:], name) {
			return f, fmt.Errorf("prompts: line 1: column %q is none of %s; name the columns there, text or ids among them, with commas between", column, strings.Join(promptColumns[:], ", "))
		}
	}
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return PromptFile{}, csvError(err, header, record)
		}
		line, _ := in.FieldPos(0)
		sides := [2]Prompt{{Answer: -1, Other: -1}, {Answer: -1, Other: -1}}
		for i, column := range header {
			name, side := column, 0
			if pairs {
				if rest, ok := strings.CutPrefix(column, corruptedPrefix); ok {
					name, side = rest, 1
				} else if rest, ok := strings.CutPrefix(column, cleanPrefix); ok {
					name = rest
				}
			}
			if err := sides[side].set(name, record[i]); err != nil {
				return PromptFile{}, fmt.Errorf("prompts: line %d: column %q: %w", line, column, err)
			}
		}
		for i := range sides {
			if err := sides[i].checkFile(); err != nil && (i == 0 || pairs) {
				return PromptFile{}, fmt.Errorf("prompts: line %d: %w", line, err)
			}
		}
		if pairs {
			f.Contrasts = append(f.Contrasts, Contrast{sides[0], sides[1]})
		} else {
			f.Prompts = append(f.Prompts, sides[0])
		}
	}
}

// set reads one field of a table.
func (p *Prompt) set(column, value string) (err error) {
	switch column {
	case "text":
		p.Text = value
	case "group":
		p.Group = value
	case "answer_text":
		p.AnswerText = value
	case "other_text":
		p.OtherText = value
	case "ids":
		p.IDs, err = splitInts(value)
	case "operands":
		p.Operands, err = splitInts(value)
	case "answer":
		p.Answer, err = readID(value)
	case "other":
		p.Other, err = readID(value)
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

// readID reads a token's id, -1 where the field is empty.
func readID(text string) (int, error) {
	if text == "" {
		return -1, nil
	}
	return wholeNumber(text)
}

// wholeNumber reads one number of a table.
func wholeNumber(text string) (int, error) {
	v, err := strconv.Atoi(text)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%s is too large for a whole number of 64 bits", clipped(text))
	}
	if err != nil {
		return 0, fmt.Errorf("%q is no whole number", clipped(text))
	}
	return v, nil
}

// clipped is a text that is short enough for a message.
func clipped(text string) string {
	if len(text) > 60 {
		return text[:60] + "..."
	}
	return text
}

// csvError says what is wrong with a table that cannot be read at all.
func csvError(err error, header, record []string) error {
	var at *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("prompts: the file is empty")
	case errors.Is(err, csv.ErrFieldCount) && errors.As(err, &at):
		return fmt.Errorf("prompts: line %d has %d fields, and line 1 names %d columns: write a text with commas in quotation marks", at.StartLine, len(record), len(header))
	}
	return fmt.Errorf("prompts: %w", err)
}

func splitInts(text string) (out []int, err error) {
	for _, word := range strings.Fields(text) {
		v, err := wholeNumber(word)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
