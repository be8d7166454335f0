package tokenizer

import "testing"

// TestCharacterClasses counts classes whose sizes are known elsewhere: DerivedGeneralCategory.txt of Unicode 16.0 and 17.0.
func TestCharacterClasses(t *testing.T) {
	for _, c := range []struct {
		name  string
		class func(rune) bool
		want  int
	}{
		{"L 16.0", isLetter, 141028},
		{"N 16.0", isNumber, 1911},
		{"Nd 16.0", isDigit, 760},
		{"M 16.0", isMark, 2501},
		{"Lu Lt Lm Lo M 16.0", isUpperish, 1858 + 31 + 404 + 136477 + 2501},
		{"Ll Lm Lo M 16.0", isLowerish, 2258 + 404 + 136477 + 2501},
		{"N 17.0", isNumeric, 1924},
	} {
		got := 0
		for r := rune(0); r <= 0x10FFFF; r++ {
			if c.class(r) {
				got++
			}
		}
		if got != c.want {
			t.Errorf("%s: %d characters, want %d", c.name, got, c.want)
		}
	}
}
