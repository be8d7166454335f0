package tokenizer

import (
	"unicode"
	"unicode/utf8"
)

// The character classes of the tokenizers library 0.23. Its patterns run in Oniguruma with Unicode 16.0, its own predicates are
// Rust's; Go 1.26 has 15.0, so each class is Go's and the difference (unicodetables.go). White space is unicode.IsSpace in all.

// isLetter is \p{L}.
func isLetter(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r|0x20 && r|0x20 <= 'z'
	}
	return unicode.IsLetter(r) || unicode.Is(letters16, r)
}

// isNumber is \p{N}.
func isNumber(r rune) bool {
	if r < utf8.RuneSelf {
		return '0' <= r && r <= '9'
	}
	return unicode.IsNumber(r) || unicode.Is(digits16, r)
}

// isDigit is \d, decimal digits of any script.
func isDigit(r rune) bool {
	if r < utf8.RuneSelf {
		return '0' <= r && r <= '9'
	}
	return unicode.IsDigit(r) || unicode.Is(digits16, r)
}

// isMark is \p{M}.
func isMark(r rune) bool {
	return r >= utf8.RuneSelf && (unicode.IsMark(r) || unicode.Is(marks16, r))
}

// isUpperish is [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]: what may stand in the upper-case part of a word.
func isUpperish(r rune) bool {
	if r < utf8.RuneSelf {
		return 'A' <= r && r <= 'Z'
	}
	return isMark(r) || isLetter(r) && !unicode.Is(unicode.Ll, r) && !unicode.Is(lower16, r)
}

// isLowerish is [\p{Ll}\p{Lm}\p{Lo}\p{M}]: what may stand in the lower-case part of a word.
func isLowerish(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z'
	}
	return isMark(r) || isLetter(r) && !unicode.Is(unicode.Lu, r) && !unicode.Is(unicode.Lt, r) && !unicode.Is(upper16, r)
}

// isWord is \w of Rust's regular expressions (UTS 18: alphabetic, marks, decimal digits, connectors, joiners).
func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r == '_' || isLetter(r) || isDigit(r)
	}
	return isLetter(r) || isMark(r) || isDigit(r) || r == 0x200C || r == 0x200D ||
		unicode.In(r, unicode.Pc, unicode.Nl, unicode.Other_Alphabetic)
}

// isOnigWord is \w, and so what \b looks at, of Oniguruma.
func isOnigWord(r rune) bool {
	switch r {
	case '²', '³', '¹', '¼', '½', '¾':
		return true
	case 0x200C, 0x200D:
		return false
	}
	return isWord(r)
}

// isNumeric is Rust's char::is_numeric, which the pre-tokenizer Digits asks.
func isNumeric(r rune) bool { return isNumber(r) || unicode.Is(numbers17, r) }

// isPunct is what the pre-tokenizer Punctuation takes for punctuation: ASCII's, symbols included, and \p{P} of Unicode 8.
func isPunct(r rune) bool {
	if r < utf8.RuneSelf {
		return r > ' ' && r < 0x7F && !isLetter(r) && !isDigit(r)
	}
	return r == 0x166D || r == 0x111C9 || unicode.IsPunct(r) && !unicode.Is(notYetPunct, r)
}

// appendLower appends the lower case of r, which is two characters for İ.
func appendLower(to []changed, r rune) []changed {
	switch {
	case r == 'İ':
		return append(to, changed{'i', 0}, changed{0x307, 1})
	case r == 0xA7CB:
		r = 0x264
	case r == 0xA7DC:
		r = 0x19B
	case r == 0x1C89, r == 0xA7CC, r == 0xA7CE, r == 0xA7D2, r == 0xA7D4, r == 0xA7DA:
		r++
	case 0x10D50 <= r && r <= 0x10D65:
		r += 0x20
	case 0x16EA0 <= r && r <= 0x16EB8:
		r += 0x1B
	default:
		r = unicode.ToLower(r)
	}
	return append(to, changed{r, 0})
}
