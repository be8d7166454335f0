package hub

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
)

// sumKind is how the hub sums a file.
type sumKind int

const (
	sha256Sum sumKind = iota // of the content: large files
	blobSum                  // SHA-1 of git's blob, "blob SIZE\0" and the content: the others
)

// digits is the number of hexadecimal digits of a sum.
func (k sumKind) digits() int {
	if k == blobSum {
		return 2 * sha1.Size
	}
	return 2 * sha256.Size
}

func (k sumKind) String() string {
	if k == blobSum {
		return "git blob SHA-1"
	}
	return "SHA-256"
}

// checksum is what the content of a file must have.
type checksum struct {
	kind sumKind
	hex  string
}

// begin returns the hash of an empty beginning of a file of that size.
func (c checksum) begin(size int64) hash.Hash {
	if c.kind == blobSum {
		h := sha1.New()
		fmt.Fprintf(h, "blob %d\x00", size)
		return h
	}
	return sha256.New()
}

// check compares the hash of the whole content.
func (c checksum) check(h hash.Hash) error {
	if got := hex.EncodeToString(h.Sum(nil)); got != c.hex {
		return fmt.Errorf("%s is %s, the listing says %s", c.kind, got, c.hex)
	}
	return nil
}
