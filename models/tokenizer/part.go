package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// part is one normalizer, pre-tokenizer, post-processor or decoder as the file spells it: the fields of all types in one.
type part struct {
	Type          string            `json:"type"`
	Normalizers   []json.RawMessage `json:"normalizers"`
	Pretokenizers []json.RawMessage `json:"pretokenizers"`
	Processors    []json.RawMessage `json:"processors"`
	Decoders      []json.RawMessage `json:"decoders"`

	Pattern struct{ String, Regex *string } `json:"pattern"`  // Replace, Split
	Content string                          `json:"content"`  // Replace, Strip (decoder)
	Prepend string                          `json:"prepend"`  // Prepend
	Start   int                             `json:"start"`    // Strip (decoder): characters at most
	Stop    int                             `json:"stop"`     // Strip (decoder)
	Invert  bool                            `json:"invert"`   // Split
	Behave  string                          `json:"behavior"` // Split, Punctuation

	StripLeft        bool    `json:"strip_left"`        // Strip (normalizer)
	StripRight       bool    `json:"strip_right"`       // Strip (normalizer)
	IndividualDigits bool    `json:"individual_digits"` // Digits
	Delimiter        string  `json:"delimiter"`         // CharDelimiterSplit
	AddPrefixSpace   *bool   `json:"add_prefix_space"`  // ByteLevel, Metaspace in its old spelling
	TrimOffsets      *bool   `json:"trim_offsets"`      // ByteLevel
	UseRegex         *bool   `json:"use_regex"`         // ByteLevel
	Replacement      string  `json:"replacement"`       // Metaspace
	PrependScheme    *string `json:"prepend_scheme"`    // Metaspace
	Split            *bool   `json:"split"`             // Metaspace

	Single        []templatePiece            `json:"single"`         // TemplateProcessing
	SpecialTokens map[string]templateSpecial `json:"special_tokens"` // TemplateProcessing

	path string // where it stands in the file, for errors
}

// parsePart reads the part at path; null gives nil.
func parsePart(raw json.RawMessage, path string, depth int) (*part, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("%s: nested more than %d deep", path, maxDepth)
	}
	p := &part{path: path}
	if err := json.Unmarshal(raw, p); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// each calls fn for the members of a Sequence, list, which the file keeps under key.
func (p *part) each(list []json.RawMessage, key string, fn func(raw json.RawMessage, path string) error) error {
	if len(list) > maxParts {
		return fmt.Errorf("%s.%s: %d parts; at most %d are accepted", p.path, key, len(list), maxParts)
	}
	for i, raw := range list {
		if err := fn(raw, fmt.Sprintf("%s.%s[%d]", p.path, key, i)); err != nil {
			return err
		}
	}
	return nil
}

// unknown is the error for a type that the switch over known ones does not list.
func (p *part) unknown(noun, known string) error {
	if p.Type == "" {
		return fmt.Errorf("%s: %s without a \"type\"; implemented are %s", p.path, noun, known)
	}
	return fmt.Errorf("%s: %s %q is not implemented; implemented are %s", p.path, noun, p.Type, known)
}

// flag is a setting that may be absent.
func flag(b *bool, absent bool) bool {
	if b == nil {
		return absent
	}
	return *b
}
