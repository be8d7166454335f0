package models_test

import (
	"errors"
	"slices"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
)

func TestSiteNames(t *testing.T) {
	gpt2, llama := modeltest.GPT2(1), modeltest.Llama(1)
	tests := []struct {
		m    *models.Model
		name string
		want string // "" for an UnknownSiteError
	}{
		{gpt2, "blocks.1.attn.hook_pattern", "blocks.1.attn.hook_pattern"},
		{gpt2, "blocks.-1.hook_resid_post", "blocks.1.hook_resid_post"},
		{gpt2, "blocks.-2.hook_resid_post", "blocks.0.hook_resid_post"},
		{gpt2, " hook_embed ", "hook_embed"},
		// TransformerLens' short names.
		{gpt2, "z1", "blocks.1.attn.hook_z"},
		{gpt2, "k0", "blocks.0.attn.hook_k"},
		{gpt2, "query1", "blocks.1.attn.hook_q"},
		{gpt2, "attn1", "blocks.1.attn.hook_pattern"},
		{gpt2, "attn_logits0", "blocks.0.attn.hook_attn_scores"},
		{gpt2, "attn_out0", "blocks.0.hook_attn_out"},
		{gpt2, "attn_in0", "blocks.0.hook_attn_in"},
		{gpt2, "pre1", "blocks.1.mlp.hook_pre"},
		{gpt2, "mlp_post1", "blocks.1.mlp.hook_post"},
		{gpt2, "mlp_out-1", "blocks.1.hook_mlp_out"},
		{gpt2, "resid_pre0", "blocks.0.hook_resid_pre"},
		{gpt2, "scale1ln1", "blocks.1.ln1.hook_scale"},
		{gpt2, "normalized0ln2", "blocks.0.ln2.hook_normalized"},
		{gpt2, "scale", "ln_final.hook_scale"},
		{gpt2, "normalized", "ln_final.hook_normalized"},
		{gpt2, "embed", "hook_embed"},
		{gpt2, "pos_embed", "hook_pos_embed"},
		{gpt2, `("z", 1)`, "blocks.1.attn.hook_z"},
		{gpt2, "resid_post,-1", "blocks.1.hook_resid_post"},
		{gpt2, "scale, 1, ln1", "blocks.1.ln1.hook_scale"},
		{llama, "rot_q1", "blocks.1.attn.hook_rot_q"},
		{llama, "pre_linear0", "blocks.0.mlp.hook_pre_linear"},
		// Version 4's names.
		{gpt2, "embed.hook_out", "hook_embed"},
		{gpt2, "pos_embed.hook_out", "hook_pos_embed"},
		{gpt2, "blocks.0.hook_in", "blocks.0.hook_resid_pre"},
		{gpt2, "blocks.0.ln1.hook_in", "blocks.0.hook_resid_pre"},
		{gpt2, "blocks.0.ln1.hook_scale", "blocks.0.ln1.hook_scale"},
		{gpt2, "blocks.-1.attn.q.hook_out", "blocks.1.attn.hook_q"},
		{gpt2, "blocks.0.attn.o.hook_in", "blocks.0.attn.hook_z"},
		{gpt2, "blocks.0.attn.hook_out", "blocks.0.hook_attn_out"},
		{gpt2, "blocks.0.attn.o.hook_out", "blocks.0.hook_attn_out"},
		{gpt2, "blocks.0.ln2.hook_in", "blocks.0.hook_resid_mid"},
		{gpt2, "blocks.0.mlp.in.hook_out", "blocks.0.mlp.hook_pre"},
		{llama, "blocks.0.mlp.in.hook_out", "blocks.0.mlp.hook_pre_linear"},
		{llama, "blocks.0.mlp.gate.hook_out", "blocks.0.mlp.hook_pre"},
		{gpt2, "blocks.0.mlp.out.hook_in", "blocks.0.mlp.hook_post"},
		{gpt2, "blocks.0.mlp.hook_out", "blocks.0.hook_mlp_out"},
		{gpt2, "blocks.0.hook_out", "blocks.0.hook_resid_post"},
		{gpt2, "unembed.hook_out", "logits"},
		// What is not there.
		{gpt2, "blocks.2.hook_resid_pre", ""},
		{gpt2, "blocks.-3.hook_resid_pre", ""},
		{gpt2, "blocks.x.hook_resid_pre", ""},
		{gpt2, "hook_resid_pre", ""},
		{gpt2, "blocks.0.hook_embed", ""},
		{gpt2, "blocks.0.attn.hook_rot_q", ""},
		{llama, "hook_pos_embed", ""},
		{gpt2, "blocks.0.mlp.gate.hook_out", ""},
		{gpt2, "resid_past3", ""},
		{gpt2, "z", ""},
		{gpt2, "", ""},
		{gpt2, "(((", ""},
		{gpt2, "a,b,c,d", ""},
	}
	for _, test := range tests {
		t.Run(test.m.Name+"/"+test.name, func(t *testing.T) {
			got, err := test.m.Site(test.name)
			var unknown models.UnknownSiteError
			switch {
			case test.want == "" && !errors.As(err, &unknown):
				t.Errorf("found %v, %v, want an UnknownSiteError", got, err)
			case test.want != "" && (err != nil || got.String() != test.want):
				t.Errorf("found %v, %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestUnknownSitesNameWhatIsNear(t *testing.T) {
	m := modeltest.GPT2(1)
	_, err := m.Site("blocks.1.attn.hook_patern")
	mustSay(t, err, `"blocks.1.attn.hook_patern"`, "blocks.1.attn.hook_pattern [batch,head,query,key]")
	_, err = m.Site("blocks.7.hook_resid_pre")
	mustSay(t, err, "layer 7", "0..1")
	_, err = m.Site("rot_q0")
	mustSay(t, err, "rotary")
}

func TestMatch(t *testing.T) {
	m := modeltest.Llama(1)
	tests := []struct {
		glob string
		want []string // nil for an error
	}{
		{"blocks.*.hook_resid_post", []string{"blocks.0.hook_resid_post", "blocks.1.hook_resid_post"}},
		{"blocks.0.hook_resid_m?d, logits", []string{"blocks.0.hook_resid_mid", "logits"}},
		{"*attn_scores", []string{"blocks.0.attn.hook_attn_scores", "blocks.1.attn.hook_attn_scores"}},
		{"z-1,ln_final.*", []string{"blocks.1.attn.hook_z", "ln_final.hook_scale", "ln_final.hook_normalized", "ln_final.hook_out"}},
		{`("z", 0)`, []string{"blocks.0.attn.hook_z"}},
		{"blocks.3.*", nil},
		{"nothing", nil},
		{"", nil},
	}
	for _, test := range tests {
		t.Run(test.glob, func(t *testing.T) {
			sel, err := m.Match(test.glob)
			if test.want == nil {
				if err == nil {
					t.Error("no error")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range m.Sites() {
				if sel(s) {
					got = append(got, s.String())
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("selects %v, want %v", got, test.want)
			}
		})
	}
	if sel, err := m.Match("*"); err != nil || slices.ContainsFunc(m.Sites(), func(s models.Site) bool { return !sel(s) }) {
		t.Errorf("* does not select everything: %v", err)
	}
}

func TestUnknownGlobsNameWhatIsNear(t *testing.T) {
	m := modeltest.Llama(1)
	for glob, says := range map[string]string{
		"*hook_patern":         "blocks.*.attn.hook_pattern [batch,head,query,key]",
		"blocks.3.*":           "layer 3 is outside 0..1",
		"blocks.*.hook_mlp_ot": "blocks.*.hook_mlp_out",
		"zz1":                  "blocks.*.attn.hook_z",
		"resid_past1":          "blocks.*.hook_resid_post",
	} {
		_, err := m.Match(glob)
		mustSay(t, err, glob, says)
	}
}
