package ablate

import (
	"context"
	"slices"

	"orrery/models"
)

// askedAtLeast is how many partners FirstContrasts asks the model about at once.
const askedAtLeast = 64

// FirstContrasts are the first n of Contrasts that wanted takes, the very same ones.
// The model is not asked about the partners of prompts behind the last of them, which
// most of the time of Contrasts goes into. all is how many contrasts wanted was shown.
// It is not an error when fewer than n, or none, are found.
func FirstContrasts(ctx context.Context, m *models.Model, set *PromptSet, change Change, operand int, seed uint64, n int, wanted func(Contrast) bool) (first []Contrast, all int, err error) {
	if err := change.check(); err != nil {
		return nil, 0, err
	}
	if !set.Listed() {
		first, all, ok, err := firstDrawn(ctx, m, set, change, operand, seed, n, wanted)
		if ok || err != nil {
			return first, all, err
		}
	}
	found, err := Contrasts(ctx, m, set, change, operand, seed)
	if err != nil {
		return nil, 0, err
	}
	for _, c := range found.Contrasts {
		if all++; wanted(c) {
			first = append(first, c)
		}
		if len(first) == n {
			break
		}
	}
	return first, all, nil
}

// firstDrawn draws as Contrasts does: partners for all prompts in a first round, and
// in a second for those whose partner the model gets wrong, in the order of prompts.
// A third round begins where the second has ended, which is not known before all
// partners have been asked about; where one is needed, ok is false.
func firstDrawn(ctx context.Context, m *models.Model, set *PromptSet, change Change, operand int, seed uint64, n int, wanted func(Contrast) bool) (first []Contrast, all int, ok bool, err error) {
	d, err := newDraw(m, set, change, operand, seed)
	if err != nil {
		return nil, 0, false, err
	}
	partners := make([]*Prompt, len(set.Prompts))
	if _, err := d.round(set.Prompts, partners); err != nil {
		return nil, 0, false, err
	}
	for at := 0; at < len(partners) && len(first) < n; {
		to := min(at+max(askedAtLeast, n-len(first)), len(partners))
		prompts, partner := set.Prompts[at:to], partners[at:to]
		var there []int
		for i, q := range partner {
			if q != nil {
				there = append(there, i)
			}
		}
		if err := set.keepPassing(ctx, m, partner, there); err != nil {
			return nil, 0, false, err
		}
		fresh, err := d.round(prompts, partner)
		if err != nil {
			return nil, 0, false, err
		}
		if err := set.keepPassing(ctx, m, partner, fresh); err != nil {
			return nil, 0, false, err
		}
		if slices.Contains(partner, nil) {
			return nil, 0, false, nil
		}
		for i, q := range partner {
			c := Contrast{Clean: prompts[i], Corrupted: *q}
			if all++; len(first) < n && wanted(c) {
				first = append(first, c)
			}
		}
		at = to
	}
	return first, all, true, nil
}
