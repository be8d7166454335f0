package modeltest

import (
	"context"
	"fmt"
	"math"
	"testing"

	"orrery/models"
	"orrery/models/tensor"
)

// stacks holds decompositions to the stream that they are of, and attributions
// to the logits.
func (s suite) stacks(t *testing.T) {
	in := s.both(t)
	out, c, err := s.m.RunWithCache(context.Background(), in, models.CacheOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stream := value(t, c, models.Site{Layer: s.m.Config.Layers - 1, Kind: models.ResidPost})
	opt := models.StackOptions{InclRemainder: true}
	var parts *models.Stack
	for _, d := range []struct {
		name string
		fn   func(*models.Model, *models.Cache, int, models.StackOptions) (*models.Stack, error)
	}{
		{"decompose_resid", models.DecomposeResid}, {"stack_head_results", models.StackHeadResults},
		{"stack_neuron_results", models.StackNeuronResults}, {"get_full_resid_decomposition", models.FullResidDecomposition},
	} {
		if d.name == "stack_neuron_results" && s.m.Config.AttnOnly {
			continue // which has none
		}
		stack, err := d.fn(s.m, c, -1, opt)
		if err != nil {
			t.Errorf("%s: %v", d.name, err)
			continue
		}
		Close(t, d.name, total(stack), stream, 2e-5, 2e-5)
		parts = stack
	}
	s.earlierStreams(t, c)
	s.normedStacks(t, c)
	a := models.Answers{Incorrect: make([]int, in.B*in.T)}
	for r := range in.B * in.T {
		a.Tokens = append(a.Tokens, (r+1)%s.m.Config.Outputs())
	}
	attrs, err := models.LogitAttrs(c, parts, a)
	if err != nil {
		t.Fatal(err)
	}
	got, want := attrs.Constant.Clone(), tensor.New(in.B, in.T)
	logits := out.Logits.Reshape(in.B*in.T, -1)
	uncapped := func(z float32) float32 { // attributions are to what a cap reads
		if limit := s.m.Config.LogitCap; limit > 0 {
			return float32(limit * math.Atanh(float64(z)/limit))
		}
		return z
	}
	for r := range want.Data {
		want.Data[r] = uncapped(logits.At(r, a.Tokens[r])) - uncapped(logits.At(r, 0))
		for i := range attrs.Labels {
			got.Data[r] += attrs.Values.Data[i*len(want.Data)+r]
		}
	}
	Close(t, "logit attributions", got, want, 5e-5, 5e-5)
}

// earlierStreams holds the decompositions of the stream that enters each block,
// and its accumulated states, to the recorded values.
func (s suite) earlierStreams(t *testing.T, c *models.Cache) {
	for l := range s.m.Config.Layers {
		stream := value(t, c, models.Site{Layer: l, Kind: models.ResidPre})
		for name, fn := range map[string]func(*models.Model, *models.Cache, int, models.StackOptions) (*models.Stack, error){
			"decompose_resid": models.DecomposeResid, "get_full_resid_decomposition": models.FullResidDecomposition,
		} {
			stack, err := fn(s.m, c, l, models.StackOptions{})
			if err != nil {
				t.Errorf("%s before block %d: %v", name, l, err)
				continue
			}
			Close(t, fmt.Sprintf("%s before block %d", name, l), total(stack), stream, 2e-5, 2e-5)
		}
	}
	states, err := models.AccumulatedResid(s.m, c, -1, models.StackOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range states.Labels {
		site := models.Site{Layer: i, Kind: models.ResidPre}
		if i == s.m.Config.Layers {
			site = models.Site{Layer: i - 1, Kind: models.ResidPost}
		}
		if !states.Component(i).EqualBits(value(t, c, site)) {
			t.Errorf("accumulated_resid: %s is not %s", states.Labels[i], site)
		}
	}
}

// normedStacks holds components normed as the run's final norm did, its gain and
// bias aside, to the stream less its mean and divided by the recorded scale.
func (s suite) normedStacks(t *testing.T, c *models.Cache) {
	parts, err := models.FullResidDecomposition(s.m, c, -1, models.StackOptions{ApplyLN: true})
	if err != nil {
		t.Fatal(err)
	}
	want := value(t, c, models.Site{Layer: s.m.Config.Layers - 1, Kind: models.ResidPost}).Clone()
	if s.m.Config.Norm != models.NoNorm {
		scale, d := value(t, c, models.Site{Layer: -1, Kind: models.FinalScale}), s.m.Config.Width
		for r := range want.Len() / d {
			row, mean := want.Data[r*d:(r+1)*d], 0.0
			for _, v := range row {
				if s.m.Config.Norm == models.LayerNorm {
					mean += float64(v) / float64(d)
				}
			}
			for i, v := range row {
				row[i] = float32((float64(v) - mean) / float64(scale.Data[r]))
			}
		}
	}
	Close(t, "normed components", total(parts), want, 5e-5, 5e-5)
}

// total is the sum of a stack's components.
func total(s *models.Stack) *tensor.Dense {
	sum := s.Component(0)
	for i := 1; i < len(s.Labels); i++ {
		for j, v := range s.Component(i).Data {
			sum.Data[j] += v
		}
	}
	return sum
}

// processed holds every rewriting of the weights that the model allows, alone
// and together, to its probabilities.
func (s suite) processed(t *testing.T) {
	if s.m.Basis() != models.RawBasis {
		return // which cannot be processed again
	}
	in := s.both(t)
	logits := s.run(t, in)
	want, scale := logProbs(logits), 1.0 // to which the rounding of rewritten weights is relative
	for _, z := range logits.Data {
		scale = math.Max(scale, math.Abs(float64(z)))
	}
	all := s.m.Config.Allowed()
	for _, p := range []models.Processing{
		{FoldLN: all.FoldLN}, {CenterWritingWeights: all.CenterWritingWeights},
		{CenterUnembed: all.CenterUnembed}, {FoldValueBiases: all.FoldValueBiases}, all,
	} {
		m, err := s.m.Process(p)
		if err != nil {
			t.Errorf("%+v: %v", p, err)
			continue
		}
		out, err := m.Run(context.Background(), in)
		if err != nil {
			t.Errorf("%s: %v", m.Basis(), err)
			continue
		}
		Close(t, "log-probabilities of "+m.Basis(), logProbs(out.Logits), want, 1e-5*scale, 1e-5)
	}
}

// logProbs turns logits [B,T,V] into log-probabilities.
func logProbs(x *tensor.Dense) *tensor.Dense {
	y, v := tensor.New(x.Shape...), x.Dim(-1)
	for lo := 0; lo < x.Len(); lo += v {
		for i, p := range models.LogProbs(x.Data[lo : lo+v]) {
			y.Data[lo+i] = float32(p)
		}
	}
	return y
}
