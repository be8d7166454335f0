package probe

import (
	"context"
	"fmt"

	"orrery/models"
	"orrery/models/tensor"
)

// LensOptions are the options of LogitLens.
type LensOptions struct {
	// Mid adds a row for resid_mid, the stream between attention and MLP, of
	// each layer. A model with parallel blocks has none.
	Mid bool
	// TopK is how many of the best tokens each row keeps; 0 means 10.
	TopK int
	// Target holds, a position, the token whose probability, logit and rank
	// are meant; nil means the model's own final top token there.
	Target []int
	// AntiTarget holds, a position, the token that log-prob difference
	// compares with; nil means the best token of the final row but the target.
	AntiTarget []int
}

// LensRow is what the lens reads from one state of the residual stream.
type LensRow struct {
	// State is "embed", "resid_mid.3" or "resid_post.3".
	State string
	// Layer is the block, -1 for the embedding.
	Layer int
	// Logits is [T,V]: the final norm, its statistics taken from this state,
	// then the unembedding.
	Logits *tensor.Dense
	// TopIDs and TopProbs hold, a position, the best tokens, best first, and
	// their probabilities.
	TopIDs   [][]int
	TopProbs [][]float64
	// Values holds one number a position for every metric.
	Values map[Metric][]float64
}

// Lens is the result of LogitLens.
type Lens struct {
	// IDs is the prompt, Target and AntiTarget the tokens that were followed.
	IDs, Target, AntiTarget []int
	// Rows run from the embedding to the last block.
	Rows []LensRow
	// LastRowError is max |last row - logits of the run|; 0 when the lens
	// reads the last state exactly as the model does.
	LastRowError float64
}

// LogitLens decodes every state of the residual stream as if it were the
// last one: norm_final(h) W_U + b_U, the final norm's statistics recomputed
// from h itself, never taken from the last layer (nostalgebraist,
// "interpreting GPT: the logit lens", 2020; the frozen-scale convention of
// direct logit attribution is another reading and is not mixed in here).
//
// The target and the divergence from the final distribution need the end of
// the run, so the model runs once and its states are then decoded one by one,
// from the embedding up; each row goes to emit as soon as it is decoded. The
// cost is one run and (L+1)·T·D·V multiplications, twice that with Mid.
func LogitLens(ctx context.Context, m *models.Model, ids []int, opt LensOptions, emit func(LensRow) error) (*Lens, error) {
	sites, states, err := lensStates(m, opt.Mid)
	if err != nil {
		return nil, err
	}
	cache := models.NewCache()
	out, err := m.Run(ctx, models.Prompt(ids...), models.Record(cache, models.Sites(sites...)))
	if err != nil {
		return nil, err
	}
	final := out.Logits.Sub(0)
	lens := &Lens{IDs: ids}
	if err := lens.follow(final, opt); err != nil {
		return nil, err
	}
	ref := newReference(final, lens.Target, lens.AntiTarget)
	k := opt.TopK
	if k <= 0 {
		k = 10
	}
	for i, site := range sites {
		if err := ctx.Err(); err != nil {
			return lens, err
		}
		x, ok := cache.Get(site)
		if !ok {
			return nil, fmt.Errorf("logit lens: site %s did not fire in this model", site)
		}
		logits, err := m.Unembed(x.Sub(0))
		if err != nil {
			return lens, fmt.Errorf("logit lens: %w", err)
		}
		row := ref.read(logits, k)
		row.State, row.Layer = states[i], site.Layer
		lens.Rows = append(lens.Rows, row)
		if i == len(sites)-1 {
			lens.LastRowError = logits.MaxDifference(final)
		}
		if err := emit(row); err != nil {
			return lens, err
		}
	}
	return lens, nil
}

// LensStates names the rows that LogitLens will emit, in order.
func LensStates(m *models.Model, mid bool) ([]string, error) {
	_, states, err := lensStates(m, mid)
	return states, err
}

func lensStates(m *models.Model, mid bool) ([]models.Site, []string, error) {
	first, err := m.Site("blocks.0.hook_resid_pre")
	if err != nil {
		return nil, nil, fmt.Errorf("logit lens: %w", err)
	}
	first.Layer = 0
	sites, states := []models.Site{first}, []string{"embed"}
	for l := range m.Config.Layers {
		names := []string{"resid_post"}
		if mid {
			names = []string{"resid_mid", "resid_post"}
		}
		for _, name := range names {
			s, err := m.Site(fmt.Sprintf("blocks.%d.hook_%s", l, name))
			if err != nil {
				return nil, nil, fmt.Errorf("logit lens: %w", err)
			}
			sites, states = append(sites, s), append(states, fmt.Sprintf("%s.%d", name, l))
		}
	}
	return sites, states, nil
}

// follow settles the target and the anti-target of each position.
func (l *Lens) follow(final *tensor.Dense, opt LensOptions) error {
	n, vocab := final.Dim(0), final.Dim(1)
	given := func(name string, ids []int) error {
		if len(ids) != n {
			return fmt.Errorf("logit lens: %d %s tokens for %d positions", len(ids), name, n)
		}
		for p, id := range ids {
			if id < 0 || id >= vocab {
				return fmt.Errorf("logit lens: %s token %d at position %d is outside the vocabulary 0..%d", name, id, p, vocab-1)
			}
		}
		return nil
	}
	l.Target, l.AntiTarget = opt.Target, opt.AntiTarget
	if l.Target == nil {
		l.Target = make([]int, n)
		for p := range n {
			l.Target[p] = best(final.Sub(p).Data, -1)
		}
	}
	if err := given("target", l.Target); err != nil {
		return err
	}
	if l.AntiTarget == nil {
		l.AntiTarget = make([]int, n)
		for p := range n {
			l.AntiTarget[p] = best(final.Sub(p).Data, l.Target[p])
		}
	}
	return given("anti-target", l.AntiTarget)
}

// best returns the index of the largest value but the one at skip; the first
// of equals.
func best(x []float32, skip int) int {
	at := -1
	for i, v := range x {
		if i != skip && (at < 0 || v > x[at]) {
			at = i
		}
	}
	return max(at, 0)
}
