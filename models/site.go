package models

import (
	"fmt"
	"strconv"
)

// Kind says which value of the forward pass a Site is. The order of the
// constants is the order in which they are computed within their layer.
type Kind int

// Every kind, in forward order. The comments give TransformerLens' name and
// the shape; doc.go says what each holds.
const (
	EmbedLNScale      Kind = iota // embed.ln.hook_scale [B,T,1], only where the embedding is normed
	EmbedLNNormalized             // embed.ln.hook_normalized [B,T,D]
	EmbedLNOut                    // embed.ln.hook_out [B,T,D], behind gain and bias
	Embed                         // hook_embed [B,T,D]
	PosEmbed                      // hook_pos_embed [B,T,D], learned positions only
	ResidPre                      // hook_resid_pre [B,T,D]
	AttnIn                        // hook_attn_in [B,T,H,D], a copy of resid_pre for each head
	QInput                        // hook_q_input [B,T,H,D]
	KInput                        // hook_k_input [B,T,G,D]
	VInput                        // hook_v_input [B,T,G,D]
	LN1Scale                      // ln1.hook_scale [B,T,1]
	LN1Normalized                 // ln1.hook_normalized [B,T,D], before gain and bias
	LN1Out                        // ln1.hook_out [B,T,D], behind gain and bias: what q, k and v read
	Q                             // attn.hook_q [B,T,H,K], before rotary
	K                             // attn.hook_k [B,T,G,K], before rotary
	V                             // attn.hook_v [B,T,G,K]
	QNormScale                    // attn.q_norm.hook_scale [B,T,H,1], or [B,T,1] over all heads; norms of q and k only
	QNormNormalized               // attn.q_norm.hook_normalized [B,T,H,K], or [B,T,H·K]
	QNormOut                      // attn.q_norm.hook_out, in the same shape, behind gain and bias
	KNormScale                    // attn.k_norm.hook_scale [B,T,G,1], or [B,T,1]
	KNormNormalized               // attn.k_norm.hook_normalized [B,T,G,K], or [B,T,G·K]
	KNormOut                      // attn.k_norm.hook_out, in the same shape, behind gain and bias
	RotQ                          // attn.hook_rot_q [B,T,H,K], rotary only
	RotK                          // attn.hook_rot_k [B,T,G,K], rotary only
	AttnScores                    // attn.hook_attn_scores [B,H,T,T], rows = query, -Inf where masked
	Pattern                       // attn.hook_pattern [B,H,T,T], rows = query
	Z                             // attn.hook_z [B,T,H,K]
	Result                        // attn.hook_result [B,T,H,D], z·W_O of each head
	LN1PostScale                  // ln1_post.hook_scale [B,T,1], norms behind the halves only
	LN1PostNormalized             // ln1_post.hook_normalized [B,T,D]
	LN1PostOut                    // ln1_post.hook_out [B,T,D], behind gain and bias
	AttnOut                       // hook_attn_out [B,T,D]
	ResidMid                      // hook_resid_mid [B,T,D], serial blocks only
	MLPIn                         // hook_mlp_in [B,T,D], a copy of what the MLP reads for the MLP alone
	LN2Scale                      // ln2.hook_scale [B,T,1]
	LN2Normalized                 // ln2.hook_normalized [B,T,D], before gain and bias
	LN2Out                        // ln2.hook_out [B,T,D], behind gain and bias: what the MLP reads
	Pre                           // mlp.hook_pre [B,T,F], the gate when gated
	PreLinear                     // mlp.hook_pre_linear [B,T,F], gated only
	Post                          // mlp.hook_post [B,T,F]
	LN2PostScale                  // ln2_post.hook_scale [B,T,1], norms behind the halves only
	LN2PostNormalized             // ln2_post.hook_normalized [B,T,D]
	LN2PostOut                    // ln2_post.hook_out [B,T,D], behind gain and bias
	MLPOut                        // hook_mlp_out [B,T,D]
	ResidPost                     // hook_resid_post [B,T,D]
	FinalScale                    // ln_final.hook_scale [B,T,1]
	FinalNormalized               // ln_final.hook_normalized [B,T,D], before gain and bias
	FinalOut                      // ln_final.hook_out [B,T,D], behind gain and bias: what is unembedded
	Logits                        // logits [B,T,V]
)

// kindInfo is what the rest of the package knows about a kind.
type kindInfo struct {
	name   string   // within the block, or whole for kinds outside the blocks
	layer  bool     // inside a block
	axes   []string // names of the axes
	exists func(Config) bool
	full   []string // the axes where q and k are normed over all heads; nil for axes
}

// square reports whether a kind pairs queries with keys, [B,H,T,T].
func (k Kind) square() bool { return k == AttnScores || k == Pattern }

// Axis names, as Model.Axes gives them.
const (
	axisBatch, axisPos, axisHead, axisKVHead = "batch", "pos", "head", "kv_head"
	axisQuery, axisKey, axisOne              = "query", "key", "one"
	axisModel, axisHeadDim                   = "d_model", "d_head"
	axisHeads, axisKVHeads                   = "d_heads", "d_kv_heads"
	axisMLP, axisVocab                       = "d_mlp", "d_vocab"
)

// The axes of the values, and the conditions under which kinds exist.
var (
	streamAxes  = []string{axisBatch, axisPos, axisModel}
	byHeadAxes  = []string{axisBatch, axisPos, axisHead, axisModel}
	byKVAxes    = []string{axisBatch, axisPos, axisKVHead, axisModel}
	queriesAxes = []string{axisBatch, axisPos, axisHead, axisHeadDim}
	keysAxes    = []string{axisBatch, axisPos, axisKVHead, axisHeadDim}
	squareAxes  = []string{axisBatch, axisHead, axisQuery, axisKey}
	hiddenAxes  = []string{axisBatch, axisPos, axisMLP}
	scaleAxes   = []string{axisBatch, axisPos, axisOne}
	outputsAxes = []string{axisBatch, axisPos, axisVocab}

	queryScaleAxes  = []string{axisBatch, axisPos, axisHead, axisOne}
	keyScaleAxes    = []string{axisBatch, axisPos, axisKVHead, axisOne}
	fullQueriesAxes = []string{axisBatch, axisPos, axisHeads}
	fullKeysAxes    = []string{axisBatch, axisPos, axisKVHeads}
)

func always(Config) bool      { return true }
func learned(c Config) bool   { return c.Positions == Learned }
func rotary(c Config) bool    { return c.Positions == Rotary }
func gated(c Config) bool     { return c.Gated }
func serial(c Config) bool    { return !c.Parallel && !c.AttnOnly }
func mlp(c Config) bool       { return !c.AttnOnly }
func mlpNorm(c Config) bool   { return c.before() && !c.AttnOnly }
func mlpPost(c Config) bool   { return c.behind() && !c.AttnOnly }
func normed(c Config) bool    { return c.Norm != NoNorm }
func embedNorm(c Config) bool { return c.EmbedNorm }
func qkNorm(c Config) bool    { return c.QKNorm != NoQKNorm }

// kinds describes every kind at its own index. It is never written to.
var kinds = [...]kindInfo{
	EmbedLNScale:      {"embed.ln.hook_scale", false, scaleAxes, embedNorm, nil},
	EmbedLNNormalized: {"embed.ln.hook_normalized", false, streamAxes, embedNorm, nil},
	EmbedLNOut:        {"embed.ln.hook_out", false, streamAxes, embedNorm, nil},
	Embed:             {"hook_embed", false, streamAxes, always, nil},
	PosEmbed:          {"hook_pos_embed", false, streamAxes, learned, nil},
	ResidPre:          {"hook_resid_pre", true, streamAxes, always, nil},
	AttnIn:            {"hook_attn_in", true, byHeadAxes, always, nil},
	QInput:            {"hook_q_input", true, byHeadAxes, always, nil},
	KInput:            {"hook_k_input", true, byKVAxes, always, nil},
	VInput:            {"hook_v_input", true, byKVAxes, always, nil},
	LN1Scale:          {"ln1.hook_scale", true, scaleAxes, Config.before, nil},
	LN1Normalized:     {"ln1.hook_normalized", true, streamAxes, Config.before, nil},
	LN1Out:            {"ln1.hook_out", true, streamAxes, Config.before, nil},
	Q:                 {"attn.hook_q", true, queriesAxes, always, nil},
	K:                 {"attn.hook_k", true, keysAxes, always, nil},
	V:                 {"attn.hook_v", true, keysAxes, always, nil},
	QNormScale:        {"attn.q_norm.hook_scale", true, queryScaleAxes, qkNorm, scaleAxes},
	QNormNormalized:   {"attn.q_norm.hook_normalized", true, queriesAxes, qkNorm, fullQueriesAxes},
	QNormOut:          {"attn.q_norm.hook_out", true, queriesAxes, qkNorm, fullQueriesAxes},
	KNormScale:        {"attn.k_norm.hook_scale", true, keyScaleAxes, qkNorm, scaleAxes},
	KNormNormalized:   {"attn.k_norm.hook_normalized", true, keysAxes, qkNorm, fullKeysAxes},
	KNormOut:          {"attn.k_norm.hook_out", true, keysAxes, qkNorm, fullKeysAxes},
	RotQ:              {"attn.hook_rot_q", true, queriesAxes, rotary, nil},
	RotK:              {"attn.hook_rot_k", true, keysAxes, rotary, nil},
	AttnScores:        {"attn.hook_attn_scores", true, squareAxes, always, nil},
	Pattern:           {"attn.hook_pattern", true, squareAxes, always, nil},
	Z:                 {"attn.hook_z", true, queriesAxes, always, nil},
	Result:            {"attn.hook_result", true, byHeadAxes, always, nil},
	LN1PostScale:      {"ln1_post.hook_scale", true, scaleAxes, Config.behind, nil},
	LN1PostNormalized: {"ln1_post.hook_normalized", true, streamAxes, Config.behind, nil},
	LN1PostOut:        {"ln1_post.hook_out", true, streamAxes, Config.behind, nil},
	AttnOut:           {"hook_attn_out", true, streamAxes, always, nil},
	ResidMid:          {"hook_resid_mid", true, streamAxes, serial, nil},
	MLPIn:             {"hook_mlp_in", true, streamAxes, mlp, nil},
	LN2Scale:          {"ln2.hook_scale", true, scaleAxes, mlpNorm, nil},
	LN2Normalized:     {"ln2.hook_normalized", true, streamAxes, mlpNorm, nil},
	LN2Out:            {"ln2.hook_out", true, streamAxes, mlpNorm, nil},
	Pre:               {"mlp.hook_pre", true, hiddenAxes, mlp, nil},
	PreLinear:         {"mlp.hook_pre_linear", true, hiddenAxes, gated, nil},
	Post:              {"mlp.hook_post", true, hiddenAxes, mlp, nil},
	LN2PostScale:      {"ln2_post.hook_scale", true, scaleAxes, mlpPost, nil},
	LN2PostNormalized: {"ln2_post.hook_normalized", true, streamAxes, mlpPost, nil},
	LN2PostOut:        {"ln2_post.hook_out", true, streamAxes, mlpPost, nil},
	MLPOut:            {"hook_mlp_out", true, streamAxes, mlp, nil},
	ResidPost:         {"hook_resid_post", true, streamAxes, always, nil},
	FinalScale:        {"ln_final.hook_scale", false, scaleAxes, normed, nil},
	FinalNormalized:   {"ln_final.hook_normalized", false, streamAxes, normed, nil},
	FinalOut:          {"ln_final.hook_out", false, streamAxes, normed, nil},
	Logits:            {"logits", false, outputsAxes, always, nil},
}

// Site is a place in the network: a kind of value and the block it is in.
type Site struct {
	Layer int // 0..L-1, or -1 for the kinds outside the blocks
	Kind  Kind
}

// String gives TransformerLens' name, such as "blocks.3.attn.hook_pattern".
func (s Site) String() string {
	if s.Kind < 0 || int(s.Kind) >= len(kinds) {
		return fmt.Sprintf("site(%d, kind %d)", s.Layer, int(s.Kind))
	}
	k := &kinds[s.Kind]
	if !k.layer {
		return k.name
	}
	return "blocks." + strconv.Itoa(s.Layer) + "." + k.name
}

// before reports whether s is computed before o in a forward pass.
func (s Site) before(o Site) bool { return s.order() < o.order() }

// order is a number that grows along the forward pass.
func (s Site) order() int {
	switch {
	case s.Kind < ResidPre:
		return int(s.Kind) - int(Logits) - 1
	case s.Kind > ResidPost:
		return (maxLayers+1)*(int(Logits)+1) + int(s.Kind)
	}
	return s.Layer*(int(Logits)+1) + int(s.Kind)
}

// Sites lists every site that exists in this model, in forward order.
func (m *Model) Sites() []Site {
	var sites []Site
	add := func(layer int, lo, hi Kind) {
		for k := lo; k <= hi; k++ {
			if kinds[k].exists(m.Config) {
				sites = append(sites, Site{layer, k})
			}
		}
	}
	add(-1, EmbedLNScale, PosEmbed)
	for l := range m.Config.Layers {
		add(l, ResidPre, ResidPost)
	}
	add(-1, FinalScale, Logits)
	return sites
}

// has reports whether s exists in this model.
func (m *Model) has(s Site) bool {
	if s.Kind < 0 || int(s.Kind) >= len(kinds) || !kinds[s.Kind].exists(m.Config) {
		return false
	}
	if kinds[s.Kind].layer {
		return s.Layer >= 0 && s.Layer < m.Config.Layers
	}
	return s.Layer == -1
}

// Axes names the axes of the value at s, in order: "batch", "pos", "head",
// "kv_head", "query", "key", "d_model", "d_head", "d_heads" (H·K), "d_kv_heads"
// (G·K), "d_mlp", "d_vocab", "one".
// It returns nil for a site that no model has.
func (m *Model) Axes(s Site) []string {
	if !m.has(s) {
		return nil
	}
	if k := &kinds[s.Kind]; m.Config.QKNorm == QKNormFull && k.full != nil {
		return k.full
	}
	return kinds[s.Kind].axes
}

// Shape gives the shape of the value at s in a run of b rows and t positions,
// and nil for a site that this model does not have.
func (m *Model) Shape(s Site, b, t int) []int {
	axes := m.Axes(s)
	if axes == nil {
		return nil
	}
	shape := make([]int, len(axes))
	for i, axis := range axes {
		shape[i] = m.axis(axis, b, t)
	}
	return shape
}

// axis is the length of one axis in a run of b rows and t positions.
func (m *Model) axis(name string, b, t int) int {
	switch name {
	case axisBatch:
		return b
	case axisPos, axisQuery, axisKey:
		return t
	case axisHead:
		return m.Config.Heads
	case axisKVHead:
		return m.Config.KVHeads
	case axisModel:
		return m.Config.Width
	case axisHeadDim:
		return m.Config.HeadWidth
	case axisHeads:
		return m.Config.Heads * m.Config.HeadWidth
	case axisKVHeads:
		return m.Config.KVHeads * m.Config.HeadWidth
	case axisMLP:
		return m.Config.MLPWidth
	case axisVocab:
		return m.Config.Outputs()
	}
	return 1
}
