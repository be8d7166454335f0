package modeltest

import (
	"orrery/models"
	"orrery/models/tensor"
)

// CopyVocab is the vocabulary of Copy, and CopyContext its longest prompt.
const CopyVocab, CopyContext = 6, 5

// Copy is a circuit set by hand, whose inside is known: at every position it
// predicts the token that stands at position 0.
//
// Head 0 of layer 1 does all of it. Its queries are the same everywhere and
// match the key of position 0 alone (the pattern there is 1 to six digits); its
// values are the token, which it writes to dimensions that only the unembedding
// reads. Layer 0, head 1 and both MLPs write exactly 0. So the answer is found
// in the residual stream at position 0 up to layer 1's input, in head 1.0 on the
// way, and at the predicting position from then on; nowhere else.
//
// There are 2 layers of 2 heads of 6, RMSNorm, learned positions. D is 17: the
// token in dimensions 0-5, the position in 6-10, the answer in 11-16.
func Copy() *models.Model {
	const tokens, positions, answer = 0, CopyVocab, CopyVocab + CopyContext
	cfg := models.Config{
		Layers: 2, Width: answer + CopyVocab, Heads: 2, KVHeads: 2, HeadWidth: CopyVocab, MLPWidth: 4,
		Vocab: CopyVocab, Context: CopyContext,
		Norm: models.RMSNorm, NormEps: 1e-5, Positions: models.Learned, Activation: "relu",
	}
	p := models.NewParams(cfg)
	p.Each(func(_ string, t *tensor.Dense) {
		if t.Rank() == 1 { // gains
			for i := range t.Data {
				t.Data[i] = 1
			}
		}
	})
	for v := range CopyVocab {
		p.Embed.Set(1, v, tokens+v)
		p.Unembed.Weight.Set(4, v, answer+v)
	}
	for at := range CopyContext {
		p.PosEmbed.Set(1, at, positions+at)
	}
	head := &p.Blocks[1]
	for at := range CopyContext {
		head.Q.Weight.Set(4, 0, positions+at) // query·key/sqrt(6) is above 50 for position 0 and 0 elsewhere
	}
	head.K.Weight.Set(4, 0, positions)
	for v := range CopyVocab {
		head.V.Weight.Set(1, v, tokens+v)
		head.O.Weight.Set(1, answer+v, v)
	}
	return build("toy-copy", cfg, p)
}
