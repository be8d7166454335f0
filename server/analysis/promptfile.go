package analysis

import (
	"io"
	"strings"

	"orrery/ablate"
)

// PromptsFrom is a recipe of prompts, or of pairs, that are given. keep and seed
// are what Options says of a list.
func PromptsFrom(f ablate.PromptFile, keep ablate.Keep, seed uint64) Prompts {
	p := Prompts{List: f.Prompts, Options: ablate.SetOptions{Keep: keep, Seed: seed}}
	if f.Contrasts != nil {
		p.List = Side(f.Contrasts, true)
		p.Pairs = &Pairing{Operand: -1, Seed: seed, Partners: Side(f.Contrasts, false)}
	}
	return p
}

// Side is the clean or the corrupted prompts of pairs.
func Side(pairs []ablate.Contrast, clean bool) (out []ablate.Prompt) {
	for _, c := range pairs {
		if clean {
			out = append(out, c.Clean)
		} else {
			out = append(out, c.Corrupted)
		}
	}
	return out
}

// File is the set as a file. Without ids it holds texts, which suit any model.
func (b *BoundPrompts) File(ids bool) (f ablate.PromptFile) {
	as := func(p ablate.Prompt) ablate.Prompt {
		if ids || p.Text == "" {
			return p
		}
		return ablate.Prompt{Text: p.Text, Answer: -1, Other: -1, AnswerText: b.label(p.Answer), OtherText: b.label(p.Other), Group: p.Group, Operands: p.Operands}
	}
	if b.Contrasts == nil {
		for _, p := range b.Set.Prompts {
			f.Prompts = append(f.Prompts, as(p))
		}
		return f
	}
	for _, c := range b.Contrasts.Contrasts {
		f.Contrasts = append(f.Contrasts, ablate.Contrast{Clean: as(c.Clean), Corrupted: as(c.Corrupted)})
	}
	return f
}

// label is the text of an answer, "" for none.
func (b *BoundPrompts) label(id int) string {
	if id < 0 || b.Model.Tokenizer == nil {
		return ""
	}
	return strings.TrimSpace(b.Model.Tokenizer.Label(id))
}

// WritePrompts writes a file of prompts or pairs as a table, CSV, or as JSON lines.
func WritePrompts(w io.Writer, f ablate.PromptFile, table bool) error {
	switch {
	case f.Contrasts != nil && table:
		return ablate.WriteCSV(w, f.Contrasts)
	case f.Contrasts != nil:
		return ablate.WriteJSONLines(w, f.Contrasts)
	case table:
		return ablate.WriteCSV(w, f.Prompts)
	}
	return ablate.WriteJSONLines(w, f.Prompts)
}
