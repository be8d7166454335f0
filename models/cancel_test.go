package models_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// watched is a context that ends at a look, and counts them.
type watched struct {
	context.Context
	looks atomic.Int64
	end   int64 // the first look that finds it ended; 0 for none
}

func (w *watched) Err() error {
	if n := w.looks.Add(1); w.end > 0 && n >= w.end {
		return context.Canceled
	}
	return nil
}

func (w *watched) ended() bool { return w.end > 0 && w.looks.Load() >= w.end }

// TestWorkEndsWhenItIsCancelled ends every kind of work at some of its looks at
// the context. There is at least one before each product of weights, and each
// product is bounded (see TestProductsInPieces): that is what lets a work end within
// 100 ms. Whichever look finds the context ended, the work has its error, shows
// hooks nothing more, and looks again no more often than two passes over the
// heads do that are on their way.
func TestWorkEndsWhenItIsCancelled(t *testing.T) {
	m := modeltest.Llama(5)
	rng := rand.New(rand.NewPCG(8, 8))
	in := models.Prompt(1, 5, 2, 7, 3, 4, 6)
	variants := randomVariants(rng, m, in, 12)
	b, err := m.NewBase(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	obj := func(logits *tensor.Dense) (float64, *tensor.Dense, error) { return 0, logits.Clone(), nil }
	products := int64(7 * m.Config.Layers)
	for name, work := range map[string]struct {
		least int64
		call  func(ctx context.Context, hooks ...models.Hook) error
	}{
		"run": {products, func(ctx context.Context, hooks ...models.Hook) error { _, err := m.Run(ctx, in, hooks...); return err }},
		"gradient": {2 * products, func(ctx context.Context, hooks ...models.Hook) error {
			_, err := m.Gradient(ctx, in, obj, models.Want{Params: true}, hooks...)
			return err
		}},
		"generate": {4 * products, func(ctx context.Context, hooks ...models.Hook) error {
			_, err := m.Generate(ctx, [][]int{in.IDs}, models.GenerateOptions{Tokens: 4, Hooks: hooks}, nil)
			return err
		}},
		"rerun": {products, func(ctx context.Context, _ ...models.Hook) error {
			_, err := b.Rerun(ctx, variants, models.Need{}, models.RerunOptions{Check: 2}, func(models.Cell) error { return nil })
			return err
		}},
		"base": {products, func(ctx context.Context, _ ...models.Hook) error { _, err := m.NewBase(ctx, in); return err }},
	} {
		t.Run(name, func(t *testing.T) {
			whole := &watched{Context: context.Background()}
			if err := work.call(whole); err != nil {
				t.Fatal(err)
			}
			total := whole.looks.Load()
			if total < work.least {
				t.Fatalf("%d looks at the context, want at least %d", total, work.least)
			}
			for end := int64(1); end <= total; end += 1 + rng.Int64N(1+total/40) {
				ctx := &watched{Context: context.Background(), end: end}
				late := 0
				err := work.call(ctx, models.Hook{Sites: models.All, Fn: func(models.Site, *tensor.Dense) error {
					if ctx.ended() {
						late++
					}
					return nil
				}})
				if !errors.Is(err, context.Canceled) && end < total-int64(2*in.T*m.Config.Heads) {
					t.Errorf("ended at look %d of %d: error %v, want %v", end, total, err, context.Canceled)
				}
				if more := ctx.looks.Load() - end; late > 0 || more > int64(2*in.T*m.Config.Heads+8) {
					t.Errorf("ended at look %d of %d: %d looks more, %d hooks called", end, total, more, late)
				}
			}
		})
	}
}
