package models

import (
	"fmt"
	"strconv"
	"strings"

	"orrery/models/nearest"
)

// shortNames are the names that TransformerLens accepts for a kind besides the
// last part of its hook's name.
var shortNames = map[string]string{
	"attn": "pattern", "attn_logits": "attn_scores",
	"key": "k", "query": "q", "value": "v",
	"mlp_pre": "pre", "mlp_mid": "mid", "mlp_post": "post",
}

// newNames are TransformerLens 4's names for the values that its version 3
// already had. Those of mlp.in and mlp.gate depend on the MLP: see canonical.
var newNames = map[string]string{
	"embed.hook_out":     "hook_embed",
	"pos_embed.hook_out": "hook_pos_embed",
	"hook_in":            "hook_resid_pre",
	"ln1.hook_in":        "hook_resid_pre",
	"attn.q.hook_out":    "attn.hook_q",
	"attn.k.hook_out":    "attn.hook_k",
	"attn.v.hook_out":    "attn.hook_v",
	"attn.o.hook_in":     "attn.hook_z",
	"attn.o.hook_out":    "hook_attn_out",
	"attn.hook_out":      "hook_attn_out",
	"ln2.hook_in":        "hook_resid_mid",
	"mlp.out.hook_in":    "mlp.hook_post",
	"mlp.hook_out":       "hook_mlp_out",
	"hook_out":           "hook_resid_post",
	"unembed.hook_out":   "logits",
	"hook_unembed":       "logits",
}

// Site finds the site of a name. It accepts
//
//   - TransformerLens' names: blocks.3.attn.hook_pattern, ln_final.hook_scale;
//   - its version 4's names for the same values: blocks.3.hook_in, blocks.3.attn.o.hook_in;
//   - negative layers, which count from the last: blocks.-1.hook_resid_post;
//   - its short names, with the layer and a norm's name where there are several:
//     z3, k6, pattern0, attn3, pre5, mlp_out2, scale4ln1, resid_post-1, embed,
//     and scale and normalized for the final norm's;
//   - the same as a tuple of Python: ("z", 3) or z,3 or scale,2,ln1.
//
// Any other name is an UnknownSiteError with the nearest names and shapes.
func (m *Model) Site(name string) (Site, error) {
	canonical := m.canonical(strings.TrimSpace(name))
	layer, part, err := m.layerOf(canonical)
	if err != nil {
		return Site{}, UnknownSiteError{Name: name, Why: err.Error()}
	}
	for k := range kinds {
		if kinds[k].name != part || kinds[k].layer != (layer >= 0) {
			continue
		}
		if s := (Site{layer, Kind(k)}); m.has(s) {
			return s, nil
		}
		return Site{}, UnknownSiteError{Name: name, Nearest: m.nearest(canonical), Why: m.absence(Kind(k))}
	}
	return Site{}, UnknownSiteError{Name: name, Nearest: m.nearest(canonical)}
}

// absence says why a kind does not exist in this model.
func (m *Model) absence(k Kind) string {
	switch k {
	case PosEmbed:
		return fmt.Sprintf("it exists with learned positions, and this model's are %s", m.Config.Positions)
	case RotQ, RotK:
		return fmt.Sprintf("it exists with rotary positions, and this model's are %s", m.Config.Positions)
	case PreLinear:
		return "it exists in gated MLPs, and this model's are plain"
	case ResidMid:
		return "it exists in serial blocks, and in this model's attention and MLP read the same stream"
	case LN1Scale, LN1Normalized, LN2Scale, LN2Normalized, FinalScale, FinalNormalized:
		return "it exists where a norm reads the stream, and this model has none there"
	case LN1PostScale, LN1PostNormalized, LN2PostScale, LN2PostNormalized:
		return "it exists where norms stand behind attention and MLP, and this model's stand before them"
	case QNormScale, QNormNormalized, KNormScale, KNormNormalized:
		return "it exists where queries and keys are normed, and this model's are not"
	case EmbedLNScale, EmbedLNNormalized:
		return "it exists where the embedding is normed, and this model's is not"
	}
	return ""
}

// canonical brings short and new names to the form of Site.String; layers may
// still be negative.
func (m *Model) canonical(name string) string {
	if rest, ok := strings.CutPrefix(name, "blocks."); ok {
		layer, part, _ := strings.Cut(rest, ".")
		switch {
		case part == "mlp.in.hook_out" && m.Config.Gated:
			part = "mlp.hook_pre_linear"
		case part == "mlp.in.hook_out", part == "mlp.gate.hook_out" && m.Config.Gated:
			part = "mlp.hook_pre"
		}
		if old, ok := newNames[part]; ok {
			part = old
		}
		return "blocks." + layer + "." + part
	}
	if old, ok := newNames[name]; ok {
		return old
	}
	if short, layer, norm, ok := splitShort(name); ok {
		if full, ok := expandShort(short, layer, norm); ok {
			return full
		}
	}
	return name
}

// layerOf splits a canonical name into its layer, -1 for none, and the rest.
func (m *Model) layerOf(name string) (int, string, error) {
	rest, ok := strings.CutPrefix(name, "blocks.")
	if !ok {
		return -1, name, nil
	}
	number, part, _ := strings.Cut(rest, ".")
	layer, err := strconv.Atoi(number)
	if err != nil {
		return -1, name, nil // no such name: the nearest ones are listed
	}
	n := m.Config.Layers
	if layer < -n || layer >= n {
		return 0, "", fmt.Errorf("layer %d is outside 0..%d (or -%d..-1 from the last)", layer, n-1, n)
	}
	if layer < 0 {
		layer += n
	}
	return layer, part, nil
}

// splitShort splits a short name or a tuple into the kind, the layer ("" for
// none) and the norm ("" for none).
func splitShort(name string) (kind, layer, norm string, ok bool) {
	if strings.ContainsAny(name, ",(") {
		fields := strings.Split(strings.Trim(name, "()"), ",")
		for i, f := range fields {
			fields[i] = strings.Trim(f, ` "'`)
		}
		if len(fields) == 0 || len(fields) > 3 {
			return "", "", "", false
		}
		fields = append(fields, "", "")
		return fields[0], fields[1], fields[2], true
	}
	if at := strings.LastIndex(name, "ln"); at > 0 && (name[at:] == "ln1" || name[at:] == "ln2") {
		name, norm = name[:at], name[at:]
	}
	kind = strings.TrimRight(name, "0123456789")
	layer = name[len(kind):]
	if layer != "" && strings.HasSuffix(kind, "-") {
		kind, layer = kind[:len(kind)-1], "-"+layer
	}
	return kind, layer, norm, kind != ""
}

// expandShort finds the full name that a short one stands for.
func expandShort(short, layer, norm string) (string, bool) {
	if full, ok := shortNames[short]; ok {
		short = full
	}
	if layer == "" {
		if short == "scale" || short == "normalized" {
			return "ln_final.hook_" + short, true
		}
		for k := range kinds {
			if !kinds[k].layer && kinds[k].name == "hook_"+short {
				return kinds[k].name, true
			}
		}
		return "", false
	}
	for k := range kinds {
		part, last := "", kinds[k].name
		if at := strings.LastIndexByte(last, '.'); at >= 0 {
			part, last = last[:at], last[at+1:]
		}
		if kinds[k].layer && last == "hook_"+short && (norm == "" || part == norm) {
			return "blocks." + layer + "." + kinds[k].name, true
		}
	}
	return "", false
}

// nearest lists the sites whose names are likest to name, with their axes.
func (m *Model) nearest(name string) []string {
	const most = 4
	byName, names := make(map[string]Site), []string(nil)
	for _, s := range m.Sites() {
		byName[s.String()] = s
		names = append(names, s.String())
	}
	out := nearest.Names(name, names, most)
	for i, near := range out {
		out[i] = fmt.Sprintf("%s [%s]", near, strings.Join(m.Axes(byName[near]), ","))
	}
	return out
}

// Match selects the sites that a glob covers: * stands for any characters,
// dots included, and ? for one. Several globs are separated by commas. A part
// without either is a name as in Site. A part that covers no site is an
// UnknownSiteError.
func (m *Model) Match(glob string) (Selector, error) {
	var chosen []Site
	all := m.Sites()
	if s, err := m.Site(glob); err == nil { // a tuple holds commas
		return Sites(s), nil
	}
	for _, part := range strings.Split(glob, ",") {
		part = strings.TrimSpace(part)
		if !strings.ContainsAny(part, "*?") {
			s, err := m.Site(part)
			if err != nil {
				return nil, err
			}
			chosen = append(chosen, s)
			continue
		}
		before := len(chosen)
		for _, s := range all {
			if globMatch(part, s.String()) {
				chosen = append(chosen, s)
			}
		}
		if len(chosen) == before {
			return nil, UnknownSiteError{Name: part, Nearest: m.nearest(strings.ReplaceAll(part, "*", ""))}
		}
	}
	return Sites(chosen...), nil
}

// globMatch reports whether name matches the glob, in time |glob|·|name|.
func globMatch(glob, name string) bool {
	g, n, star, resume := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, resume = g, n
			g++
		case g < len(glob) && (glob[g] == '?' || glob[g] == name[n]):
			g, n = g+1, n+1
		case star >= 0:
			resume++
			g, n = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(glob[g:], "*") == ""
}
