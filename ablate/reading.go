package ablate

import (
	"regexp"
	"strconv"
	"strings"
)

// arithmetic is numbers with operators between them.
var arithmetic = regexp.MustCompile(`[0-9]+(?:\s*[-+−*×/÷]\s*[0-9]+)+`)

// sum matches one number or operator of it.
var sumPart = regexp.MustCompile(`[0-9]+|[-+−*×/÷]`)

// Reading is what an arithmetic prompt without a template says.
type Reading struct {
	Roles    []Role // [T], of every token
	Operands []int
	// Group is its operators, as a template's prompt has it.
	Group string
}

// Read finds the parts of an arithmetic prompt in its tokens' texts, where a
// special token's is empty: the first chain of whole numbers with operators
// between them gives operands and operators, however many and of however many
// tokens; "=" behind it is equals, and numbers behind that are the answer. A
// prompt of another form has no parts; ok is false then.
func Read(words []string) (r Reading, ok bool) {
	text := strings.Join(words, "")
	chain := arithmetic.FindStringIndex(text)
	r.Roles = make([]Role, len(words))
	if chain == nil {
		return r, false
	}
	type part struct {
		from, to int
		role     Role
	}
	var parts []part
	operators := 0
	for _, at := range sumPart.FindAllStringIndex(text[chain[0]:chain[1]], -1) {
		from, to := chain[0]+at[0], chain[0]+at[1]
		word := text[from:to]
		n, err := strconv.Atoi(word)
		switch {
		case word[0] >= '0' && word[0] <= '9' && err != nil:
			return Reading{Roles: make([]Role, len(words))}, false // larger than any number
		case err == nil && word[0] >= '0' && word[0] <= '9':
			parts = append(parts, part{from, to, Role{Operand, len(r.Operands)}})
			r.Operands = append(r.Operands, n)
		default:
			parts = append(parts, part{from, to, Role{Operator, operators}})
			r.Group += word
			operators++
		}
	}
	rest := text[chain[1]:]
	if at := len(rest) - len(strings.TrimLeft(rest, " ")); strings.HasPrefix(rest[at:], "=") {
		from := chain[1] + at
		parts = append(parts, part{from, from + 1, Role{Kind: Equals}})
		behind := text[from+1:]
		gap := len(behind) - len(strings.TrimLeft(behind, " -−"))
		digits := len(behind[gap:]) - len(strings.TrimLeft(behind[gap:], "0123456789"))
		if digits > 0 {
			parts = append(parts, part{from + 1, from + 1 + gap + digits, Role{Kind: Answer}})
		}
	}
	from := 0
	for i, word := range words {
		to := from + len(word)
		for _, p := range parts {
			if lo, hi := max(from, p.from), min(to, p.to); lo < hi && strings.TrimSpace(text[lo:hi]) != "" {
				r.Roles[i] = p.role
				break
			}
		}
		from = to
	}
	return r, true
}
