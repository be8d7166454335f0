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
	// Frozen divides by the final norm's scale of the run in place of each
	// state's own: what direct logit attribution does. The two conventions
	// agree on the last state only.
	Frozen bool
	// Coda runs the last blocks of the model, so many of them, on each state before
	// it is decoded, and skips those between: the coda lens (Lu et al., "Latent
	// Chain-of-Thought? Decoding the Depth-Recurrent Transformer", 2025, arXiv
	// 2507.02199), for models without recurrence. 0 is the logit lens. It goes with
	// states of the stream and their own statistics alone.
	Coda int
	// Tuned translates each state before it is decoded: the tuned lens.
	Tuned *TunedLens
	// Divergences adds KLReverse and JS to the values of each row.
	Divergences bool
	// Hooks are those of the run, edits for example.
	Hooks []models.Hook
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
	// reads the last state exactly as the model does. With a coda it is that of the
	// state which the coda's first block reads in the run.
	LastRowError float64

	layers int // of the model
}

// LogitLens decodes every state of the residual stream as if it were the
// last one: norm_final(h) W_U + b_U, the final norm's statistics recomputed
// from h itself (nostalgebraist, "interpreting GPT: the logit lens", 2020), or,
// with Frozen, taken from the last state.
//
// The target and the divergence from the final distribution need the end of
// the run, so the model runs once and its states are then decoded one by one,
// from the embedding up; each row goes to emit as soon as it is decoded. The
// cost is one run and (L+1)·T·D·V multiplications, twice that with Mid. With a
// coda it is a run more for each row.
func LogitLens(ctx context.Context, m *models.Model, ids []int, opt LensOptions, emit func(LensRow) error) (*Lens, error) {
	sites, err := LensSites(m, opt.Mid)
	if err != nil {
		return nil, err
	}
	cache := models.NewCache()
	out, err := m.Run(ctx, models.Prompt(ids...), append(opt.Hooks[:len(opt.Hooks):len(opt.Hooks)], models.Record(cache, lensSelector(sites, opt.Frozen)))...)
	if err != nil {
		return nil, err
	}
	return ReadLens(ctx, m, LensRun{ids, cache, out.Logits.Sub(0)}, opt, emit)
}

// LensRun is a run of one prompt that was recorded for the lens, with edits or
// without.
type LensRun struct {
	IDs    []int
	Cache  *models.Cache // the sites of LensSites
	Logits *tensor.Dense // [T,V]
}

// ReadLens is LogitLens of a run that was made before. Of its hooks opt has those
// that a coda is to be run under, too.
func ReadLens(ctx context.Context, m *models.Model, run LensRun, opt LensOptions, emit func(LensRow) error) (*Lens, error) {
	if err := opt.check(m); err != nil {
		return nil, err
	}
	sites, states, err := lensStates(m, opt.Mid)
	if err != nil {
		return nil, err
	}
	return readStates(ctx, m, run, sites, states, opt, emit)
}

// ReadOutputs decodes other values of a run that was made before, one a site, as
// ReadLens decodes the stream: what an attention or MLP output would say if it
// were the whole of it, by its own statistics and with biases (ComponentLens with
// neither option). Sites must have the stream's axes; opt.Mid has no meaning here.
func ReadOutputs(ctx context.Context, m *models.Model, run LensRun, sites []models.Site, opt LensOptions, emit func(LensRow) error) (*Lens, error) {
	if opt.Coda != 0 || opt.Tuned != nil || opt.Frozen {
		return nil, fmt.Errorf("lens of outputs: it reads each output by its own statistics: leave out coda, tuned lens and frozen scale")
	}
	states := make([]string, len(sites))
	for i, s := range sites {
		if shape := m.Shape(s, 1, len(run.IDs)); len(shape) != 3 || shape[2] != m.Config.Width {
			return nil, fmt.Errorf("lens of outputs: %s has shape %v, which is not that of the stream", s, shape)
		}
		states[i] = s.String()
	}
	return readStates(ctx, m, run, sites, states, opt, emit)
}

// readStates decodes the values at sites, named by states, row by row.
func readStates(ctx context.Context, m *models.Model, run LensRun, sites []models.Site, states []string, opt LensOptions, emit func(LensRow) error) (*Lens, error) {
	final := run.Logits
	exact := codaSite(m, opt.Coda)
	lens := &Lens{IDs: run.IDs, layers: m.Config.Layers}
	if err := lens.follow(final, opt); err != nil {
		return nil, err
	}
	ref := newReference(final, lens.Target, lens.AntiTarget)
	decode, err := lensReadout(m, run.Cache, opt.Frozen, true)
	if err != nil {
		return nil, err
	}
	if opt.Coda > 0 {
		decode = codaReadout(ctx, m, run.IDs, opt)
	}
	for i, site := range sites {
		if err := ctx.Err(); err != nil {
			return lens, err
		}
		x, ok := run.Cache.Get(site)
		if !ok {
			return nil, fmt.Errorf("logit lens: site %s was not recorded", site)
		}
		state := x.Sub(0)
		if opt.Tuned != nil {
			state = opt.Tuned.Translate(i, state) // without rows between, state i is what block i reads
		}
		logits, err := decode(state)
		if err != nil {
			return lens, fmt.Errorf("logit lens: %w", err)
		}
		row := ref.read(logits, opt)
		row.State, row.Layer = states[i], site.Layer
		lens.Rows = append(lens.Rows, row)
		if site == exact {
			lens.LastRowError = logits.MaxDifference(final)
		}
		if err := emit(row); err != nil {
			return lens, err
		}
	}
	return lens, nil
}

// top is how many tokens a row keeps.
func (o LensOptions) top() int {
	if o.TopK <= 0 {
		return 10
	}
	return o.TopK
}

// lensSelector selects what a run must record: some sites, and the final norm's
// scale where it is to be frozen.
func lensSelector(sites []models.Site, frozen bool) models.Selector {
	if frozen {
		sites = append(sites[:len(sites):len(sites)], models.Site{Layer: -1, Kind: models.FinalScale})
	}
	return models.Sites(sites...)
}

// lensReadout is how rows [T,D] of a run become logits [T,V].
func lensReadout(m *models.Model, cache *models.Cache, frozen, biases bool) (func(*tensor.Dense) (*tensor.Dense, error), error) {
	if !frozen {
		return m.Unembed, nil
	}
	var scale []float32
	if m.Config.Norm != models.NoNorm {
		x, ok := cache.Get(models.Site{Layer: -1, Kind: models.FinalScale})
		if !ok {
			return nil, fmt.Errorf("logit lens: the final norm's scale was not recorded")
		}
		scale = x.Data
	}
	return func(x *tensor.Dense) (*tensor.Dense, error) { return m.UnembedFrozen(x, scale, biases) }, nil
}

// LensStates names the rows that LogitLens will emit, in order.
func LensStates(m *models.Model, mid bool) ([]string, error) {
	_, states, err := lensStates(m, mid)
	return states, err
}

// LensSites lists the sites that those rows decode, in the same order.
func LensSites(m *models.Model, mid bool) ([]models.Site, error) {
	sites, _, err := lensStates(m, mid)
	return sites, err
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
