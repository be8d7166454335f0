package models

import "orrery/models/tensor"

// The rewritings of Process. Each works in place on weights of its own, in
// float64 where it sums, and leaves the config that describes them.

// foldLN folds ln1 into q, k and v, ln2 into the MLP's inputs (ln1, when a
// parallel block has no other) and ln_final into the unembedding.
func foldLN(cfg *Config, p *Params) {
	untie(cfg, p)
	center := cfg.Norm == LayerNorm
	fold := func(n *NormParams, readers ...*LinearParams) {
		for _, w := range readers {
			foldInto(w, n, center)
		}
		for i := range n.Weight.Data {
			n.Weight.Data[i] = 1
		}
		if n.Bias != nil {
			clear(n.Bias.Data)
		}
	}
	for l := range p.Blocks {
		b := &p.Blocks[l]
		attn, mlp := []*LinearParams{&b.Q, &b.K, &b.V}, []*LinearParams{&b.In}
		if cfg.Gated {
			mlp = append(mlp, &b.Gate)
		}
		switch {
		case cfg.SharedNorm:
			fold(&b.LN1, append(attn, mlp...)...)
		case cfg.AttnOnly:
			fold(&b.LN1, attn...)
		default:
			fold(&b.LN1, attn...)
			fold(&b.LN2, mlp...)
		}
	}
	fold(&p.Final, &p.Unembed)
	if cfg.NormBias {
		cfg.AttnBias, cfg.MLPBias, cfg.UnembedBias = true, !cfg.AttnOnly, true
		for l := range p.Blocks {
			if cfg.MLPBias {
				needBias(&p.Blocks[l].Out)
			}
		}
	}
}

// foldInto makes w(x·gain + bias) of w(x), rows centred when asked for.
func foldInto(w *LinearParams, n *NormParams, center bool) {
	if n.Bias != nil {
		needBias(w)
	}
	out, in := w.Weight.Dim(0), w.Weight.Dim(1)
	for i := range out {
		row := w.Weight.Data[i*in : (i+1)*in]
		if n.Bias != nil {
			sum := float64(w.Bias.Data[i])
			for j, v := range row {
				sum += float64(v) * float64(n.Bias.Data[j])
			}
			w.Bias.Data[i] = float32(sum)
		}
		mean := 0.0
		for j := range row {
			mean += float64(row[j]) * float64(n.Weight.Data[j])
		}
		if mean /= float64(in); !center {
			mean = 0
		}
		for j := range row {
			row[j] = float32(float64(row[j])*float64(n.Weight.Data[j]) - mean)
		}
	}
}

// centerWriting takes the mean over d_model from embeddings, W_O, W_out and
// their biases.
func centerWriting(cfg *Config, p *Params) {
	if !cfg.EmbedNorm {
		untie(cfg, p)
		centerRows(p.Embed)
	}
	if p.PosEmbed != nil {
		centerRows(p.PosEmbed)
	}
	for l := range p.Blocks {
		for _, w := range []*LinearParams{&p.Blocks[l].O, &p.Blocks[l].Out} {
			if w.Weight != nil { // there may be no MLP
				centerColumns(w.Weight)
			}
			if w.Bias != nil {
				centerRows(w.Bias.Reshape(1, -1))
			}
		}
	}
}

// centerUnembed takes the mean over the vocabulary from W_U and b_U.
func centerUnembed(cfg *Config, p *Params) {
	untie(cfg, p)
	centerColumns(p.Unembed.Weight)
	if p.Unembed.Bias != nil {
		centerRows(p.Unembed.Bias.Reshape(1, -1))
	}
}

// foldValueBiases moves b_V through W_O into b_O. The query heads of a group
// each bring the bias of their key-value head.
func foldValueBiases(cfg *Config, p *Params) {
	if !cfg.AttnBias {
		return
	}
	cfg.OutBias = true
	k, group := cfg.HeadWidth, cfg.group()
	for l := range p.Blocks {
		b := &p.Blocks[l]
		needBias(&b.O)
		in := b.O.Weight.Dim(1)
		for i := range b.O.Bias.Data {
			sum := float64(b.O.Bias.Data[i])
			for j, w := range b.O.Weight.Data[i*in : (i+1)*in] {
				sum += float64(w) * float64(b.V.Bias.Data[j/k/group*k+j%k])
			}
			b.O.Bias.Data[i] = float32(sum)
		}
		clear(b.V.Bias.Data)
	}
}

// untie gives the unembedding a matrix of its own.
func untie(cfg *Config, p *Params) {
	if cfg.Tied {
		cfg.Tied = false
		p.Unembed.Weight = p.Embed.Clone()
	}
}

// needBias gives w a bias of 0 if it has none.
func needBias(w *LinearParams) {
	if w.Bias == nil {
		w.Bias = tensor.New(w.Weight.Dim(0))
	}
}

// centerRows takes from each row of x [rows,n] its mean.
func centerRows(x *tensor.Dense) {
	n := x.Dim(1)
	for lo := 0; lo < x.Len(); lo += n {
		row, mean := x.Data[lo:lo+n], 0.0
		for _, v := range row {
			mean += float64(v)
		}
		mean /= float64(n)
		for i, v := range row {
			row[i] = float32(float64(v) - mean)
		}
	}
}

// centerColumns takes from each column of x [rows,n] its mean.
func centerColumns(x *tensor.Dense) {
	rows, n := x.Dim(0), x.Dim(1)
	means := make([]float64, n)
	for i, v := range x.Data {
		means[i%n] += float64(v)
	}
	for i := range x.Data {
		x.Data[i] = float32(float64(x.Data[i]) - means[i%n]/float64(rows))
	}
}
