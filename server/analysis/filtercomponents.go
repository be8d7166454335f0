package analysis

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"orrery/ablate"
)

// componentHelp says how components are named.
const componentHelp = `"attn" and "mlp" are all of a kind, "attn 2", "mlp 3" and "head 2.1" (layer 2, head 1) single ones`

// components reads which outputs are filtered: whole kinds in the chosen layers,
// and single blocks and heads.
func (r *filterRun) components() error {
	layers, err := r.layers()
	if err != nil {
		return err
	}
	r.kinds = map[string][]ablate.Node{}
	for name, part := range map[string]ablate.Part{"attn": ablate.AttentionPart, "mlp": ablate.MLPPart} {
		if name == "mlp" && r.m.Config.AttnOnly {
			continue
		}
		all, err := ablate.Nodes(r.m, part)
		if err != nil {
			return err
		}
		for _, n := range all {
			if len(layers) == 0 || layers[n.Layer] {
				r.kinds[name] = append(r.kinds[name], n)
			}
		}
	}
	single := false
	for _, text := range r.a["components"].([]string) {
		if text == "attn" || text == "mlp" {
			r.chosen = append(r.chosen, r.kinds[text]...)
			continue
		}
		n, err := r.component(text)
		if err != nil {
			return err
		}
		single = true
		r.chosen = append(r.chosen, n)
	}
	if len(r.chosen) == 0 {
		return &hintError{"components: no output is left to filter", componentHelp}
	}
	if err := r.apart(); err != nil {
		return err
	}
	if single && len(layers) > 0 && !slices.Contains(r.a["components"].([]string), "attn") && !slices.Contains(r.a["components"].([]string), "mlp") {
		return &hintError{fmt.Sprintf("layers: the components %s name their layers themselves", strings.Join(r.a["components"].([]string), ", ")), "leave layers out"}
	}
	r.single = single
	return nil
}

// layers reads the parameter; none for all.
func (r *filterRun) layers() (map[int]bool, error) {
	layers, L := map[int]bool{}, r.m.Config.Layers
	for _, text := range r.a["layers"].([]string) {
		l, err := strconv.Atoi(text)
		if err != nil || l < -L || l >= L {
			return nil, &hintError{fmt.Sprintf("layers: %q is outside 0..%d (or -%d..-1 from the end)", text, L-1, L), "leave it out for all"}
		}
		layers[(l+L)%L] = true
	}
	return layers, nil
}

// component reads "attn 2", "mlp 3" or "head 2.1".
func (r *filterRun) component(text string) (ablate.Node, error) {
	unknown := &hintError{fmt.Sprintf("components: there is no %q in %d layers of %d heads", text, r.m.Config.Layers, r.m.Config.Heads), componentHelp}
	kind, place, ok := strings.Cut(text, " ")
	part := map[string]ablate.Part{"attn": ablate.AttentionPart, "mlp": ablate.MLPPart, "head": ablate.HeadPart}[kind]
	if !ok || part == "" || part == ablate.MLPPart && r.m.Config.AttnOnly {
		return ablate.Node{}, unknown
	}
	layer, index, ofHead := strings.Cut(place, ".")
	n := ablate.Node{Part: part}
	var err error
	if n.Layer, err = strconv.Atoi(layer); err != nil || ofHead != (part == ablate.HeadPart) {
		return n, unknown
	}
	if ofHead {
		if n.Index, err = strconv.Atoi(index); err != nil {
			return n, unknown
		}
	}
	all, err := ablate.Nodes(r.m, part)
	if err != nil {
		return n, err
	}
	if !slices.Contains(all, n) {
		return n, unknown
	}
	return n, nil
}

// apart refuses components that are there twice, on their own or within another.
func (r *filterRun) apart() error {
	for i, n := range r.chosen {
		if slices.Contains(r.chosen[:i], n) {
			return &hintError{fmt.Sprintf("components: %s is there twice", n), "a component is filtered once: name it alone or its whole kind"}
		}
		block := ablate.Node{Part: ablate.AttentionPart, Layer: n.Layer}
		if n.Part == ablate.HeadPart && slices.Contains(r.chosen, block) {
			return &hintError{fmt.Sprintf("components: %s is a part of %s, which is filtered, too", n, block), "name one of them"}
		}
	}
	return nil
}

// componentSet is components that are filtered together.
type componentSet struct {
	name  string
	nodes []ablate.Node
}

// sets are those of the table: attention, MLPs and both; or, where single ones were
// named, each of a few of these and all of them together. The last is the curve's.
func (r *filterRun) sets() (out []componentSet) {
	if !r.single {
		for _, name := range []string{"attn", "mlp"} {
			if len(r.kinds[name]) > 0 {
				out = append(out, componentSet{name, r.kinds[name]})
			}
		}
		if len(out) == 2 {
			out = append(out, componentSet{"attn + mlp", append(slices.Clone(r.kinds["attn"]), r.kinds["mlp"]...)})
		}
		return out
	}
	names := r.a["components"].([]string)
	if len(names) > 1 && len(names) <= mostSingles {
		for _, text := range names {
			nodes := r.kinds[text]
			if nodes == nil {
				n, err := r.component(text)
				if err != nil {
					continue // it was read before
				}
				nodes = []ablate.Node{n}
			}
			out = append(out, componentSet{text, nodes})
		}
	}
	return append(out, componentSet{r.together(), r.chosen})
}

// mostSingles is how many components have rows of their own in the table.
const mostSingles = 3

// together names the chosen components in a row of the table.
func (r *filterRun) together() string {
	if names := r.a["components"].([]string); len(names) == 1 {
		return names[0]
	}
	return "together"
}

// where names the outputs that the curve filters.
func (r *filterRun) where() string {
	var kinds, singles []string
	for _, text := range r.a["components"].([]string) {
		if text == "attn" || text == "mlp" {
			kinds = append(kinds, text)
		} else {
			singles = append(singles, text)
		}
	}
	if len(kinds) == 0 {
		return strings.Join(singles, ", ")
	}
	text := strings.Join(kinds, " and ") + " in all layers"
	if layers := r.a["layers"].([]string); len(layers) > 0 {
		text = strings.Join(kinds, " and ") + " in layers " + strings.Join(layers, ", ")
	}
	return strings.Join(append([]string{text}, singles...), ", ")
}
