package modeltest

import (
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/tensor"
	"orrery/models/weights"
)

// FromTransformerLens makes a model from a state dict in TransformerLens'
// layout, whose tensors may have a prefix ("in."): W_Q, W_K, W_V [heads,D,K],
// W_O [heads,K,D], W_in, W_gate [D,F], W_out [F,D], W_E [V,D], W_pos [T,D],
// W_U [D,V], and with grouped queries _W_K, _W_V of the key-value heads. Only
// the sizes and choices of cfg decide which tensors are read; a missing one
// fails the test, but for the bias of the gate, which the layout does without,
// and for the gains of a config whose basis has the norms folded, which are 1.
func FromTransformerLens(t testing.TB, f *weights.File, prefix string, cfg models.Config) *models.Model {
	t.Helper()
	read := func(name string) *tensor.Dense {
		if _, ok := f.Info(prefix + name); !ok {
			name = strings.NewReplacer("attn.W_K", "attn._W_K", "attn.W_V", "attn._W_V", "attn.b_K", "attn._b_K", "attn.b_V", "attn._b_V").Replace(name)
		}
		x, err := f.Float32(prefix + name)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	params := models.NewParams(cfg)
	params.Each(func(name string, into *tensor.Dense) {
		if strings.HasSuffix(name, "mlp.gate.bias") {
			return // the layout has no bias there
		}
		if into.Rank() == 1 && strings.HasSuffix(name, ".weight") && strings.Contains(cfg.Basis, "fold_ln") {
			for i := range into.Data {
				into.Data[i] = 1
			}
			return
		}
		from := read(transformerLensName(name))
		kind := name[strings.LastIndexByte(strings.TrimSuffix(name, ".weight"), '.')+1:]
		switch {
		case strings.HasSuffix(name, ".bias") || from.Rank() == 1 || kind == "embed.weight" || kind == "pos_embed.weight":
			copy(into.Data, from.Data)
		case from.Rank() == 2: // [in,out]
			transpose(into.Data, from.Data, from.Dim(0), from.Dim(1))
		case kind == "o.weight": // [heads,K,D] is [heads*K,D]
			transpose(into.Data, from.Data, from.Dim(0)*from.Dim(1), from.Dim(2))
		default: // [heads,D,K], head by head
			size := from.Dim(1) * from.Dim(2)
			for h := range from.Dim(0) {
				transpose(into.Data[h*size:(h+1)*size], from.Data[h*size:(h+1)*size], from.Dim(1), from.Dim(2))
			}
		}
	})
	m, err := models.New(cfg, params)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// transformerLensName is TransformerLens' name of one of our weights.
func transformerLensName(name string) string {
	return strings.NewReplacer(
		"pos_embed.weight", "pos_embed.W_pos", "unembed.weight", "unembed.W_U", "unembed.bias", "unembed.b_U", "embed.weight", "embed.W_E",
		"attn.q.weight", "attn.W_Q", "attn.k.weight", "attn.W_K", "attn.v.weight", "attn.W_V", "attn.o.weight", "attn.W_O",
		"attn.q.bias", "attn.b_Q", "attn.k.bias", "attn.b_K", "attn.v.bias", "attn.b_V", "attn.o.bias", "attn.b_O",
		"mlp.gate.weight", "mlp.W_gate", "mlp.gate.bias", "mlp.b_gate", "mlp.in.weight", "mlp.W_in", "mlp.in.bias", "mlp.b_in",
		"mlp.out.weight", "mlp.W_out", "mlp.out.bias", "mlp.b_out",
		"ln1.weight", "ln1.w", "ln1.bias", "ln1.b", "ln2.weight", "ln2.w", "ln2.bias", "ln2.b",
		"ln_final.weight", "ln_final.w", "ln_final.bias", "ln_final.b",
	).Replace(name)
}

// transpose writes src [rows,cols] to dst [cols,rows].
func transpose(dst, src []float32, rows, cols int) {
	for r := range rows {
		for c := range cols {
			dst[c*rows+r] = src[r*cols+c]
		}
	}
}
