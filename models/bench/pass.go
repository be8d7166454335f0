package bench

import (
	"context"
	"fmt"

	"orrery/models"
	"orrery/models/tensor"
)

// fullCache is a run of one prompt of n tokens that keeps every value which the
// model computes, the logits of every position included.
func fullCache(n int) prepare {
	return func(_ context.Context, s *subject) (*task, error) {
		in := s.tokens(1, n, 3)
		t := &task{cost: count(s.m.Config).run(1, n, n, s.bytes)}
		t.run = func(ctx context.Context) error {
			_, cache, err := s.m.RunWithCache(ctx, in, models.CacheOptions{})
			if err != nil {
				return err
			}
			t.note = fmt.Sprintf("%d values, %.0f MB", len(cache.Sites()), float64(cache.Bytes())/1e6)
			return nil
		}
		return t, nil
	}
}

// attribution is attribution patching of every resid_pre, every head's z and
// every mlp_out at every position (Nanda, "Attribution Patching", 2023): the
// clean run, the corrupted run and one gradient, (clean − corrupted)·gradient
// summed over prompts and widths.
func attribution(_ context.Context, s *subject) (*task, error) {
	clean, corrupted := s.pairs(apart)
	nodes := func(at models.Site) bool {
		return at.Kind == models.ResidPre || at.Kind == models.Z || at.Kind == models.MLPOut
	}
	objective := func(logits *tensor.Dense) (float64, *tensor.Dense, error) {
		value, d, share := 0.0, tensor.New(logits.Shape...), 1/float32(s.Pairs)
		for i := 0; i < logits.Len(); i += 2 {
			value += float64(share * (logits.Data[i] - logits.Data[i+1]))
			d.Data[i], d.Data[i+1] = share, -share
		}
		return value, d, nil
	}
	one := count(s.m.Config).run(s.Pairs, s.Tokens, 0, s.bytes)
	t := &task{cost: one.times(3)} // back through a product costs what the product did
	t.run = func(ctx context.Context) error {
		a, b := models.NewCache(), models.NewCache()
		if _, err := s.m.RunFor(ctx, clean, s.metric(), models.Record(a, nodes)); err != nil {
			return err
		}
		g, err := s.m.Gradient(ctx, corrupted, objective, models.Want{Sites: nodes, Need: s.metric()}, models.Record(b, nodes))
		if err != nil {
			return err
		}
		n := 0
		for _, at := range a.Sites() {
			x, _ := a.Get(at)
			y, _ := b.Get(at)
			d, ok := g.Sites.Get(at)
			if !ok {
				return fmt.Errorf("attribution: no gradient at %s", at)
			}
			n += len(attribute(x, y, d))
		}
		t.note = fmt.Sprintf("%d nodes", n)
		return nil
	}
	return t, nil
}

// attribute sums (x − y)·d over the first and the last axis.
func attribute(x, y, d *tensor.Dense) []float64 {
	width := x.Dim(-1)
	scores := make([]float64, x.Len()/x.Dim(0)/width)
	for i := range x.Len() / width {
		sum := float32(0)
		for j := i * width; j < (i+1)*width; j++ {
			sum += (x.Data[j] - y.Data[j]) * d.Data[j]
		}
		scores[i%len(scores)] += float64(sum)
	}
	return scores
}

// generate continues a prompt greedily, token by token.
func generate(_ context.Context, s *subject) (*task, error) {
	in := s.tokens(1, s.Prompt, 5)
	a := count(s.m.Config)
	t := &task{tokens: s.New, cost: a.run(1, s.Prompt, 1, s.bytes)}
	for i := range s.New - 1 { // the last token is not read
		one, before := a.run(1, s.Prompt+i+1, 1, s.bytes), a.run(1, s.Prompt+i, 0, s.bytes)
		t.cost.MultiplyAdds += one.MultiplyAdds - before.MultiplyAdds
		t.cost.Bytes += one.Bytes
	}
	t.run = func(ctx context.Context) error {
		_, err := s.m.Generate(ctx, [][]int{in.IDs}, models.GenerateOptions{Tokens: s.New}, nil)
		return err
	}
	return t, nil
}

// lens runs one prompt of n tokens and reads the logits of every position off
// the stream before each block and behind the last: all at once, or state by
// state to know the best tokens, when there is no memory for all logits.
func lens(n int, once bool) prepare {
	return func(_ context.Context, s *subject) (*task, error) {
		in := s.tokens(1, n, 6)
		layers, d := s.m.Config.Layers, s.m.Config.Width
		t := &task{cost: count(s.m.Config).run(1, n, n*(layers+1), s.bytes)}
		t.run = func(ctx context.Context) error {
			cache := models.NewCache()
			states := models.Record(cache, func(at models.Site) bool {
				return at.Kind == models.ResidPre || at == models.Site{Layer: layers - 1, Kind: models.ResidPost}
			})
			if _, err := s.m.RunFor(ctx, in, s.metric(), states); err != nil {
				return err
			}
			var x []float32 // [(L+1)·T,D]
			for _, at := range cache.Sites() {
				state, _ := cache.Get(at)
				x = append(x, state.Data...)
			}
			rows := n * (layers + 1)
			t.note = fmt.Sprintf("%d rows", rows)
			if once {
				_, err := s.m.Unembed(tensor.From(x, rows, d))
				return err
			}
			for ; len(x) > 0; x = x[n*d:] {
				logits, err := s.m.Unembed(tensor.From(x[:n*d], n, d))
				if err != nil {
					return err
				}
				best := bestTokens(logits)
				t.note = fmt.Sprintf("%d rows, the last best token is %d", rows, best[n-1])
			}
			return ctx.Err()
		}
		return t, nil
	}
}

// bestTokens is the token with the largest logit of each row.
func bestTokens(logits *tensor.Dense) []int {
	best := make([]int, logits.Dim(0))
	for r := range best {
		row := logits.Sub(r).Data
		for id, v := range row {
			if v > row[best[r]] {
				best[r] = id
			}
		}
	}
	return best
}

// headAttribution is direct logit attribution of every head, the cache given: at
// the last position or at all of them, each prompt with two tokens of its own.
func headAttribution(last bool) prepare {
	return func(ctx context.Context, s *subject) (*task, error) {
		_, cache, err := s.m.RunWithCache(ctx, s.tokens(s.Pairs, s.Tokens, 1), models.CacheOptions{})
		if err != nil {
			return nil, err
		}
		var answers models.Answers
		for row := range s.Pairs {
			answers.Tokens = append(answers.Tokens, s.IDs[0]+row)
			answers.Incorrect = append(answers.Incorrect, s.IDs[1]-row)
		}
		at, rows := models.StackOptions{}, s.Tokens
		if last {
			at.Pos, rows = []int{-1}, 1
		}
		a, heads := count(s.m.Config), int64(s.m.Config.Heads*s.m.Config.Layers)
		t := &task{cost: Cost{
			MultiplyAdds: int64(s.Pairs) * heads * (a.head + int64(rows*s.m.Config.HeadWidth)),
			Bytes:        int64(s.bytes) * heads * a.head,
		}}
		t.run = func(context.Context) error {
			stack, err := models.StackHeadResults(s.m, cache, -1, at)
			if err != nil {
				return err
			}
			scores, err := models.LogitAttrs(cache, stack, answers)
			if err == nil {
				t.note = fmt.Sprintf("%d values", scores.Values.Len())
			}
			return err
		}
		return t, nil
	}
}
