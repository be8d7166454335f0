package bench

import "orrery/models"

// Cost is what an exact computation of a work cannot do without: what its speed
// is measured by, whatever a program computes besides.
type Cost struct {
	MultiplyAdds int64 `json:"multiply_adds"`
	Bytes        int64 `json:"bytes"` // of weights, read once for each pass that must follow another
	rows         int64 // rows of feed-forwards among them, summed over layers
}

// times is the cost n times over.
func (c Cost) times(n int) Cost {
	return Cost{c.MultiplyAdds * int64(n), c.Bytes * int64(n), c.rows * int64(n)}
}

// plus is the arithmetic of both; the weights of a sweep are read once.
func (c Cost) plus(o Cost) Cost {
	return Cost{c.MultiplyAdds + o.MultiplyAdds, max(c.Bytes, o.Bytes), c.rows + o.rows}
}

// arithmetic counts the multiply-adds of a model's stages for one row.
type arithmetic struct {
	layers                      int
	query, keyValue, out, mlp   int64
	see                         int64 // scores and values of one key, all heads
	head                        int64 // from one head's z to the stream
	logit, vocab, bytesPerBlock int64
}

func count(c models.Config) arithmetic {
	d, hk, gk, f := int64(c.Width), int64(c.Heads*c.HeadWidth), int64(c.KVHeads*c.HeadWidth), int64(c.MLPWidth)
	a := arithmetic{
		layers: c.Layers, query: d * hk, keyValue: 2 * d * gk, out: hk * d, mlp: 2 * d * f,
		see: 2 * hk, head: int64(c.HeadWidth) * d, logit: d, vocab: int64(c.Vocab),
	}
	if c.Gated {
		a.mlp = 3 * d * f
	}
	a.bytesPerBlock = a.query + a.keyValue + a.out + a.mlp
	return a
}

// run is a pass over rows of n tokens that unembeds so many rows of each to all
// tokens, with weights of so many bytes each.
func (a arithmetic) run(rows, n, unembedded, size int) Cost {
	c := Cost{rows: int64(n * a.layers), Bytes: int64(size) * (a.bytesPerBlock*int64(a.layers) + a.vocab*a.logit)}
	for t := range int64(n) {
		c.MultiplyAdds += int64(a.layers) * (a.query + a.keyValue + a.out + a.mlp + a.see*(t+1))
	}
	c.MultiplyAdds += int64(unembedded) * a.vocab * a.logit
	bytes := c.Bytes
	c = c.times(rows)
	c.Bytes = bytes
	return c
}

// suffix is what follows a change of the stream of n tokens from position p on,
// before block l, when the last position's two logits are wanted: of the last
// block, keys and values from p on and one row of everything else.
func (a arithmetic) suffix(l, p, n int) (c Cost) {
	c.MultiplyAdds = 2 * a.logit
	for ; l < a.layers-1; l++ {
		for t := p; t < n; t++ {
			c.MultiplyAdds += a.query + a.keyValue + a.out + a.mlp + a.see*int64(t+1)
			c.rows++
		}
	}
	if l == a.layers-1 {
		c.MultiplyAdds += int64(n-p)*a.keyValue + a.query + a.out + a.mlp + a.see*int64(n)
		c.rows++
	}
	return c
}

// residCell patches the stream before block l at position p; in prompts that
// differ from the position first on.
func (a arithmetic) residCell(l, p, n, first int) Cost {
	if p < first || l == 0 && first > 0 && p > first { // the same token: the same embedding
		return Cost{}
	}
	return a.suffix(l, p, n)
}

// headCell patches one head's z in block l at positions from p on, or at p only.
func (a arithmetic) headCell(l, p, n, first int, only bool) (c Cost) {
	switch {
	case only && p < first:
		return c
	case l == a.layers-1 && only && p < n-1:
		return c
	case l == a.layers-1, only:
		c = Cost{MultiplyAdds: a.head + a.mlp, rows: 1}
	default:
		p = max(p, first)
		c = Cost{MultiplyAdds: int64(n-p) * (a.head + a.mlp), rows: int64(n - p)}
	}
	return c.plus(a.suffix(l+1, p, n))
}
