package notebook

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"orrery/server/api"
)

// The limits of a document. Beyond them Parse and Apply answer too_large.
const (
	MaxFile  = 16 << 20 // bytes of a file
	MaxCell  = 1 << 20  // bytes of one cell's source
	MaxCells = 2000     // cells of a notebook
)

// TopID is the id of a first Markdown cell that carries no mark in the file.
// A new notebook should give it to its first Markdown cell, so that front
// matter and the title are the file's first lines.
const TopID = "top"

// Notebook is a document. It is not safe for concurrent use; its owner locks.
type Notebook struct {
	// Revision counts the edits since the document was made or opened.
	Revision uint64
	// Cells in page order; ids are unique. Change them by Apply.
	Cells []Cell
	// History holds what Undo and Redo do.
	History History

	// changed holds, by cell, the revision of the last change of its source or kind.
	changed map[string]uint64
}

// Cell is one cell.
type Cell struct {
	// ID is 1 to 64 of A-Z a-z 0-9 _ and -.
	ID   string       `json:"id"`
	Kind api.CellKind `json:"kind"`
	// Source is UTF-8 text without the line end that closes it in the file.
	Source string `json:"source"`
}

// Find returns the index of a cell, or -1.
func (n *Notebook) Find(id string) int {
	for i := range n.Cells {
		if n.Cells[i].ID == id {
			return i
		}
	}
	return -1
}

// Clone returns a copy that shares nothing that Apply changes.
func (n *Notebook) Clone() *Notebook {
	c := &Notebook{
		Revision: n.Revision,
		Cells:    append([]Cell(nil), n.Cells...),
		History:  n.History.clone(),
		changed:  make(map[string]uint64, len(n.changed)),
	}
	for id, r := range n.changed {
		c.changed[id] = r
	}
	return c
}

// ValidID reports whether id may name a cell: 1 to 64 of A-Z a-z 0-9 _ and -,
// which is also what nbformat 4.5 asks.
func ValidID(id string) bool {
	if len(id) == 0 || len(id) > 64 {
		return false
	}
	for i := 0; i < len(id); i++ {
		if !isIDByte(id[i]) {
			return false
		}
	}
	return true
}

func isIDByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// NewID returns an id that no other cell has, ever: it is random, since the
// id of a deleted cell still names outputs and undo entries.
func NewID() string {
	var raw [5]byte
	if _, err := rand.Read(raw[:]); err != nil {
		panic(fmt.Sprintf("notebook: no random bytes: %v", err))
	}
	return spellID(raw[:])
}

// derivedID returns the id of a cell that has none in the file: a hash of
// kind and text, and of how many equal ones came before it.
func derivedID(kind api.CellKind, source string, taken map[string]bool) string {
	for k := 0; ; k++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %d\n%s", kind, k, source))
		if id := spellID(sum[:5]); !taken[id] {
			return id
		}
	}
}

// spellID writes 5 bytes as 8 lower-case letters and digits.
func spellID(raw []byte) string {
	return strings.ToLower(base32.StdEncoding.EncodeToString(raw))
}
