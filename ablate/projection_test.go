package ablate_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// TestProject compares a projection in a run with the same run under hooks that
// take the directions away by hand, at some positions of some components.
func TestProject(t *testing.T) {
	m := modeltest.Llama(3)
	d := m.Config.Width
	b := tensor.New(2, d) // independent, of other lengths than 1, not orthogonal
	for i := range d {
		b.Set(float32(math.Sin(float64(3*i+1))), 0, i)
		b.Set(float32(2*math.Cos(float64(i*i))), 1, i)
	}
	prompts := []ablate.Prompt{{IDs: []int{1, 5, 2, 7}, Answer: 3, Other: -1}, {IDs: []int{4, 4, 9, 0}, Answer: -1, Other: -1}}
	nodes := []ablate.Node{{Part: ablate.AttentionPart, Layer: 1}, {Part: ablate.MLPPart, Layer: 0}}
	logit, err := ablate.MetricByName("logit")
	if err != nil {
		t.Fatal(err)
	}
	var got []ablate.Projected
	err = ablate.Project(context.Background(), m, prompts, []ablate.Projection{
		{Name: "two", Nodes: nodes, Directions: b, Positions: []int{-1}},
		{Name: "nothing", Nodes: nodes},
	}, []ablate.Metric{logit}, func(i int, p ablate.Projected) error {
		if i != len(got)-1 {
			t.Errorf("projection %d comes as number %d", i, len(got)-1)
		}
		got = append(got, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	by := models.Hook{Sites: models.Sites(models.Site{Layer: 1, Kind: models.AttnOut}, models.Site{Layer: 0, Kind: models.MLPOut}),
		Fn: func(_ models.Site, x *tensor.Dense) error {
			for row := range x.Dim(0) {
				without(x.Sub(row, x.Dim(1)-1).Data, b)
			}
			return nil
		}}
	for row, p := range prompts {
		out, err := m.Run(context.Background(), models.Prompt(p.IDs...), by)
		if err != nil {
			t.Fatal(err)
		}
		last := out.Logits.Sub(0, 3).Data
		if p.Answer < 0 {
			continue
		}
		if d := math.Abs(got[1].Values[0][row] - float64(last[p.Answer])); !(d < 1e-5) {
			t.Errorf("logit %g, by hand %g", got[1].Values[0][row], last[p.Answer])
		}
		if got[1].Values[0][row] == got[0].Values[0][row] {
			t.Error("the projection changes nothing")
		}
		if got[2].Values[0][row] != got[0].Values[0][row] || got[2].Tops[row] != got[0].Tops[row] {
			t.Error("taking nothing away changes something")
		}
	}
}

// TestProjectHeads compares a projection of heads of two layers and an MLP with the
// same run in which z is undone by hand: a head adds W_O·z, so that its part in the
// directions can be taken off the block's output.
func TestProjectHeads(t *testing.T) {
	m := modeltest.GPT2(4)
	d := m.Config.Width
	b := tensor.New(2, d)
	for i := range d {
		b.Set(float32(math.Sin(float64(3*i+1))), 0, i)
		b.Set(float32(math.Cos(float64(i*i))), 1, i)
	}
	ids := []int{1, 5, 2, 7}
	heads := []ablate.Node{{Part: ablate.HeadPart, Layer: 0, Index: 1}, {Part: ablate.HeadPart, Layer: 1, Index: 0}, {Part: ablate.HeadPart, Layer: 1, Index: 2}}
	logit, err := ablate.MetricByName("logit")
	if err != nil {
		t.Fatal(err)
	}
	var got []ablate.Projected
	err = ablate.Project(context.Background(), m, []ablate.Prompt{{IDs: ids, Answer: 3, Other: -1}}, []ablate.Projection{
		{Name: "heads and an MLP", Nodes: append([]ablate.Node{{Part: ablate.MLPPart, Layer: 0}}, heads...), Directions: b, Positions: []int{-1}},
	}, []ablate.Metric{logit}, func(_ int, p ablate.Projected) error {
		got = append(got, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	z := map[int]*tensor.Dense{}
	keep := models.Hook{Sites: models.Sites(models.Site{Layer: 0, Kind: models.Z}, models.Site{Layer: 1, Kind: models.Z}), Fn: func(at models.Site, x *tensor.Dense) error {
		z[at.Layer] = x.Sub(0, 3).Clone()
		return nil
	}}
	by := models.Hook{Sites: models.Sites(models.Site{Layer: 0, Kind: models.AttnOut}, models.Site{Layer: 1, Kind: models.AttnOut}, models.Site{Layer: 0, Kind: models.MLPOut}),
		Fn: func(at models.Site, x *tensor.Dense) error {
			last := x.Sub(0, 3).Data
			if at.Kind == models.MLPOut {
				without(last, b)
				return nil
			}
			block, err := m.Block(at.Layer)
			if err != nil {
				return err
			}
			for _, n := range heads {
				if n.Layer != at.Layer {
					continue
				}
				wrote := make([]float32, d)
				for i := range d {
					for k := range m.Config.HeadWidth {
						wrote[i] += z[at.Layer].At(n.Index, k) * block.O.Weight.At(i, n.Index*m.Config.HeadWidth+k)
					}
				}
				left := append([]float32(nil), wrote...)
				without(left, b)
				for i := range d {
					last[i] += left[i] - wrote[i]
				}
			}
			return nil
		}}
	out, err := m.Run(context.Background(), models.Prompt(ids...), keep, by)
	if err != nil {
		t.Fatal(err)
	}
	if want := float64(out.Logits.At(0, 3, 3)); !(math.Abs(got[1].Values[0][0]-want) < 1e-5) || got[1].Values[0][0] == got[0].Values[0][0] {
		t.Errorf("logit %g, by hand %g, without a projection %g", got[1].Values[0][0], want, got[0].Values[0][0])
	}
}

// TestProjectPlaces compares a projection of the stream at one position, about a
// point, with the same run under a hook.
func TestProjectPlaces(t *testing.T) {
	m := modeltest.Llama(3)
	d := m.Config.Width
	b, point := tensor.New(2, d), make([]float32, d)
	for i := range d {
		b.Set(float32(math.Sin(float64(3*i+1))), 0, i)
		b.Set(float32(math.Cos(float64(i*i))), 1, i)
		point[i] = float32(i%3) / 2
	}
	site := models.Site{Layer: 1, Kind: models.ResidPre}
	logit, err := ablate.MetricByName("logit")
	if err != nil {
		t.Fatal(err)
	}
	var got []ablate.Projected
	err = ablate.Project(context.Background(), m, []ablate.Prompt{{IDs: []int{1, 5, 2, 7}, Answer: 3, Other: -1}}, []ablate.Projection{
		{Name: "stream", Places: []ablate.Place{{Site: site, Head: -1, Position: 1}}, Point: point, Directions: b},
	}, []ablate.Metric{logit}, func(_ int, p ablate.Projected) error {
		got = append(got, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := m.Run(context.Background(), models.Prompt(1, 5, 2, 7), models.Hook{Sites: models.Sites(site), Fn: func(_ models.Site, x *tensor.Dense) error {
		row := x.Sub(0, 1).Data
		for i := range row {
			row[i] -= point[i]
		}
		without(row, b)
		for i := range row {
			row[i] += point[i]
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if want := float64(out.Logits.At(0, 3, 3)); !(math.Abs(got[1].Values[0][0]-want) < 1e-5) || got[1].Values[0][0] == got[0].Values[0][0] {
		t.Errorf("logit %g, by hand %g, without a projection %g", got[1].Values[0][0], want, got[0].Values[0][0])
	}
}

// without takes the span of two rows off x, by the normal equations.
func without(x []float32, b *tensor.Dense) {
	u, v := b.Sub(0).Data, b.Sub(1).Data
	dot := func(a, b []float32) (s float64) {
		for i := range a {
			s += float64(a[i]) * float64(b[i])
		}
		return s
	}
	uu, uv, vv, xu, xv := dot(u, u), dot(u, v), dot(v, v), dot(x, u), dot(x, v)
	det := uu*vv - uv*uv
	p, q := (vv*xu-uv*xv)/det, (uu*xv-uv*xu)/det
	for i := range x {
		x[i] -= float32(p*float64(u[i]) + q*float64(v[i]))
	}
}

func TestProjectionRefuses(t *testing.T) {
	m := modeltest.Llama(3)
	mlp := []ablate.Node{{Part: ablate.MLPPart, Layer: 0}}
	for name, test := range map[string]struct {
		p    ablate.Projection
		says string
	}{
		"a neuron":          {ablate.Projection{Nodes: []ablate.Node{{Part: ablate.NeuronPart}}}, "attention blocks, heads and MLPs"},
		"a missing head":    {ablate.Projection{Nodes: []ablate.Node{{Part: ablate.HeadPart, Index: 9}}}, "head 0.9"},
		"a head twice":      {ablate.Projection{Nodes: []ablate.Node{{Part: ablate.HeadPart}, {Part: ablate.HeadPart}}}, "listed twice"},
		"a block's head":    {ablate.Projection{Nodes: []ablate.Node{{Part: ablate.HeadPart, Layer: 1}, {Part: ablate.AttentionPart, Layer: 1}}}, "head 1.0 is a part of attn 1"},
		"a missing layer":   {ablate.Projection{Nodes: []ablate.Node{{Part: ablate.MLPPart, Layer: 2}}}, "outside 0..1"},
		"no component":      {ablate.Projection{}, "no components"},
		"a place of heads":  {ablate.Projection{Places: []ablate.Place{{Site: models.Site{Layer: 0, Kind: models.Z}, Head: 0, Position: -1}}}, "holds 6 numbers"},
		"another point":     {ablate.Projection{Nodes: mlp, Point: []float32{1}}, "a point of 1 numbers"},
		"another width":     {ablate.Projection{Nodes: mlp, Directions: tensor.New(1, 5)}, "stream of 12 dimensions"},
		"all of the stream": {ablate.Projection{Nodes: mlp, Directions: tensor.New(12, 12)}, "nothing would be left"},
	} {
		if _, err := test.p.Edits(m); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
}
