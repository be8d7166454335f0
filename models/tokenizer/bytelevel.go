package tokenizer

// Byte-level vocabularies write each byte as one printable character: printable bytes of Latin-1 as themselves, the other 68
// as U+0100 onward in the order of their values (A. Radford et al., Language Models are Unsupervised Multitask Learners, 2019,
// section 2.2, and its code).

// spaceChar is how a byte-level vocabulary writes the space.
const spaceChar = 'Ġ'

// byteChars returns the character of each byte.
func byteChars() (chars [256]rune) {
	next := rune(0x100)
	for b := range chars {
		if '!' <= b && b <= '~' || 0xA1 <= b && b <= 0xAC || 0xAE <= b {
			chars[b] = rune(b)
			continue
		}
		chars[b] = next
		next++
	}
	return chars
}

// byteTable is byteChars reversed: the byte of each character, -1 where a character stands for none.
type byteTable [0x100 + 68]int16

func newByteTable() *byteTable {
	t := &byteTable{}
	for c := range t {
		t[c] = -1
	}
	for b, c := range byteChars() {
		t[c] = int16(b)
	}
	return t
}

// bytes returns the bytes that a token of a byte-level vocabulary stands for; false if it has characters that stand for none.
func (t *byteTable) bytes(token string) ([]byte, bool) {
	out := make([]byte, 0, len(token))
	for _, c := range token {
		if int(c) >= len(t) || t[c] < 0 {
			return nil, false
		}
		out = append(out, byte(t[c]))
	}
	return out, true
}
