package models_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
)

// nameRow is one of TransformerLens' names for block 1 of 2, with our site and
// its shape on a model of GPT-2's kind (plain MLP, learned positions) and of
// Llama's (gated, rotary, grouped queries). "!" begins the reason for which a
// model has no such site; "=" stands for the name itself; "" for gpt2's entry.
type nameRow struct{ name, shape, gpt2, llama string }

// TestEveryName holds every name of TransformerLens 3 and 4 for decoders, and
// those that never fire or belong to other models, to its site and shape.
func TestEveryName(t *testing.T) {
	rows := []nameRow{
		// Version 3.
		{"hook_embed", "btd", "=", ""},
		{"hook_pos_embed", "btd", "=", "!this model's are rotary"},
		{"hook_tokens", "", "!input of a run", ""},
		{"blocks.1.hook_resid_pre", "btd", "=", ""},
		{"blocks.1.hook_resid_mid", "btd", "=", ""},
		{"blocks.1.hook_resid_post", "btd", "=", ""},
		{"blocks.1.hook_attn_out", "btd", "=", ""},
		{"blocks.1.hook_mlp_out", "btd", "=", ""},
		{"blocks.1.hook_attn_in", "bthd", "=", ""},
		{"blocks.1.hook_q_input", "bthd", "=", ""},
		{"blocks.1.hook_k_input", "btgd", "=", ""},
		{"blocks.1.hook_v_input", "btgd", "=", ""},
		{"blocks.1.hook_mlp_in", "btd", "=", ""},
		{"blocks.1.ln1.hook_scale", "bt1", "=", ""},
		{"blocks.1.ln1.hook_normalized", "btd", "=", ""},
		{"blocks.1.ln2.hook_scale", "bt1", "=", ""},
		{"blocks.1.ln2.hook_normalized", "btd", "=", ""},
		{"ln_final.hook_scale", "bt1", "=", ""},
		{"ln_final.hook_normalized", "btd", "=", ""},
		{"blocks.1.attn.hook_q", "bthk", "=", ""},
		{"blocks.1.attn.hook_k", "btgk", "=", ""},
		{"blocks.1.attn.hook_v", "btgk", "=", ""},
		{"blocks.1.attn.hook_z", "bthk", "=", ""},
		{"blocks.1.attn.hook_rot_q", "bthk", "!this model's are learned", "="},
		{"blocks.1.attn.hook_rot_k", "btgk", "!this model's are learned", "="},
		{"blocks.1.attn.hook_attn_scores", "bhtt", "=", ""},
		{"blocks.1.attn.hook_pattern", "bhtt", "=", ""},
		{"blocks.1.attn.hook_result", "bthd", "=", ""},
		{"blocks.1.mlp.hook_pre", "btf", "=", ""},
		{"blocks.1.mlp.hook_pre_linear", "btf", "!gated", "="},
		{"blocks.1.mlp.hook_post", "btf", "=", ""},
		{"blocks.1.mlp.hook_mid", "", "!SoLU", ""},
		{"blocks.1.mlp.ln.hook_scale", "", "!SoLU", ""},
		{"blocks.1.mlp.ln.hook_normalized", "", "!SoLU", ""},
		{"blocks.1.mlp.hook_gate", "", "!experts", ""},
		{"blocks.1.mlp.hook_expert_weights", "", "!experts", ""},
		{"blocks.1.mlp.hook_expert_indices", "", "!experts", ""},
		{"hook_full_embed", "", "!encoder", ""},
		{"hook_token_type_embed", "", "!encoder", ""},
		{"hook_pooler_out", "", "!encoder", ""},
		{"hook_nsp_out", "", "!encoder", ""},
		{"blocks.1.hook_normalized_resid_post", "", "!encoder", ""},
		{"blocks.1.hook_cross_attn_in", "", "!encoder", ""},
		{"blocks.1.hook_cross_attn_out", "", "!encoder", ""},
		{"blocks.1.hook_resid_mid_cross", "", "!encoder", ""},
		{"blocks.1.attn.rel_pos_hook", "", "!encoder", ""},
		{"blocks.1.hook_resid_pre_grad", "", "!gradients", ""},
		{"hook_embed_grad", "", "!gradients", ""},
		// Version 4.
		{"embed.hook_in", "", "!input of a run", ""},
		{"embed.hook_out", "btd", "hook_embed", ""},
		{"pos_embed.hook_in", "", "!counted", ""},
		{"pos_embed.hook_out", "btd", "hook_pos_embed", "!this model's are rotary"},
		{"rotary_emb.hook_out", "", "!constants", ""},
		{"rotary_emb.hook_cos", "", "!constants", ""},
		{"rotary_emb.hook_sin", "", "!constants", ""},
		{"blocks.1.attn.hook_cos", "", "!constants", ""},
		{"blocks.1.attn.hook_sin", "", "!constants", ""},
		{"blocks.1.hook_in", "btd", "blocks.1.hook_resid_pre", ""},
		{"blocks.1.ln1.hook_in", "btd", "blocks.1.hook_resid_pre", ""},
		{"blocks.1.ln1.hook_out", "btd", "=", ""},
		{"blocks.1.attn.hook_in", "btd", "blocks.1.ln1.hook_out", ""},
		{"blocks.1.attn.q.hook_in", "btd", "blocks.1.ln1.hook_out", ""},
		{"blocks.1.attn.k.hook_in", "btd", "blocks.1.ln1.hook_out", ""},
		{"blocks.1.attn.v.hook_in", "btd", "blocks.1.ln1.hook_out", ""},
		{"blocks.1.attn.q.hook_out", "bthk", "blocks.1.attn.hook_q", ""},
		{"blocks.1.attn.k.hook_out", "btgk", "blocks.1.attn.hook_k", ""},
		{"blocks.1.attn.v.hook_out", "btgk", "blocks.1.attn.hook_v", ""},
		{"blocks.1.attn.qkv.hook_in", "", "!never fires", ""},
		{"blocks.1.attn.qkv.hook_out", "", "!never fires", ""},
		{"blocks.1.attn.o.hook_in", "bthk", "blocks.1.attn.hook_z", ""},
		{"blocks.1.attn.o.hook_out", "btd", "blocks.1.hook_attn_out", ""},
		{"blocks.1.attn.hook_out", "btd", "blocks.1.hook_attn_out", ""},
		{"blocks.1.attn.hook_hidden_states", "btd", "blocks.1.hook_attn_out", ""},
		{"blocks.1.ln2.hook_in", "btd", "blocks.1.hook_resid_mid", ""},
		{"blocks.1.ln2.hook_out", "btd", "=", ""},
		{"blocks.1.mlp.hook_in", "btd", "blocks.1.ln2.hook_out", ""},
		{"blocks.1.mlp.in.hook_in", "btd", "blocks.1.ln2.hook_out", ""},
		{"blocks.1.mlp.in.hook_out", "btf", "blocks.1.mlp.hook_pre", "blocks.1.mlp.hook_pre_linear"},
		{"blocks.1.mlp.gate.hook_in", "btd", "!", "blocks.1.ln2.hook_out"},
		{"blocks.1.mlp.gate.hook_out", "btf", "!", "blocks.1.mlp.hook_pre"},
		{"blocks.1.mlp.out.hook_in", "btf", "blocks.1.mlp.hook_post", ""},
		{"blocks.1.mlp.out.hook_out", "btd", "blocks.1.hook_mlp_out", ""},
		{"blocks.1.mlp.hook_out", "btd", "blocks.1.hook_mlp_out", ""},
		{"blocks.1.hook_out", "btd", "blocks.1.hook_resid_post", ""},
		{"ln_final.hook_in", "btd", "blocks.1.hook_resid_post", ""},
		{"ln_final.hook_out", "btd", "=", ""},
		{"unembed.hook_in", "btd", "ln_final.hook_out", ""},
		{"unembed.hook_out", "btv", "logits", ""},
		{"hook_unembed", "btv", "logits", ""},
	}
	named := make(map[string]bool)
	for _, m := range []*models.Model{modeltest.GPT2(1), modeltest.Llama(1)} {
		for _, row := range rows {
			want := row.gpt2
			if m.Config.Gated && row.llama != "" {
				want = row.llama
			}
			got, err := m.Site(row.name)
			if reason, absent := strings.CutPrefix(want, "!"); absent {
				mustSay(t, err, row.name, reason)
				continue
			}
			if want == "=" {
				want = row.name
			}
			named[got.String()] = true
			if err != nil || got.String() != want {
				t.Errorf("%s: %s is %s, %v; want %s", m.Name, row.name, got, err, want)
			}
			if shape := m.Shape(got, 2, 3); !slices.Equal(shape, shapeOf(m.Config, row.shape)) {
				t.Errorf("%s: %s has shape %v, want %s", m.Name, row.name, shape, row.shape)
			}
		}
		for _, s := range m.Sites() {
			if s.Layer != 0 && !named[s.String()] {
				t.Errorf("%s: no row of the table names %s", m.Name, s)
			}
		}
	}
}

// shapeOf spells the axes out for 2 rows and 3 positions.
func shapeOf(c models.Config, axes string) (shape []int) {
	sizes := map[rune]int{'b': 2, 't': 3, '1': 1, 'd': c.Width, 'h': c.Heads, 'g': c.KVHeads, 'k': c.HeadWidth, 'f': c.MLPWidth, 'v': c.Vocab}
	for _, axis := range axes {
		shape = append(shape, sizes[axis])
	}
	return shape
}

// TestNarrowNamesAreNotEdited refuses edits at names of version 4 whose value
// is a site's but whose readers are fewer.
func TestNarrowNamesAreNotEdited(t *testing.T) {
	gpt2, llama := modeltest.GPT2(1), modeltest.Llama(1)
	for name, says := range map[string]string{
		"blocks.0.ln1.hook_in": "hook_attn_in", "blocks.0.ln2.hook_in": "hook_mlp_in",
		"blocks.0.attn.q.hook_in": "hook_q_input", "blocks.-1.attn.k.hook_in": "hook_k_input", "blocks.0.attn.v.hook_in": "hook_v_input",
		"blocks.0.mlp.in.hook_in": "ln2.hook_out", "blocks.0.mlp.gate.hook_in": "ln2.hook_out",
	} {
		_, err := llama.Edits(models.Edit{Site: name, Op: models.Set, Value: models.Number(0)})
		mustSay(t, err, fmt.Sprintf("%q", name), "alone", says)
	}
	for _, name := range []string{"blocks.0.mlp.in.hook_in", "blocks.0.mlp.hook_in", "blocks.0.attn.hook_in", "unembed.hook_in"} {
		if _, err := gpt2.Edits(models.Edit{Site: name, Op: models.Set, Value: models.Number(0)}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNamesOfOtherBlocks holds version 4's names on a model whose attention and
// MLP are normed behind as well, and asks for the MLP of blocks that have none.
func TestNamesOfOtherBlocks(t *testing.T) {
	cfg := modeltest.Llama(1).Config
	cfg.Placement = models.BothNorm
	m := modeltest.Random("both", cfg, 1)
	for name, want := range map[string]string{
		"blocks.1.ln1_post.hook_out":   "blocks.1.ln1_post.hook_out",
		"blocks.1.ln2_post.hook_out":   "blocks.1.ln2_post.hook_out",
		"blocks.1.ln1_post.hook_scale": "blocks.1.ln1_post.hook_scale",
		"blocks.1.attn.hook_out":       "!hook_result",
		"blocks.1.attn.o.hook_out":     "!hook_result",
		"blocks.1.mlp.hook_out":        "!mlp.hook_post",
		"blocks.1.ln2_post.hook_in":    "!mlp.hook_post",
		"blocks.1.attn.hook_in":        "blocks.1.ln1.hook_out",
	} {
		got, err := m.Site(name)
		if reason, absent := strings.CutPrefix(want, "!"); absent {
			mustSay(t, err, name, reason)
		} else if err != nil || got.String() != want {
			t.Errorf("%s is %s, %v; want %s", name, got, err, want)
		}
	}
	_, err := modeltest.Llama(1).Site("blocks.1.ln1_post.hook_out")
	mustSay(t, err, "stand before them")
	only := modeltest.GPT2(1).Config
	only.AttnOnly, only.MLPBias = true, false
	attn := modeltest.Random("attn-only", only, 1)
	for _, name := range []string{"resid_mid0", "mlp_out1", "blocks.0.mlp.hook_in", "blocks.1.ln2.hook_scale"} {
		_, err = attn.Site(name)
		mustSay(t, err, name, "an MLP")
	}
	modeltest.Suite(t, attn)
	cfg.Placement = models.PostNorm
	_, err = modeltest.Random("post", cfg, 1).Site("blocks.0.attn.hook_in")
	mustSay(t, err, "where a norm reads the stream")
}
