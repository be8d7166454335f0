package tokenizer

import "unicode/utf8"

// scannerNames lists, for errors, whose patterns scanner knows.
const scannerNames = "GPT-2, GPT-4 (cl100k), GPT-4o (o200k), Llama 3, Qwen 2, OLMo 2, BLOOM, Falcon, Mistral NeMo, Command A"

// scanner returns the hand-written equal of a published regular expression, or nil. Go's regexp has no look-ahead, which most of
// them need; a scanner is also several times faster, and linear in the text.
func scanner(regex string) pattern {
	switch regex {
	case `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
		`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`:
		return scan(gpt2)
	case `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`:
		return scan(cl100k{digits: 3}.match)
	case `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`:
		return scan(cl100k{digits: 1}.match)
	case `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?` +
		`|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?` +
		`|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`:
		return scan(o200k{digits: 3, contractions: true}.match)
	case `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+` +
		`|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*` +
		`|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`:
		return scan(o200k{digits: 1}.match)
	case falconDigits:
		return scan(threeDigits)
	case ` ?[^(\s|[.,!?…。，、।۔،])]+`:
		return scan(bloom)
	case `\d{1,3}(?=(?:\d{3})*\b)`:
		return digitsFromRight
	case `\p{N}`:
		return each(&numbers)
	case `\p{N}{1,3}`:
		return scan(func(s string, i int) int { return atMost(s, i, 3, &numbers) })
	}
	return nil
}

// falconDigits is the pattern that Falcon cuts numbers with.
const falconDigits = `[0-9][0-9][0-9]`

func threeDigits(s string, i int) int {
	for at := i; at < i+3; at++ {
		if at == len(s) || s[at] < '0' || s[at] > '9' {
			return i
		}
	}
	return i + 3
}

// run returns the end of the longest stretch of characters of class k at byte i of s.
func run(s string, i int, k *class) int {
	for i < len(s) {
		n := k.width(s, i)
		if n == 0 {
			break
		}
		i += n
	}
	return i
}

// atMost is run, limited to count characters.
func atMost(s string, i, count int, k *class) int {
	for ; count > 0 && i < len(s); count-- {
		n := k.width(s, i)
		if n == 0 {
			break
		}
		i += n
	}
	return i
}

// contraction returns the end of 's, 't, 're, 've, 'm, 'll or 'd at byte i of s, else i. With fold set, letters of either case
// count, and so does ſ, which folds to s.
func contraction(s string, i int, fold bool) int {
	if i+1 >= len(s) || s[i] != '\'' {
		return i
	}
	lower := func(at int) byte {
		switch {
		case at >= len(s):
			return 0
		case fold && 'A' <= s[at] && s[at] <= 'Z':
			return s[at] | 0x20
		}
		return s[at]
	}
	switch second := lower(i + 2); lower(i + 1) {
	case 's', 't', 'm', 'd':
		return i + 2
	case 'r', 'v':
		if second == 'e' {
			return i + 3
		}
	case 'l':
		if second == 'l' {
			return i + 3
		}
	case "ſ"[0]:
		if fold && second == "ſ"[1] {
			return i + 3
		}
	}
	return i
}

// spaces returns the end of \s+(?!\S)|\s+ at byte i of s, of which run is the white space there: all of it at the end of s, else
// all but its last character, which is left to what follows, unless it is the only one.
func spaces(s string, i, end int) int {
	if end == len(s) {
		return end
	}
	last := end - 1
	for s[last]&0xC0 == 0x80 {
		last--
	}
	if last == i {
		return end
	}
	return last
}

// wordOrSymbols matches \w+|[^\w\s]+, the pattern of the pre-tokenizer Whitespace.
func wordOrSymbols(s string, i int) int {
	if end := run(s, i, &words); end > i {
		return end
	}
	return run(s, i, &notWords)
}

// gpt2 matches GPT-2's pattern: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
func gpt2(s string, i int) int {
	if end := contraction(s, i, false); end > i {
		return end
	}
	at := i
	if s[i] == ' ' {
		at++
	}
	if at < len(s) {
		for _, k := range [...]*class{&letters, &numbers, &symbols} {
			if end := run(s, at, k); end > at {
				return end
			}
		}
	}
	return spaces(s, i, run(s, i, &blanks))
}

// bloom matches BLOOM's pattern, ` ?[^(\s|[.,!?…。，、।۔،])]+`.
func bloom(s string, i int) int {
	at := i
	if s[i] == ' ' {
		at++
	}
	if end := run(s, at, &bloomWords); end > at {
		return end
	}
	return i
}

// digitsFromRight matches \d{1,3}(?=(?:\d{3})*\b): the decimal digits of a number in groups of three counted from its end, if no
// letter or other word character follows.
func digitsFromRight(s string, from int) (int, int) {
	if from > 0 {
		if r, _ := utf8.DecodeLastRuneInString(s[:from]); isDigit(r) { // within a number, of which a multiple of three is left
			if end := atMost(s, from, 3, &digits); end > from {
				return from, end
			}
		}
	}
	for from < len(s) {
		r, n := runeAt(s, from)
		if !isDigit(r) {
			from += n
			continue
		}
		count, end := 0, from
		for end < len(s) {
			if r, n = runeAt(s, end); !isDigit(r) {
				break
			}
			end += n
			count++
		}
		if end == len(s) || !isOnigWord(r) {
			return from, atMost(s, from, (count-1)%3+1, &digits)
		}
		from = end
	}
	return -1, 0
}
