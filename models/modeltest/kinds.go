package modeltest

import "orrery/models"

// Kinds are small random models of every kind of block that a config can ask
// for, all of 2 layers that
// read 11 ids:
//
//	toy-gpt2, toy-llama   see GPT2 and Llama
//	toy-both      norms on both sides, of each head's q and k; windows with rotary
//	              positions of their own, soft caps, scaled embedding and scores
//	toy-behind    norms behind the halves alone, of all heads' q and k together
//	toy-parallel  parallel, two norms, a gain for each head's q and k
//	toy-shared    parallel with one norm, rotary on adjacent pairs
//	toy-alibi     ALiBi, a norm behind the embedding, clipped q, k and v
//	toy-falcon    Falcon's ALiBi, scores scaled by layer
//	toy-folded    norms without weights, windows, learned positions
//	toy-bare      no norms, one key-value head, answers in 7 ids
//	toy-heads     no MLP
func Kinds(seed uint64) []*models.Model {
	gpt2, llama := GPT2(seed).Config, Llama(seed).Config
	out := []*models.Model{GPT2(seed), Llama(seed)}
	add := func(name string, from models.Config, change func(c *models.Config)) {
		change(&from)
		out = append(out, Random(name, from, seed))
	}
	add("toy-both", llama, func(c *models.Config) {
		c.Placement, c.QKNorm, c.Tied, c.EmbedScale, c.Activation = models.BothNorm, models.QKNormHead, true, 1.5, "gelu_tanh"
		c.Windows, c.LocalRotary = []int{2, 0}, &models.RotaryConfig{Base: 7, Dim: 6}
		c.ScoreScale, c.ScoreCap, c.LogitCap = 0.6, 2, 5
		c.Rotary.Scaling = &models.RopeScaling{Kind: models.YarnScaling, Factor: 4, Original: 8, BetaFast: 3, BetaSlow: 0.1, AttnFactor: 1.2}
	})
	add("toy-behind", llama, func(c *models.Config) {
		c.Placement, c.QKNorm = models.PostNorm, models.QKNormFull
	})
	add("toy-parallel", gpt2, func(c *models.Config) {
		c.Positions, c.Rotary, c.Tied, c.UnembedBias = models.Rotary, models.RotaryConfig{Base: 50, Dim: 2}, false, true
		c.Parallel, c.QKNorm, c.KVHeads = true, models.QKNormHeads, 1
	})
	add("toy-shared", gpt2, func(c *models.Config) {
		c.Positions, c.Rotary = models.Rotary, models.RotaryConfig{Base: 50, Dim: 4, Adjacent: true}
		c.Parallel, c.SharedNorm, c.Gated = true, true, true
	})
	add("toy-alibi", gpt2, func(c *models.Config) {
		c.Positions, c.EmbedNorm, c.ClipQKV = models.Alibi, true, 2.5
	})
	add("toy-falcon", gpt2, func(c *models.Config) {
		c.Positions, c.FalconAlibi, c.InverseLayerScale = models.Alibi, true, true
	})
	add("toy-folded", gpt2, func(c *models.Config) {
		c.PlainNorm, c.NormBias, c.Windows = true, false, []int{0, 3}
	})
	add("toy-bare", gpt2, func(c *models.Config) {
		c.Norm, c.NormBias, c.KVHeads, c.Tied, c.OutVocab, c.Activation = models.NoNorm, false, 1, false, 7, "relu"
	})
	add("toy-heads", gpt2, func(c *models.Config) {
		c.AttnOnly, c.MLPBias, c.Activation = true, false, ""
	})
	return out
}
