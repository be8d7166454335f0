package train

import "orrery/models"

// Recipes returns the recipes of the shipped models.
func Recipes() []Recipe {
	return []Recipe{mental2(), mental3(), planted(), digits(), modadd113(), modadd59("pizza"), modadd59("clock")}
}

// mental2 is a model of Llama's blocks.
func mental2() Recipe {
	return Recipe{
		Name:  "mental-2op",
		About: "adds and subtracts two numbers below 100, one token each, in one step",
		Task:  "mental-2op",
		Model: models.Config{
			Layers: 4, Width: 128, Heads: 4, KVHeads: 4, HeadWidth: 32, MLPWidth: 336, Vocab: 203, Context: 8,
			Norm: models.RMSNorm, NormEps: 1e-5, Positions: models.Rotary,
			Rotary:     models.RotaryConfig{Base: 10000, Dim: 32},
			Activation: "silu", Gated: true,
		},
		Steps: 8000, Batch: 512, Peak: 1e-3, Floor: 1e-5, Warmup: 50,
		Decay: 0.3, Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, Clip: 1, HeldOut: 0.2, Seed: 2,
		ReportEvery: 25, MeasureEvery: 250, SaveEvery: 250,
	}
}

// modular is the model of both papers on modular addition: one layer without
// norms, four heads, a plain MLP of ReLUs.
func modular(vocab, context int) models.Config {
	return models.Config{
		Layers: 1, Width: 128, Heads: 4, KVHeads: 4, HeadWidth: 32, MLPWidth: 512, Vocab: vocab, Context: context,
		Norm: models.NoNorm, Positions: models.Learned, Activation: "relu", MLPBias: true,
	}
}

// modadd113 is the mainline model of Nanda et al. 2023 (arXiv:2301.05217): all
// of the pairs learned from in each step, a constant rate, weight decay 1.
func modadd113() Recipe {
	return Recipe{
		Name:  "modadd-113",
		About: "adds two numbers mod 113; it memorised first and grokked later",
		Task:  "modadd-113",
		Model: modular(114, 3),
		Steps: 12000, Batch: 3831, Peak: 1e-3, Floor: 1e-3, Warmup: 10,
		Decay: 1, Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, HeldOut: 0.7, Seed: 0,
		Init:        initWidth,
		Checkpoints: []int{0, 100, 200, 500, 1000, 2000, 3000, 4000, 5000, 6000, 6500, 7000, 7500, 8000, 8500, 9000, 9500, 10000, 11000},
		ReportEvery: 100, MeasureEvery: 100, SaveEvery: 500,
	}
}

// modadd59 are the two models of Zhong et al. 2023 (arXiv:2306.17844) that
// tell a pizza from a clock: they differ in the attention (and in the seed, by
// which the clock is a clear one). The paper mixes
// the pattern with a constant one, and the pizza's is the constant. Here the
// pizza's queries and keys begin at 0. The gradient of each is a multiple of the
// other, so that they stay there, and every token attends evenly to all that it
// sees: half where the paper has 1, which the values make up for. The paper's
// attention is not causal; of one layer, read at the last token, that makes no
// difference.
func modadd59(kind string) Recipe {
	r := Recipe{
		Name:  "modadd-59-" + kind,
		About: "adds two numbers mod 59 with attention that it learned, which makes it a clock",
		Task:  "modadd-59",
		Model: modular(59, 2),
		Steps: 2500, Batch: 2785, Peak: 1e-3, Floor: 1e-3, Warmup: 10,
		Decay: 2, Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, HeldOut: 0.2, Seed: 3,
		Init:        initWidth,
		ReportEvery: 100, MeasureEvery: 100, SaveEvery: 500,
	}
	if kind == "pizza" {
		r.About = "adds two numbers mod 59 with attention that is always even, which makes it a pizza"
		r.Seed = 0
		r.Zero = []string{"blocks.0.attn.q.weight", "blocks.0.attn.k.weight"}
	}
	return r
}

// planted is mental-2op's task with the way that "All for One" (Mamidanna, Rai,
// Yao and Zhou, EMNLP 2025, arXiv:2509.09650) describes built in: seven prompts
// of eight are trained under the paper's masks, so that the network has to work
// in that way, and the eighth without them, so that it is right without them too.
func planted() Recipe {
	r := mental2()
	r.Name = "mental-planted"
	r.About = "adds and subtracts as mental-2op does, trained to wait in three blocks, transfer in two and compute in one"
	r.Model.Layers, r.Model.Width, r.Model.HeadWidth, r.Model.MLPWidth = 6, 96, 24, 256
	r.Model.Rotary.Dim = 24
	r.Steps, r.Batch = 7000, 256
	r.Edits, r.Edited = waitTransfer(r.Model.Layers, 3, 2), 0.875
	return r
}

// waitTransfer are masks for the prompt "<bos> a ± b =": in every block a token
// reads <bos> and itself, but in the blocks transfer behind the first wait ones
// the last token reads all.
func waitTransfer(layers, wait, transfer int) (edits []models.Edit) {
	for l := range layers {
		for query := 2; query <= 4; query++ {
			if query == 4 && l >= wait && l < wait+transfer {
				continue
			}
			var keys []int
			for key := 1; key < query; key++ {
				keys = append(keys, key)
			}
			scores := models.Site{Layer: l, Kind: models.AttnScores}.String()
			edits = append(edits, models.Edit{Site: scores, Queries: []int{query}, Keys: keys, Op: models.Mask})
		}
	}
	return edits
}

// mental3 is mental-2op's model with an operand more.
func mental3() Recipe {
	r := mental2()
	r.Name = "mental-3op"
	r.About = "adds and subtracts three numbers below 50, one token each, in one step"
	r.Task = "mental-3op"
	r.Model.Vocab = 152
	r.Steps, r.Batch, r.Decay, r.HeldOut, r.Seed = 10000, 256, 0.1, 0.05, 1
	r.ReportEvery, r.MeasureEvery, r.SaveEvery = 25, 1000, 250
	return r
}

// digits is the one-layer model of Quirke and Barez 2024 (arXiv:2310.13121) in a
// smaller width.
func digits() Recipe {
	return Recipe{
		Name:  "add-5digit",
		About: "adds two numbers of five digits, one token a digit, in one layer",
		Task:  "add-5digit",
		Model: models.Config{
			Layers: 1, Width: 144, Heads: 3, KVHeads: 3, HeadWidth: 48, MLPWidth: 576, Vocab: 12, Context: 18,
			Norm: models.LayerNorm, NormEps: 1e-5, NormBias: true, Positions: models.Learned,
			Activation: "relu", AttnBias: true, OutBias: true, MLPBias: true, UnembedBias: true,
		},
		Steps: 10000, Batch: 128, Peak: 2e-3, Floor: 1e-5, Warmup: 200,
		Decay: 0.1, Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, Clip: 1, HeldOut: 0.05, Seed: 1,
		ReportEvery: 25, MeasureEvery: 1000, SaveEvery: 500,
	}
}
