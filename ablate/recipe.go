package ablate

import (
	"fmt"
	"slices"

	"orrery/models"
)

// WaitMode says what stands for the stream behind the last waiting block.
type WaitMode string

// The wait modes. All but WaitIsolated and WaitFree set the stream behind the
// block of Recipe.Wait, at every position behind the first varying one.
const (
	WaitCAMA       WaitMode = "cama"            // the mean over contexts with the own token
	WaitPositional WaitMode = "positional_mean" // the mean over all contexts at the position
	WaitGlobal     WaitMode = "global_mean"     // the mean over all contexts and positions
	WaitZero       WaitMode = "zero"
	WaitResample   WaitMode = "resample" // another prompt's stream at the position
	WaitIsolated   WaitMode = "isolated" // the waiting blocks read BOS and the token itself
	WaitFree       WaitMode = "none"     // the waiting blocks are left alone
)

// WaitModes lists the modes, the method first and then its baselines.
var WaitModes = [...]WaitMode{WaitCAMA, WaitZero, WaitGlobal, WaitPositional, WaitResample, WaitIsolated, WaitFree}

// NoMasks is the Transfer of a recipe that masks no block behind the waiting
// ones.
const NoMasks = -1

// Head is one attention head.
type Head struct{ Layer, Head int }

// String is such as 2.1.
func (h Head) String() string { return fmt.Sprintf("%d.%d", h.Layer, h.Head) }

// Recipe is one intervention of "All for One": blocks 0..Wait wait, the Transfer
// blocks behind them let the last token peek, and those that remain compute
// with every token reading BOS and itself. The paper's L_wait is Wait+1.
type Recipe struct {
	Wait     int      // the last waiting block; -1 for none
	Mode     WaitMode // "" for WaitCAMA; of no account where nothing waits
	Transfer int      // how many blocks peek; NoMasks for CAMA alone
	Peek     Peek     // "" for PeekAll
	Open     []int    // what the last token may read, for PeekChosen
	// FreeCompute leaves the blocks behind the transfer unmasked.
	FreeCompute bool
	// Cut removes, for single heads, the last token's edges to all others but
	// BOS; CutLayers does so for all heads of whole blocks.
	Cut       []Head
	CutLayers []int
	// BlindToSelf removes with those the last token's edge to itself.
	BlindToSelf bool
	// ZeroZ sets heads' z at the last token to 0 instead.
	ZeroZ []Head
}

// Means reports whether the recipe puts in means of a Table.
func (r Recipe) Means() bool {
	return r.Wait >= 0 && !slices.Contains([]WaitMode{WaitFree, WaitIsolated, WaitZero, WaitResample}, r.Mode)
}

// check refuses a recipe that the model cannot follow.
func (r Recipe) check(m *models.Model) error {
	L := m.Config.Layers
	switch {
	case r.Wait < -1 || r.Wait >= L:
		return fmt.Errorf("wait %d is outside -1..%d", r.Wait, L-1)
	case r.Transfer < NoMasks:
		return fmt.Errorf("transfer is %d, want 0 or more, or %d for no masks", r.Transfer, NoMasks)
	case r.Wait+1+max(r.Transfer, 0) > L:
		return fmt.Errorf("blocks 0..%d wait and %d transfer, and the model has %d blocks in all", r.Wait, r.Transfer, L)
	case r.Mode != "" && !slices.Contains(WaitModes[:], r.Mode):
		return fmt.Errorf("wait mode is %q, want one of %v", r.Mode, WaitModes)
	case r.Peek == PeekChosen && r.Open == nil:
		return fmt.Errorf("peek %q needs the positions that may be read", r.Peek)
	}
	for _, h := range append(slices.Clone(r.Cut), r.ZeroZ...) {
		if h.Layer < 0 || h.Layer >= L || h.Head < 0 || h.Head >= m.Config.Heads {
			return fmt.Errorf("head %s does not exist: the model has layers 0..%d of heads 0..%d", h, L-1, m.Config.Heads-1)
		}
	}
	for _, l := range r.CutLayers {
		if l < 0 || l >= L {
			return fmt.Errorf("layer %d is outside 0..%d", l, L-1)
		}
	}
	return nil
}

// TransferHeads lists the heads of a recipe's transfer blocks.
func (r Recipe) TransferHeads(m *models.Model) (heads []Head) {
	for l := r.Wait + 1; l <= r.Wait+r.Transfer; l++ {
		for h := range m.Config.Heads {
			heads = append(heads, Head{l, h})
		}
	}
	return heads
}

// masks are the edits of attention, for a prompt.
func (r Recipe) masks(m *models.Model, p Prompt, first int) (edits []models.Edit, err error) {
	T := len(p.IDs)
	alone, err := PeekMask(T, first, PeekNone, nil)
	if err != nil {
		return nil, err
	}
	if r.Mode == WaitIsolated {
		for l := 0; l <= r.Wait; l++ {
			edits = append(edits, maskEdits(l, alone, nil)...)
		}
	}
	if r.Transfer >= 0 {
		peek, open := r.Peek, r.Open
		switch peek {
		case "":
			peek = PeekAll
		case PeekOperands:
			open = p.positions(Operand)
		case PeekOperators:
			open = p.positions(Operator)
		}
		if open == nil && (peek == PeekOperands || peek == PeekOperators) {
			return nil, fmt.Errorf("peek %q: the prompt's roles are not known, so that no position has that part", peek)
		}
		removed, err := PeekMask(T, first, peek, open)
		if err != nil {
			return nil, err
		}
		for l := r.Wait + 1; l < m.Config.Layers; l++ {
			if l <= r.Wait+r.Transfer {
				edits = append(edits, maskEdits(l, removed, nil)...)
			} else if !r.FreeCompute {
				edits = append(edits, maskEdits(l, alone, nil)...)
			}
		}
	}
	cut, err := r.cuts(T, first)
	return append(edits, cut...), err
}

// cuts are the edits at the last token of single heads and layers.
func (r Recipe) cuts(T, first int) (edits []models.Edit, err error) {
	if len(r.Cut)+len(r.CutLayers) > 0 {
		if r.BlindToSelf && sink(first) == 0 {
			return nil, fmt.Errorf("without a BOS in front, a last token that does not read itself would read nothing at all")
		}
		last := make([][]bool, T)
		last[T-1] = make([]bool, T)
		for k := sink(first); k < T; k++ {
			last[T-1][k] = k < T-1 || r.BlindToSelf
		}
		byLayer := map[int][]int{}
		for _, h := range r.Cut {
			byLayer[h.Layer] = append(byLayer[h.Layer], h.Head)
		}
		var layers []int
		for l := range byLayer {
			layers = append(layers, l)
		}
		slices.Sort(layers)
		for _, l := range layers {
			slices.Sort(byLayer[l]) // equal cuts share what follows from them
			edits = append(edits, maskEdits(l, last, byLayer[l])...)
		}
		for _, l := range r.CutLayers {
			edits = append(edits, maskEdits(l, last, nil)...)
		}
	}
	for _, h := range r.ZeroZ {
		z := models.Site{Layer: h.Layer, Kind: models.Z}
		edits = append(edits, models.Edit{Site: z.String(), Positions: []int{T - 1}, Heads: []int{h.Head}, Op: models.Set, Value: models.Number(0)})
	}
	return edits, nil
}

// WaitSweep is one recipe a block: it and all before it wait, and those behind
// are free. Where faithfulness falls, information has begun to move.
func WaitSweep(m *models.Model, mode WaitMode) (recipes []Recipe) {
	for w := range m.Config.Layers {
		recipes = append(recipes, Recipe{Wait: w, Mode: mode, Transfer: NoMasks})
	}
	return recipes
}

// WindowGrid is every (wait, transfer) that fits the model, wait by wait.
func WindowGrid(m *models.Model, mode WaitMode) (recipes []Recipe) {
	for w := range m.Config.Layers {
		for P := range m.Config.Layers - w {
			recipes = append(recipes, Recipe{Wait: w, Mode: mode, Transfer: P})
		}
	}
	return recipes
}

// EdgeRemoval is one recipe a block: in the model as it is, the last token loses
// there its edges to all tokens but BOS and, unless blind, itself.
func EdgeRemoval(m *models.Model, blind bool) (recipes []Recipe) {
	for l := range m.Config.Layers {
		recipes = append(recipes, Recipe{Wait: -1, Mode: WaitFree, Transfer: NoMasks, CutLayers: []int{l}, BlindToSelf: blind})
	}
	return recipes
}
