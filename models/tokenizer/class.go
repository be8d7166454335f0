package tokenizer

import (
	"unicode"
	"unicode/utf8"
)

// class is a set of characters; ASCII, most of what is asked about, is looked up.
type class struct {
	ascii [utf8.RuneSelf]bool
	has   func(rune) bool
}

func newClass(has func(rune) bool) class {
	k := class{has: has}
	for c := range k.ascii {
		k.ascii[c] = has(rune(c))
	}
	return k
}

// width returns the width of the character at byte i of s if the class has it, else 0.
func (k *class) width(s string, i int) int {
	if c := s[i]; c < utf8.RuneSelf {
		if k.ascii[c] {
			return 1
		}
		return 0
	}
	return k.beyond(s, i)
}

// beyond is width beyond ASCII.
func (k *class) beyond(s string, i int) int {
	r, n := utf8.DecodeRuneInString(s[i:])
	if k.has(r) {
		return n
	}
	return 0
}

// The classes that patterns are made of; none is written after this.
var (
	letters         = newClass(isLetter)
	numbers         = newClass(isNumber)
	numerics        = newClass(isNumeric)
	digits          = newClass(isDigit)
	upperish        = newClass(isUpperish)
	lowerish        = newClass(isLowerish)
	words           = newClass(isWord)
	notWords        = newClass(func(r rune) bool { return !isWord(r) && !unicode.IsSpace(r) })
	symbols         = newClass(func(r rune) bool { return !unicode.IsSpace(r) && !isLetter(r) && !isNumber(r) }) // [^\s\p{L}\p{N}]
	blanks          = newClass(unicode.IsSpace)
	newlines        = newClass(isNewline)
	newlinesOrSlash = newClass(func(r rune) bool { return isNewline(r) || r == '/' })
	punctuation     = newClass(isPunct)
	bloomWords      = newClass(isBloomWord)
	anything        = newClass(func(rune) bool { return true })
)

func isNewline(r rune) bool { return r == '\r' || r == '\n' }

// isBloomWord is BLOOM's class [^(\s|[.,!?…。，、।۔،])]: the class within the class is a union. Excluded are white space, the listed
// marks, the bar and both parentheses, but no bracket.
func isBloomWord(r rune) bool {
	switch r {
	case '(', ')', '|', '.', ',', '!', '?', '…', '。', '，', '、', '।', '۔', '،':
		return false
	}
	return !unicode.IsSpace(r)
}
