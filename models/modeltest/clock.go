package modeltest

import (
	"math"
	"math/rand/v2"

	"orrery/models"
)

// The layout of Clock's vocabulary: BOS, +, -, = and then the numbers from 0 on.
const (
	ClockNumbers = 199 // 0..198
	ClockFirst   = 4   // the id of 0
)

// ClockPeriods are those of Clock's circles.
func ClockPeriods() []float64 { return []float64{2, 5, 10, 100} }

// Clock is an adder set by hand that works as Kantamneni and Tegmark's Clock
// ("Language Models Use Trigonometry to Do Addition", 2025, arXiv 2502.00873): it
// answers the prompt [BOS, a, +, b, =] with a+b, for sums below 100.
//
//   - Each number is embedded on a helix, circles of ClockPeriods and a line, with
//     noise of standard deviation 0.1 in dimensions of its own.
//   - Layer 0: head 0 carries a's helix to the last token, head 1 b's. Nothing
//     else; its MLP writes 0.
//   - Layer 1: the MLP multiplies, cos(a+b) = cos a·cos b − sin a·sin b and so on, a
//     product by two gated neurons. Its attention writes 0.
//   - Layer 2: head 0 copies the circles of a+b at each token; head 1 and the MLP
//     write 0.
//   - The unembedding gives s the logit Σ cos 2π(s − (a+b))/T over the circles of
//     layer 1 and their copy, numbers from 100 on a tenth less.
//
// So a acts at its token in layer 0's input alone; a and b act together at the last
// token behind layer 0, a+b from layer 1 on; heads 0.0 and 0.1 act through others,
// head 2.0 on the logits directly. Nothing reads the line. There is no norm.
func Clock() *models.Model {
	const (
		circles  = 8
		own      = 0                 // circles and line
		position = own + circles + 1 // 8 places
		a, b     = position + 8, position + 8 + circles + 1
		sum      = b + circles + 1
		copied   = sum + circles
		noise    = copied + circles
		width    = noise + 8
		sharp    = 20  // scores of 20·20/3 against 0
		height   = 100 // of the logits
	)
	cfg := models.Config{
		Layers: 3, Width: width, Heads: 2, KVHeads: 2, HeadWidth: circles + 1, MLPWidth: 4 * circles,
		Vocab: ClockFirst + ClockNumbers, Context: 8, Norm: models.NoNorm, Positions: models.Learned, Activation: "relu", Gated: true,
	}
	p := models.NewParams(cfg)
	rng := rand.New(rand.NewPCG(2, 5))
	for n := range ClockNumbers {
		id := ClockFirst + n
		weight := float32(height)
		if n >= 100 {
			weight *= 0.9
		}
		for i, period := range ClockPeriods() {
			sin, cos := math.Sincos(2 * math.Pi * float64(n) / period)
			if period == 2 {
				sin = 0 // but for rounding
			}
			for k, v := range []float32{float32(cos), float32(sin)} {
				p.Embed.Set(v, id, own+2*i+k)
				p.Unembed.Weight.Set(weight/2*v, id, sum+2*i+k)
				p.Unembed.Weight.Set(weight/2*v, id, copied+2*i+k)
			}
		}
		p.Embed.Set(float32(n)/100, id, own+circles)
		for j := range 8 {
			p.Embed.Set(float32(0.1*rng.NormFloat64()), id, noise+j)
		}
	}
	for at := range cfg.Context {
		p.PosEmbed.Set(1, at, position+at)
	}
	for h, place := range [][2]int{{1, a}, {3, b}} { // layer 0: the operands' positions
		first := h * cfg.HeadWidth
		for at := range cfg.Context {
			p.Blocks[0].Q.Weight.Set(sharp, first, position+at)
		}
		p.Blocks[0].K.Weight.Set(sharp, first, position+place[0])
		for j := range circles + 1 {
			p.Blocks[0].V.Weight.Set(1, first+j, own+j)
			p.Blocks[0].O.Weight.Set(1, place[1]+j, first+j)
		}
	}
	neuron := 0
	multiply := func(mlp *models.BlockParams, gate, in, out int, sign float32) {
		for _, side := range []float32{1, -1} { // relu(x)·y − relu(−x)·y = x·y
			mlp.Gate.Weight.Set(side, neuron, gate)
			mlp.In.Weight.Set(1, neuron, in)
			mlp.Out.Weight.Set(side*sign, out, neuron)
			neuron++
		}
	}
	for i := range ClockPeriods() {
		cosA, sinA, cosB, sinB := a+2*i, a+2*i+1, b+2*i, b+2*i+1
		multiply(&p.Blocks[1], cosA, cosB, sum+2*i, 1)
		multiply(&p.Blocks[1], sinA, sinB, sum+2*i, -1)
		multiply(&p.Blocks[1], sinA, cosB, sum+2*i+1, 1)
		multiply(&p.Blocks[1], cosA, sinB, sum+2*i+1, 1)
	}
	for at := range cfg.Context { // layer 2: every token attends to itself
		p.Blocks[2].Q.Weight.Set(sharp, at, position+at)
		p.Blocks[2].K.Weight.Set(sharp, at, position+at)
	}
	for j := range circles {
		p.Blocks[2].V.Weight.Set(1, j, sum+j)
		p.Blocks[2].O.Weight.Set(1, copied+j, j)
	}
	return build("toy-clock", cfg, p)
}
