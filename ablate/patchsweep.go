package ablate

import (
	"fmt"
	"slices"
	"strings"

	"orrery/models"
	"orrery/models/nearest"
)

// PatchSweep says which cells a patching sweep has: one for every index on its
// axes, each with what the site has there replaced.
type PatchSweep struct {
	// Name is that of TransformerLens' function without get_act_patch_.
	Name string
	// Site is a block's hook, "attn.hook_z".
	Site string
	// Axes are "layer" and axes of the site, in the order of the result: pos, head,
	// kv_head, query (the destination), key (the source), d_head, d_mlp, d_model.
	// What has no axis is replaced whole.
	Axes []string
}

// PatchSweeps lists TransformerLens' functions (transformer_lens.patching,
// version 3) and resid_post. Keys and values have an axis of key-value heads,
// which are fewer than the heads where queries are grouped. A pattern's pos is
// the destination; its dest_src sweep replaces single entries and does not
// bring the row to a sum of 1 again.
//
// Any other PatchSweep is TransformerLens' generic_activation_patch: take a
// site and axes of your own.
func PatchSweeps() []PatchSweep {
	byPos, byLayer := []string{"layer", "pos", "head"}, []string{"layer", "head"}
	kvByPos, kvByLayer := []string{"layer", "pos", "kv_head"}, []string{"layer", "kv_head"}
	pos := []string{"layer", "pos"}
	return []PatchSweep{
		{"resid_pre", "hook_resid_pre", pos},
		{"resid_mid", "hook_resid_mid", pos},
		{"resid_post", "hook_resid_post", pos},
		{"attn_out", "hook_attn_out", pos},
		{"mlp_out", "hook_mlp_out", pos},
		{"attn_head_out_by_pos", "attn.hook_z", byPos},
		{"attn_head_q_by_pos", "attn.hook_q", byPos},
		{"attn_head_k_by_pos", "attn.hook_k", kvByPos},
		{"attn_head_v_by_pos", "attn.hook_v", kvByPos},
		{"attn_head_pattern_by_pos", "attn.hook_pattern", []string{"layer", "query", "head"}},
		{"attn_head_pattern_dest_src_pos", "attn.hook_pattern", []string{"layer", "head", "query", "key"}},
		{"attn_head_out_all_pos", "attn.hook_z", byLayer},
		{"attn_head_q_all_pos", "attn.hook_q", byLayer},
		{"attn_head_k_all_pos", "attn.hook_k", kvByLayer},
		{"attn_head_v_all_pos", "attn.hook_v", kvByLayer},
		{"attn_head_pattern_all_pos", "attn.hook_pattern", byLayer},
	}
}

// groups are TransformerLens' functions that stack several sweeps.
var groups = []struct {
	name    string
	members []string
}{
	{"block_every", []string{"resid_pre", "attn_out", "mlp_out"}},
	{"attn_head_all_pos_every", []string{"attn_head_out_all_pos", "attn_head_q_all_pos", "attn_head_k_all_pos", "attn_head_v_all_pos", "attn_head_pattern_all_pos"}},
	{"attn_head_by_pos_every", []string{"attn_head_out_by_pos", "attn_head_q_by_pos", "attn_head_k_by_pos", "attn_head_v_by_pos", "attn_head_pattern_by_pos"}},
}

// PatchSweepNames lists the names that PatchSweepsByName knows.
func PatchSweepNames() (names []string) {
	for _, s := range PatchSweeps() {
		names = append(names, s.Name)
	}
	for _, g := range groups {
		names = append(names, g.name)
	}
	return names
}

// PatchSweepsByName finds the sweep of a name, or the several that block_every,
// attn_head_all_pos_every or attn_head_by_pos_every stand for.
func PatchSweepsByName(name string) (out []PatchSweep, err error) {
	members := []string{name}
	for _, g := range groups {
		if g.name == name {
			members = g.members
		}
	}
	all := PatchSweeps()
	for _, member := range members {
		i := slices.IndexFunc(all, func(s PatchSweep) bool { return s.Name == member })
		if i < 0 {
			return nil, fmt.Errorf("unknown sweep %q; one of %s", name, strings.Join(nearest.Names(name, PatchSweepNames(), 5), ", "))
		}
		out = append(out, all[i])
	}
	return out, nil
}

// site is the sweep's site in a block.
func (s PatchSweep) site(m *models.Model, layer int) (models.Site, error) {
	return m.Site(fmt.Sprintf("blocks.%d.%s", layer, s.Site))
}

// Shape gives the lengths of the axes for prompts of T tokens.
func (s PatchSweep) Shape(m *models.Model, T int) ([]int, error) {
	site, err := s.site(m, 0)
	if err != nil {
		return nil, fmt.Errorf("sweep %s: %w", s.Name, err)
	}
	if len(s.Axes) == 0 || s.Axes[0] != "layer" {
		return nil, fmt.Errorf("sweep %s: the first axis is to be layer, not %v", s.Name, s.Axes)
	}
	shape, axes, sizes := []int{m.Config.Layers}, m.Axes(site), m.Shape(site, 1, T)
	for i, axis := range s.Axes[1:] {
		at := slices.Index(axes, axis)
		if at < 1 {
			return nil, fmt.Errorf("sweep %s: %s has no axis %q: its axes are %v", s.Name, site, axis, axes[1:])
		}
		if slices.Contains(s.Axes[1:i+1], axis) {
			return nil, fmt.Errorf("sweep %s: axis %q stands there twice", s.Name, axis)
		}
		shape = append(shape, sizes[at])
	}
	return shape, nil
}

// window is the layers lo ≤ l < hi of a window of n layers around one.
func window(layer, n, layers int) (lo, hi int) {
	lo = layer - (n-1)/2
	return max(lo, 0), min(lo+n, layers)
}
