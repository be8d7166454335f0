package modeltest

import (
	"context"
	"math"
	"testing"

	"orrery/models"
	"orrery/models/tensor"
)

// Suite checks the properties that hold for every model, whatever its weights:
// hooks that change nothing change no bit, a row does not see its neighbours,
// its padding or its future, and the parts of the residual stream add up.
func Suite(t *testing.T, m *models.Model) {
	s := suite{m: m, rows: rows(m.Config)}
	tests := []struct {
		name string
		run  func(*testing.T)
	}{
		{"sites have their shapes", s.shapes},
		{"idle hooks and recording change no bit", s.idle},
		{"patching with the run's own values is the identity", s.ownValues},
		{"patching the first residual stream gives the other run", s.firstStream},
		{"every site matters", s.zeroed},
		{"later tokens leave earlier positions alone", s.causal},
		{"a batch equals its rows, on either side of padding", s.batch},
		{"patterns are causal and sum to 1", s.patterns},
		{"components add up to the residual stream", s.components},
		{"head results add up to the attention output", s.results},
		{"decompositions add up, and attributions to the logits", s.stacks},
		{"processing weights keeps the probabilities", s.processed},
		{"unembedding the last stream gives the logits", s.unembed},
		{"a saved model is the same model", s.saved},
	}
	for _, test := range tests {
		t.Run(test.name, test.run)
	}
}

// suite is a model with two prompts of one length, which differ everywhere.
type suite struct {
	m    *models.Model
	rows [2][]int
}

// rows makes two prompts for any vocabulary and context.
func rows(c models.Config) (out [2][]int) {
	for p := range min(c.Context, 7) {
		out[0] = append(out[0], (3+5*p*p)%c.Vocab)
		out[1] = append(out[1], (4+5*p*p)%c.Vocab)
	}
	return out
}

// run fails the test on an error.
func (s suite) run(t *testing.T, in models.Batch, hooks ...models.Hook) *tensor.Dense {
	t.Helper()
	out, err := s.m.Run(context.Background(), in, hooks...)
	if err != nil {
		t.Fatal(err)
	}
	return out.Logits
}

// record runs in and returns the values at every site and the logits.
func (s suite) record(t *testing.T, in models.Batch) (*models.Cache, *tensor.Dense) {
	t.Helper()
	cache := models.NewCache()
	return cache, s.run(t, in, models.Record(cache, models.All))
}

// both is a batch of both prompts.
func (s suite) both(t *testing.T) models.Batch {
	t.Helper()
	in, err := models.Rows(s.rows[:])
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// patch writes the recorded value over the selected sites.
func patch(from *models.Cache, sel models.Selector) models.Hook {
	return models.Hook{Sites: sel, Fn: func(at models.Site, x *tensor.Dense) error {
		value, _ := from.Get(at)
		copy(x.Data, value.Data)
		return nil
	}}
}

// value is a recorded value, which must be there.
func value(t *testing.T, c *models.Cache, s models.Site) *tensor.Dense {
	t.Helper()
	x, ok := c.Get(s)
	if !ok {
		t.Fatalf("%s did not fire", s)
	}
	return x
}

func (s suite) shapes(t *testing.T) {
	in := s.both(t)
	cache, _ := s.record(t, in)
	for _, site := range s.m.Sites() {
		x := value(t, cache, site)
		if want := s.m.Shape(site, in.B, in.T); !tensor.SameShape(x.Shape, want) {
			t.Errorf("%s has shape %v, want %v", site, x.Shape, want)
		}
		if len(s.m.Axes(site)) != x.Rank() {
			t.Errorf("%s has axes %v and shape %v", site, s.m.Axes(site), x.Shape)
		}
		if found, err := s.m.Site(site.String()); err != nil || found != site {
			t.Errorf("%s is found as %v, %v", site, found, err)
		}
	}
}

func (s suite) idle(t *testing.T) {
	in := s.both(t)
	plain := s.run(t, in)
	idle := models.Hook{Sites: models.All, Fn: func(models.Site, *tensor.Dense) error { return nil }}
	if !s.run(t, in, idle).EqualBits(plain) {
		t.Error("a hook that does nothing changed the logits")
	}
	if _, recorded := s.record(t, in); !recorded.EqualBits(plain) {
		t.Error("recording every site changed the logits")
	}
}

func (s suite) ownValues(t *testing.T) {
	in := s.both(t)
	cache, plain := s.record(t, in)
	for _, site := range s.m.Sites() {
		if !s.run(t, in, patch(cache, models.Sites(site))).EqualBits(plain) {
			t.Errorf("patching %s with its own value changed the logits", site)
		}
	}
}

func (s suite) firstStream(t *testing.T) {
	clean, want := s.record(t, models.Prompt(s.rows[0]...))
	first := models.Sites(models.Site{Layer: 0, Kind: models.ResidPre})
	got := s.run(t, models.Prompt(s.rows[1]...), patch(clean, first))
	if !got.EqualBits(want) {
		t.Error("the first residual stream of one prompt did not give its logits on another")
	}
}

func (s suite) causal(t *testing.T) {
	in := models.Prompt(s.rows[0]...)
	before, _ := s.record(t, in)
	last := in.T - 1
	ids := append([]int(nil), s.rows[0]...)
	ids[last] = s.rows[1][last]
	after, _ := s.record(t, models.Prompt(ids...))
	for _, site := range s.m.Sites() {
		a, b := value(t, before, site).Sub(0), value(t, after, site).Sub(0)
		if axes := s.m.Axes(site); axes[1] == "head" { // [H,query,key]
			for h := range a.Dim(0) {
				s.sameRows(t, site, a.Sub(h), b.Sub(h), last)
			}
			continue
		}
		s.sameRows(t, site, a, b, last)
	}
}

// sameRows compares the rows before last of a and b.
func (s suite) sameRows(t *testing.T, site models.Site, a, b *tensor.Dense, last int) {
	t.Helper()
	if !a.Slice0(0, last).EqualBits(b.Slice0(0, last)) {
		t.Errorf("%s changed before the position whose token changed", site)
	}
}

func (s suite) batch(t *testing.T) {
	short := s.rows[1][:1+len(s.rows[1])/2]
	for _, side := range []models.Side{models.Left, models.Right} {
		in, err := models.Pad([][]int{s.rows[0], short}, side, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := s.run(t, in)
		for b, row := range [][]int{s.rows[0], short} {
			alone := s.run(t, models.Prompt(row...)).Sub(0)
			if !got.Sub(b).Slice0(in.Start[b], in.End[b]).EqualBits(alone) {
				t.Errorf("padded on the %s, row %d differs from the same row alone", side, b)
			}
		}
	}
}

func (s suite) patterns(t *testing.T) {
	cache, _ := s.record(t, s.both(t))
	for l := range s.m.Config.Layers {
		site := models.Site{Layer: l, Kind: models.Pattern}
		p := value(t, cache, site)
		T := p.Dim(-1)
		for i := 0; i < len(p.Data); i += T {
			sum, query := 0.0, i/T%T
			for key, v := range p.Data[i : i+T] {
				if sum += float64(v); key > query && v != 0 {
					t.Fatalf("%s: query %d gives %g to the later key %d", site, query, v, key)
				}
			}
			if !(math.Abs(sum-1) <= 1e-5) {
				t.Fatalf("%s: the row of query %d sums to %g", site, query, sum)
			}
		}
	}
}

func (s suite) components(t *testing.T) {
	cache, _ := s.record(t, s.both(t))
	sum := value(t, cache, models.Site{Layer: -1, Kind: models.Embed}).Clone()
	add := func(site models.Site) {
		for i, v := range value(t, cache, site).Data {
			sum.Data[i] += v
		}
	}
	if s.m.Config.Positions == models.Learned {
		add(models.Site{Layer: -1, Kind: models.PosEmbed})
	}
	for l := range s.m.Config.Layers {
		add(models.Site{Layer: l, Kind: models.AttnOut})
		if !s.m.Config.AttnOnly {
			add(models.Site{Layer: l, Kind: models.MLPOut})
		}
		site := models.Site{Layer: l, Kind: models.ResidPost}
		Close(t, site.String(), sum, value(t, cache, site), 1e-5, 1e-5)
	}
}

func (s suite) results(t *testing.T) {
	cache, _ := s.record(t, s.both(t))
	for l := range s.m.Config.Layers {
		site := models.Site{Layer: l, Kind: models.AttnOut}
		want := s.attention(t, cache, l)
		results := value(t, cache, models.Site{Layer: l, Kind: models.Result})
		d := want.Dim(-1)
		sum := tensor.New(want.Shape...)
		for i, v := range results.Data {
			row, col := i/(d*s.m.Config.Heads), i%d
			sum.Data[row*d+col] += v
		}
		if bias := s.m.Params().Blocks[l].O.Bias; bias != nil {
			for i := range sum.Data {
				sum.Data[i] += bias.Data[i%d]
			}
		}
		if s.m.Config.Placement != models.PreNorm && s.m.Config.Norm == models.LayerNorm { // whose input is known but for its mean
			for lo := 0; lo < sum.Len(); lo += d {
				mean := float32(0)
				for _, v := range sum.Data[lo : lo+d] {
					mean += v / float32(d)
				}
				for i := range d {
					sum.Data[lo+i] -= mean
				}
			}
		}
		Close(t, site.String(), sum, want, 1e-5, 1e-5)
	}
}

// attention is what the heads of a layer add up to: the attention output, or
// what its norm read where there is one behind it.
func (s suite) attention(t *testing.T, cache *models.Cache, l int) *tensor.Dense {
	t.Helper()
	out := value(t, cache, models.Site{Layer: l, Kind: models.AttnOut})
	if s.m.Config.Placement == models.PreNorm {
		return out
	}
	scale := value(t, cache, models.Site{Layer: l, Kind: models.LN1PostScale})
	raw := value(t, cache, models.Site{Layer: l, Kind: models.LN1PostNormalized}).Clone()
	for i := range raw.Data {
		raw.Data[i] *= scale.Data[i/raw.Dim(-1)]
	}
	return raw
}

func (s suite) unembed(t *testing.T) {
	cache, logits := s.record(t, s.both(t))
	last := value(t, cache, models.Site{Layer: s.m.Config.Layers - 1, Kind: models.ResidPost})
	got, err := s.m.Unembed(last.Reshape(-1, s.m.Config.Width))
	if err != nil {
		t.Fatal(err)
	}
	if !got.EqualBits(logits.Reshape(-1, s.m.Config.Outputs())) {
		t.Error("the unembedded last residual stream differs from the logits")
	}
}

func (s suite) saved(t *testing.T) {
	dir := t.TempDir()
	if err := s.m.Save(dir); err != nil {
		t.Fatal(err)
	}
	again, err := models.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again.Hash() != s.m.Hash() || again.Config.Layers != s.m.Config.Layers {
		t.Errorf("hash %s after saving and loading, want %s", again.Hash(), s.m.Hash())
	}
	in := models.Prompt(s.rows[0]...)
	out, err := again.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	if !out.Logits.EqualBits(s.run(t, in)) {
		t.Error("the saved model gives other logits")
	}
}
