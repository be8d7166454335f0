package ablate

import (
	"fmt"

	"orrery/models"
)

// Dropped is a contrast of a list that was left out, with the reason.
type Dropped struct {
	Clean, Corrupted, Reason string
}

// ContrastList makes contrasts of texts, (clean, corrupted) each. Answers are
// the model's own. Left out, with the reason, are contrasts that cannot be
// encoded, whose two prompts are the same, or of another number of tokens than
// the first one that can be used. No contrast at all is an error.
func ContrastList(m *models.Model, texts [][2]string) (out []Contrast, dropped []Dropped, err error) {
	length := 0
	for _, pair := range texts {
		var c Contrast
		reason := ""
		for i, p := range []*Prompt{&c.Clean, &c.Corrupted} {
			ids, err := m.Encode(pair[i])
			if err != nil {
				reason = err.Error()
				break
			}
			*p = Prompt{Text: pair[i], IDs: ids, Answer: -1, Other: -1}
		}
		x, y := len(c.Clean.IDs), len(c.Corrupted.IDs)
		switch {
		case reason != "":
		case x != y:
			reason = fmt.Sprintf("the prompts have %d and %d tokens", x, y)
		case length > 0 && x != length:
			reason = fmt.Sprintf("it has %d tokens, the ones before it %d", x, length)
		case pair[0] == pair[1]:
			reason = "both prompts are the same"
		default:
			length = x
			out = append(out, c)
			continue
		}
		dropped = append(dropped, Dropped{pair[0], pair[1], reason})
	}
	if len(out) == 0 {
		if len(dropped) > 0 {
			return nil, dropped, fmt.Errorf("none of %d pairs can be used; the first, %q and %q: %s", len(texts), dropped[0].Clean, dropped[0].Corrupted, dropped[0].Reason)
		}
		return nil, nil, fmt.Errorf("no pairs")
	}
	return out, dropped, nil
}
