package models

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"orrery/models/tensor"
	"orrery/models/weights"
)

// inBlock splits the name of a tensor of a block: where the blocks stand, and
// the number of the block.
var inBlock = regexp.MustCompile(`^((?:.*?\.)?(?:h|layers|blocks)\.)(\d+)\.`)

// leftover refuses a file that holds weights of the decoder for which this config
// has no place: a block beyond the last, a bias or a norm that config.json does
// not have, an adapter, an unembedding of its own where config.json ties it to
// the embedding p.Embed. To pass over them would run another model than the file's.
//
// Masks, frequencies and biases of zeros are left alone, as are the parts around
// the decoder: for pictures, or for other tasks.
//
// transformers passes a block beyond the last over with a warning. Of the families
// here none is published so: those whose files hold more blocks than their configs
// count, for predicting several tokens at once (DeepSeek 3, GLM 4.5, Qwen3-Next), are
// others, and transformers 5.24 names the blocks that it passes over in those alone.
// So it is a config that was cut or mistyped, and a run of it another model.
func (c *checkpoint) leftover(cfg Config, p *Params) error {
	wanted, stands, embed := map[string]bool{}, map[string]bool{}, ""
	for i := range c.wishes {
		w := &c.wishes[i]
		wanted[w.name] = true
		if at := inBlock.FindStringSubmatch(w.name); at != nil {
			stands[at[1]] = true
		}
		if w.at == &p.Embed {
			embed = w.name
		}
	}
	var errs []error
	for _, name := range c.file.Names() {
		info, _ := c.file.Info(name)
		module, isBias := strings.CutSuffix(name, ".bias")
		if !isBias {
			module = strings.TrimSuffix(name, ".weight")
		}
		if rank := len(info.Shape); wanted[name] || module == name || rank < 1 || rank > 2 { // masks have four axes
			continue
		}
		at := inBlock.FindStringSubmatch(name)
		within := at != nil && stands[at[1]]
		last := module[strings.LastIndexByte(module, '.')+1:]
		head := last == "lm_head" || last == "embed_out"
		switch {
		case within && beyond(at[2], cfg.Layers):
			errs = append(errs, fmt.Errorf("%s is in the file, and config.json counts %d layers", name, cfg.Layers))
		case isBias && (within || head || wanted[module+".weight"]):
			errs = append(errs, c.mustBe(info, "", "has no place for it"))
		case within:
			errs = append(errs, fmt.Errorf("%s is in the file, and config.json has no place for it", name))
		case head && cfg.Tied:
			errs = append(errs, c.mustBe(info, embed, "says that the unembedding is the embedding (tie_word_embeddings)"))
		}
	}
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	const told = 5
	if more := len(errs) - told; more > 0 {
		errs = append(errs[:told], fmt.Errorf("and %d tensors more", more))
	}
	return errors.Join(errs...)
}

// beyond reports whether a block's number is none of the first layers.
func beyond(number string, layers int) bool {
	l, err := strconv.Atoi(number)
	return err != nil || l >= layers
}

// mustBe refuses a tensor with other numbers than those of the tensor called
// like, or than zeros when like is "": config.json says otherwise.
func (c *checkpoint) mustBe(info weights.Info, like, says string) error {
	if other, ok := c.file.Info(like); ok && !tensor.SameShape(info.Shape, other.Shape) {
		return fmt.Errorf("%s has shape %v and %s %v, and config.json %s", info.Name, info.Shape, like, other.Shape, says)
	}
	const piece = 1 << 16
	x, y := make([]float32, piece), make([]float32, piece)
	for lo, n := 0, (&wish{shape: info.Shape}).size(); lo < n; lo += piece {
		x, y := x[:min(piece, n-lo)], y[:min(piece, n-lo)]
		if err := c.file.Read(x, info.Name, lo); err != nil {
			return err
		}
		if like != "" {
			if err := c.file.Read(y, like, lo); err != nil {
				return err
			}
		}
		for i := range x {
			if x[i] != y[i] {
				return fmt.Errorf("%s%v is %g in the file, and not %g: config.json %s", info.Name, unravel(lo+i, info.Shape), x[i], y[i], says)
			}
		}
	}
	return nil
}
