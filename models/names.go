package models

import (
	"fmt"
	"strconv"
	"strings"
)

// shortNames are the names that TransformerLens accepts for a kind besides the
// last part of its hook's name.
var shortNames = map[string]string{
	"attn": "pattern", "attn_logits": "attn_scores",
	"key": "k", "query": "q", "value": "v",
	"mlp_pre": "pre", "mlp_mid": "mid", "mlp_post": "post",
}

// newNames are TransformerLens 4's names for values that have a site. Those of
// mlp.in and mlp.gate depend on the MLP: see canonical.
var newNames = map[string]string{
	"embed.hook_out":          "hook_embed",
	"pos_embed.hook_out":      "hook_pos_embed",
	"hook_in":                 "hook_resid_pre",
	"ln1.hook_in":             "hook_resid_pre",
	"attn.hook_in":            "ln1.hook_out",
	"attn.q.hook_in":          "ln1.hook_out",
	"attn.k.hook_in":          "ln1.hook_out",
	"attn.v.hook_in":          "ln1.hook_out",
	"attn.q.hook_out":         "attn.hook_q",
	"attn.k.hook_out":         "attn.hook_k",
	"attn.v.hook_out":         "attn.hook_v",
	"attn.o.hook_in":          "attn.hook_z",
	"attn.o.hook_out":         "hook_attn_out",
	"attn.hook_out":           "hook_attn_out",
	"attn.hook_hidden_states": "hook_attn_out",
	"ln2.hook_in":             "hook_resid_mid",
	"mlp.hook_in":             "ln2.hook_out",
	"mlp.in.hook_in":          "ln2.hook_out",
	"mlp.out.hook_in":         "mlp.hook_post",
	"mlp.out.hook_out":        "hook_mlp_out",
	"mlp.hook_out":            "hook_mlp_out",
	"hook_out":                "hook_resid_post",
	"unembed.hook_in":         "ln_final.hook_out",
	"unembed.hook_out":        "logits",
	"hook_unembed":            "logits",
}

// behindNames replace newNames where norms stand behind attention and MLP: there
// hook_attn_out and hook_mlp_out are what these norms give, and the names mean
// what they read, which has no site.
var behindNames = map[string]string{
	"attn.o.hook_out":         "ln1_post.hook_in",
	"attn.hook_out":           "ln1_post.hook_in",
	"attn.hook_hidden_states": "ln1_post.hook_in",
	"mlp.out.hook_out":        "ln2_post.hook_in",
	"mlp.hook_out":            "ln2_post.hook_in",
}

// narrowNames are version 4's names whose value is a site's, while an edit there
// reaches less than an edit at the site does: what it reaches, and which names
// to write instead.
var narrowNames = map[string]string{
	"ln1.hook_in":      "the attention alone: write hook_attn_in for that, or hook_resid_pre for the whole stream",
	"ln2.hook_in":      "the MLP alone: write hook_mlp_in for that, or hook_resid_mid for the whole stream",
	"attn.q.hook_in":   "the queries alone: write hook_q_input (before the norm) for that, or ln1.hook_out for queries, keys and values",
	"attn.k.hook_in":   "the keys alone: write hook_k_input (before the norm) for that, or ln1.hook_out for queries, keys and values",
	"attn.v.hook_in":   "the values alone: write hook_v_input (before the norm) for that, or ln1.hook_out for queries, keys and values",
	"mlp.in.hook_in":   "one projection alone: write mlp.hook_pre_linear for its output, or ln2.hook_out for the whole MLP",
	"mlp.gate.hook_in": "the gate alone: write mlp.hook_pre for its output, or ln2.hook_out for the whole MLP",
}

// noSites are names of TransformerLens, 3 or 4, that are no site of any model
// here, with the reason. Those in blocks stand without the layer.
var noSites = map[string]string{
	"hook_tokens":        "token ids are the input of a run, not an activation",
	"embed.hook_in":      "token ids are the input of a run, not an activation",
	"pos_embed.hook_in":  "positions are counted from a row's first token, and are no activation",
	"rotary_emb.hook_in": whyAngles, "rotary_emb.hook_out": whyAngles,
	"rotary_emb.hook_cos": whyAngles, "rotary_emb.hook_sin": whyAngles,
	"attn.hook_cos": whyAngles, "attn.hook_sin": whyAngles,
	"ln1_post.hook_in": whyBehind, "ln2_post.hook_in": whyBehind,
	"attn.qkv.hook_in": whyFused, "attn.qkv.hook_out": whyFused,
	"mlp.hook_mid": whySoLU, "mlp.ln.hook_scale": whySoLU, "mlp.ln.hook_normalized": whySoLU,
	"mlp.hook_gate": whyExperts, "mlp.hook_expert_weights": whyExperts, "mlp.hook_expert_indices": whyExperts,
	"hook_full_embed": whyEncoder, "hook_token_type_embed": whyEncoder, "hook_pooler_out": whyEncoder,
	"hook_nsp_out": whyEncoder, "hook_normalized_resid_post": whyEncoder,
	"hook_cross_attn_in": whyEncoder, "hook_cross_attn_out": whyEncoder, "hook_resid_mid_cross": whyEncoder,
	"attn.rel_pos_hook": whyEncoder, "rel_pos_hook": whyEncoder,
}

// Reasons that several names share.
const (
	whyAngles  = "the angles of rotary positions are constants, and no activation: what they turn is attn.hook_rot_q and attn.hook_rot_k"
	whyFused   = "it never fires in TransformerLens either: read attn.hook_q, attn.hook_k and attn.hook_v"
	whyBehind  = "what a norm behind attention or MLP reads has no site: behind it stand hook_attn_out and hook_mlp_out, before it hook_result and mlp.hook_post"
	whySoLU    = "it exists in MLPs with a norm inside (SoLU), which this program does not run"
	whyExperts = "it exists in mixtures of experts, which this program does not run"
	whyEncoder = "it exists in encoders and encoder-decoders, which this program does not run"
	whyGrad    = "gradients have no names of their own: they are kept under the name of the value"
)

// Site finds the site of a name. It accepts
//
//   - TransformerLens' names: blocks.3.attn.hook_pattern, ln_final.hook_scale;
//   - its version 4's names for the same values: blocks.3.hook_in, blocks.3.attn.o.hook_in,
//     ln_final.hook_in;
//   - negative layers, which count from the last: blocks.-1.hook_resid_post;
//   - its short names, with the layer and a norm's name where there are several:
//     z3, k6, pattern0, attn3, pre5, mlp_out2, scale4ln1, resid_post-1, embed,
//     and scale and normalized for the final norm's;
//   - the same as a tuple of Python: ("z", 3) or z,3 or scale,2,ln1.
//
// Any other name is an UnknownSiteError with the nearest names and shapes, or
// with the reason why there is no such site.
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
	why, known := noSites[part]
	if strings.HasSuffix(part, "_grad") {
		why, known = whyGrad, true
	}
	if known {
		return Site{}, UnknownSiteError{Name: name, Why: why}
	}
	return Site{}, UnknownSiteError{Name: name, Nearest: m.nearest(canonical)}
}

// isNoSite reports whether a name is one of noSites.
func (m *Model) isNoSite(name string) bool {
	_, part, err := m.layerOf(m.canonical(strings.TrimSpace(name)))
	return err == nil && noSites[part] != ""
}

// editSite is Site for an edit. A name whose edit would reach further here than
// in TransformerLens is an error that says what to write.
func (m *Model) editSite(name string) (Site, error) {
	s, err := m.Site(name)
	if err != nil {
		return s, err
	}
	part := strings.TrimSpace(name)
	if rest, ok := strings.CutPrefix(part, "blocks."); ok {
		_, part, _ = strings.Cut(rest, ".")
	}
	if part == "mlp.in.hook_in" && !m.Config.Gated {
		return s, nil // the only reader
	}
	if reach, narrow := narrowNames[part]; narrow {
		return s, fmt.Errorf("an edit at %s would reach %s", part, reach)
	}
	return s, nil
}

// absence says why a kind does not exist in this model.
func (m *Model) absence(k Kind) string {
	if m.Config.AttnOnly && k >= ResidMid && k <= MLPOut {
		return "it exists where blocks have an MLP, and this model's have none"
	}
	switch k {
	case PosEmbed:
		return fmt.Sprintf("it exists with learned positions, and this model's are %s", m.Config.Positions)
	case RotQ, RotK:
		return fmt.Sprintf("it exists with rotary positions, and this model's are %s", m.Config.Positions)
	case PreLinear:
		return "it exists in gated MLPs, and this model's are plain"
	case ResidMid:
		return "it exists in serial blocks, and in this model's attention and MLP read the same stream"
	case LN1Scale, LN1Normalized, LN1Out, LN2Scale, LN2Normalized, LN2Out, FinalScale, FinalNormalized, FinalOut:
		return "it exists where a norm reads the stream, and this model has none there"
	case LN1PostScale, LN1PostNormalized, LN1PostOut, LN2PostScale, LN2PostNormalized, LN2PostOut:
		return "it exists where norms stand behind attention and MLP, and this model's stand before them"
	case QNormScale, QNormNormalized, QNormOut, KNormScale, KNormNormalized, KNormOut:
		return "it exists where queries and keys are normed, and this model's are not"
	case EmbedLNScale, EmbedLNNormalized, EmbedLNOut:
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
		case m.Config.behind() && behindNames[part] != "":
			return "blocks." + layer + "." + behindNames[part]
		case part == "mlp.gate.hook_in" && m.Config.Gated:
			part = "ln2.hook_out"
		case part == "mlp.in.hook_out", part == "mlp.gate.hook_out" && m.Config.Gated:
			part = "mlp.hook_pre"
		}
		if old, ok := newNames[part]; ok {
			part = old
		}
		return "blocks." + layer + "." + part
	}
	if name == "ln_final.hook_in" {
		return Site{m.Config.Layers - 1, ResidPost}.String()
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
