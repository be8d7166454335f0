package viz

import (
	"regexp"
	"strings"
)

// method matches how a sentence of a caption begins that says how something
// was measured (see Figure.Caption).
var method = regexp.MustCompile(`^(Prompts: |Means: |Activations: |Effects: |Measured: |The [\d,]+ edited runs )`)

// sentence matches the space between two sentences.
var sentence = regexp.MustCompile(`[.!?]\s+\p{Lu}`)

// captionParts is a caption in two parts: what it says, and how it was measured.
func captionParts(text string) (says, how string) {
	var parts [2][]string
	for text = strings.TrimSpace(text); text != ""; {
		s := text
		if at := sentence.FindStringIndex(text); at != nil {
			s = text[:at[0]+1]
		}
		text = strings.TrimSpace(text[len(s):])
		k := 0
		if method.MatchString(s) {
			k = 1
		}
		parts[k] = append(parts[k], s)
	}
	return strings.Join(parts[0], " "), strings.Join(parts[1], " ")
}

var operation = regexp.MustCompile(`(\b\w{1,2}) ([=+−]) ([\d−]|\w{1,2}\b)`)

// spelling is what typeset replaces, in order.
var spelling = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`(^|[\s(,:])-([\d.])`), "$1−$2"},
	{regexp.MustCompile(`(\d)e-0*(\d)`), "${1}e−$2"},
	{regexp.MustCompile(`(\d) %`), "$1\u00a0%"},
	{regexp.MustCompile(` ± `), "\u00a0±\u00a0"},
	{regexp.MustCompile(`R² ([\d−])`), "R²\u00a0$1"},
	{operation, "$1\u00a0$2\u00a0$3"},
	{operation, "$1\u00a0$2\u00a0$3"}, // the second of a + b = c shares its b with the first
}

// typeset gives a text true minus signs, and spaces that do not break between
// a number and what belongs to it.
func typeset(text string) string {
	for _, s := range spelling {
		text = s.from.ReplaceAllString(text, s.to)
	}
	return text
}
