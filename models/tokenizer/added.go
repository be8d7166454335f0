package tokenizer

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// addedToken is a token that is found in the text itself, before the model is asked.
type addedToken struct {
	ID         int    `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"` // only where no word character touches it
	LStrip     bool   `json:"lstrip"`      // takes the white space before it
	RStrip     bool   `json:"rstrip"`      // takes the white space after it
	Normalized bool   `json:"normalized"`  // looked for, normalized, in the normalized text; otherwise in the input
	Special    bool   `json:"special"`     // left out by Decode with skipSpecial

	verbatim bool // with Normalized: Content is what normalized text has
}

// addedTokens cuts one kind of added tokens out of a text: leftmost first, and the longest of those.
type addedTokens struct {
	tokens []addedToken
	find   *trie // string looked for -> index in tokens
}

func (a *addedTokens) add(tok addedToken, as string) {
	if as == "" {
		return
	}
	if a.find == nil {
		a.find = newTrie()
	}
	a.find.add(as, int32(len(a.tokens)))
	a.tokens = append(a.tokens, tok)
}

// split calls token for every added token in t, with the stretch that it takes, and rest for every stretch between them.
func (a *addedTokens) split(t text, token func(id int, piece text) error, rest func(text) error) error {
	if a.find == nil {
		return rest(t)
	}
	done := 0  // bytes of t already passed on
	white := 0 // where the white space ends that was looked for last
	again := 0 // bytes that tokens have taken more than once
	for i := 0; i < len(t.s); {
		if a.find.first[t.s[i]] == 0 {
			i++
			continue
		}
		end, index := a.find.longest(t.s, i)
		if end == i {
			i++
			continue
		}
		tok := &a.tokens[index]
		lo, hi := i, end
		i = end // what a token takes to its right is searched too, as in the library: a token there is found a second time
		if tok.SingleWord && (wordBefore(t.s[:lo]) || wordAfter(t.s[hi:])) {
			continue
		}
		if tok.LStrip {
			lo = done + len(strings.TrimRightFunc(t.s[done:max(done, lo)], unicode.IsSpace))
		}
		if tok.RStrip {
			if hi >= white {
				white = len(t.s) - len(strings.TrimLeftFunc(t.s[hi:], unicode.IsSpace))
			}
			hi = max(hi, white)
		}
		if lo >= hi {
			continue
		}
		if again += max(0, done-lo); again > maxAgain {
			return fmt.Errorf("text has white space of which added tokens such as %q take more than %d bytes again and again", tok.Content, maxAgain)
		}
		if done < lo {
			if err := rest(t.slice(done, lo)); err != nil {
				return err
			}
		}
		if err := token(tok.ID, t.slice(lo, hi)); err != nil {
			return err
		}
		done = hi
	}
	if done < len(t.s) {
		return rest(t.slice(done, len(t.s)))
	}
	return nil
}

// maxAgain bounds what the tokens of one text take twice or more, as tokens of white space with rstrip do: the work grows with it.
const maxAgain = 1 << 20

func wordBefore(s string) bool {
	r, n := utf8.DecodeLastRuneInString(s)
	return n > 0 && isWord(r)
}

func wordAfter(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	return n > 0 && isWord(r)
}

// addTokens enters the file's added tokens into the vocabulary and into the two sets that are looked for.
func (t *Tokenizer) addTokens(list []addedToken) error {
	if len(list) > maxVocab {
		return fmt.Errorf("added_tokens: %d tokens; at most %d are accepted", len(list), maxVocab)
	}
	looked := 0 // bytes
	for i, tok := range list {
		path := fmt.Sprintf("added_tokens[%d]", i)
		if len(tok.Content) > maxAdded {
			return fmt.Errorf("%s: token of %d bytes; at most %d are accepted", path, len(tok.Content), maxAdded)
		}
		if !utf8.ValidString(tok.Content) {
			return fmt.Errorf("%s: token %q is not valid UTF-8", path, tok.Content)
		}
		if err := t.vocab.enter(tok.Content, tok.ID, path); err != nil {
			return err
		}
		t.vocab.entries[tok.ID].special = t.vocab.entries[tok.ID].special || tok.Special
		as := tok.Content
		if tok.Normalized && !tok.verbatim && t.normalizer != nil {
			as = t.normalizer.normalize(text{s: as}).s
		}
		t.vocab.entries[tok.ID].decoded = as
		if looked += len(as); looked > maxLooked {
			return fmt.Errorf("%s: more than %d bytes of added tokens", path, maxLooked)
		}
		if tok.Normalized {
			t.cooked.add(tok, as)
		} else {
			t.raw.add(tok, as)
		}
	}
	return nil
}
