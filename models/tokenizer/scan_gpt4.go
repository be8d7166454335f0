package tokenizer

// cl100k matches the pattern of GPT-4's cl100k vocabulary, which Llama 3, Qwen and OLMo 2 use with digits in groups of at most
// digits:
//
//	(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
type cl100k struct{ digits int }

func (c cl100k) match(s string, i int) int {
	if end := contraction(s, i, true); end > i {
		return end
	}
	r, n := runeAt(s, i)
	switch {
	case isLetter(r):
		return run(s, i+n, &letters)
	case isNumber(r):
		return atMost(s, i, c.digits, &numbers)
	case !isNewline(r):
		if end := run(s, i+n, &letters); end > i+n {
			return end
		}
	}
	return symbolsOrSpaces(s, i, &newlines)
}

// symbolsOrSpaces matches ` ?[^\s\p{L}\p{N}]+TAIL*|\s*[\r\n]+|\s+(?!\S)|\s+` at a byte i of s where no letter or number stands; tail
// is the class TAIL.
func symbolsOrSpaces(s string, i int, tail *class) int {
	at := i
	if s[i] == ' ' {
		at++
	}
	if end := run(s, at, &symbols); end > at {
		return run(s, end, tail)
	}
	end := run(s, i, &blanks)
	for last := end; last > i; last-- {
		if isNewline(rune(s[last-1])) {
			return last
		}
	}
	return spaces(s, i, end)
}

// o200k matches the pattern of GPT-4o's o200k vocabulary, where a word may change from upper to lower case once and takes its
// contraction with it. With U for [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}] and W for [\p{Ll}\p{Lm}\p{Lo}\p{M}]:
//
//	[^\r\n\p{L}\p{N}]?U*W+(?i:'s|...)?|[^\r\n\p{L}\p{N}]?U+W*(?i:'s|...)?|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
//
// Mistral NeMo's pattern is the same without contractions and with single digits.
type o200k struct {
	digits       int
	contractions bool
}

func (o o200k) match(s string, i int) int {
	r, n := runeAt(s, i)
	if isNumber(r) {
		return atMost(s, i, o.digits, &numbers)
	}
	starts := [2]int{i, i} // with the optional first character, which regular expressions try first, and without
	if !isNewline(r) && !isLetter(r) {
		starts[0] = i + n
	}
	for _, word := range [2]func(string, int) int{lowerWord, upperWord} {
		for _, at := range starts {
			if end := word(s, at); end > at {
				if o.contractions {
					end = contraction(s, end, true)
				}
				return end
			}
		}
	}
	return symbolsOrSpaces(s, i, &newlinesOrSlash)
}

// lowerWord matches U*W+ at byte at of s, as a backtracking engine does: U* takes all it can and gives back until W+ has a
// character.
func lowerWord(s string, at int) int {
	last := at // end of the last character of the U run that W could take too
	i := at
	for i < len(s) {
		r, n := runeAt(s, i)
		if !isUpperish(r) {
			break
		}
		i += n
		if isLowerish(r) {
			last = i
		}
	}
	if end := run(s, i, &lowerish); end > i {
		return end
	}
	return last
}

// upperWord matches U+W* at byte at of s.
func upperWord(s string, at int) int {
	end := run(s, at, &upperish)
	if end == at {
		return at
	}
	return run(s, end, &lowerish)
}
