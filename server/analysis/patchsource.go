package analysis

import (
	"fmt"
	"strconv"
	"strings"

	"orrery/ablate"
)

// PatchSource writes a move as a cell does: patch("blocks.3.hook_resid_post", at=1).
func PatchSource(v ablate.Move) string {
	return "patch(" + strconv.Quote(v.Site) + patchArgs(v) + ")"
}

// patchArgs are a move's arguments behind its site, each with a comma before it.
func patchArgs(v ablate.Move) string {
	var b strings.Builder
	list := func(name string, index []int) {
		switch len(index) {
		case 0:
		case 1:
			fmt.Fprintf(&b, ", %s=%d", name, index[0])
		default:
			fmt.Fprintf(&b, ", %s=%s", name, intList(index))
		}
	}
	list("at", v.At)
	list("heads", v.Heads)
	list("neurons", v.Neurons)
	list("queries", v.Queries)
	list("keys", v.Keys)
	if v.Into != "" {
		fmt.Fprintf(&b, ", into=%s", strconv.Quote(v.Into))
	}
	list("to", v.To)
	if v.Giver() != ablate.FromClean {
		fmt.Fprintf(&b, ", run=%s", strconv.Quote(string(v.Run)))
	}
	if v.Freeze != "" {
		fmt.Fprintf(&b, ", freeze=%s", strconv.Quote(string(v.Freeze)))
	}
	return b.String()
}

func intList(index []int) string {
	parts := make([]string, len(index))
	for i, x := range index {
		parts[i] = strconv.Itoa(x)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// promptSource writes a prompt as an argument.
func promptSource(p Prompt) string {
	if p.IDs != nil {
		return intList(p.IDs)
	}
	return strconv.Quote(p.Text)
}
