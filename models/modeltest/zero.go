package modeltest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/tensor"
)

// zeroed zeroes each site in turn and expects other logits, unless it is proven
// that they cannot change. The scale of a norm is a divisor: with 0 there, and
// nothing to hide what comes of it, the run must fail with a NumericError, and
// twice the scale must change the logits as zeroing does elsewhere.
func (s suite) zeroed(t *testing.T) {
	in := s.both(t)
	cache, plain := s.record(t, in)
	for _, site := range s.m.Sites() {
		if s.cannotMatter(site) || s.isZero(value(t, cache, site)) {
			continue
		}
		change := func(x *tensor.Dense) { clear(x.Data) }
		if scale(site) {
			_, err := s.m.Run(context.Background(), in, edit(site, change))
			var numeric models.NumericError
			if !errors.As(err, &numeric) {
				t.Errorf("%s: a scale of 0 gives the error %v, want a NumericError", site, err)
			}
			change = func(x *tensor.Dense) {
				for i := range x.Data {
					x.Data[i] *= 2
				}
			}
		}
		if s.run(t, in, edit(site, change)).EqualBits(plain) {
			t.Errorf("zeroing %s (or doubling it, for a scale) left every logit as it was", site)
		}
	}
}

// edit is a hook that changes the value at a site.
func edit(site models.Site, change func(x *tensor.Dense)) models.Hook {
	return models.Hook{Sites: models.Sites(site), Fn: func(_ models.Site, x *tensor.Dense) error {
		change(x)
		return nil
	}}
}

// scale reports whether a site holds the divisor of a norm.
func scale(s models.Site) bool { return strings.HasSuffix(s.String(), ".hook_scale") }

// isZero reports whether x holds zeros only: zeroing it is no edit.
func (s suite) isZero(x *tensor.Dense) bool {
	for _, v := range x.Data {
		if v != 0 {
			return false
		}
	}
	return true
}

// cannotMatter reports whether the weights prove that what is written at a site
// reaches no logit:
//
//   - a layer whose W_O is zero, or whose W_V and b_V are: attn_out is b_O
//     whatever the inputs, queries, keys, scores and patterns of its heads are,
//     because what a pattern weighs, or what is made of it, is 0;
//   - a layer whose W_Q, b_Q, W_K and b_K are zero: so are its scores, whatever its
//     queries and keys read (a model with even attention);
//   - a layer whose W_out is zero: mlp_out is b_out whatever the MLP computes; or
//     whose W_in and b_in are: hook_pre, or hook_pre_linear when gated, is 0
//     whatever the MLP reads.
//
// Values are finite here: 0·Inf, of a scale of 0, does reach the logits.
// Random and trained weights prove nothing of the kind, so that every one of
// their sites is tested; circuits that are set by hand, and models that are made
// to do without something, have idle parts.
func (s suite) cannotMatter(site models.Site) bool {
	if site.Layer < 0 {
		return false
	}
	b, k := &s.m.Params().Blocks[site.Layer], site.Kind
	none := func(xs ...*tensor.Dense) bool {
		for _, x := range xs {
			if x != nil && !s.isZero(x) {
				return false
			}
		}
		return true
	}
	if none(b.V.Weight, b.V.Bias) && k > models.ResidPre && k <= models.Pattern ||
		none(b.O.Weight) && k > models.ResidPre && k <= models.Z ||
		none(b.Q.Weight, b.Q.Bias, b.K.Weight, b.K.Bias) && (k == models.QInput || k == models.KInput) {
		return true
	}
	return none(b.Out.Weight) && k > models.ResidMid && k <= models.Post ||
		none(b.In.Weight, b.In.Bias) && k > models.ResidMid && k < models.Pre
}
