package train

import (
	"math"
	"slices"
	"testing"

	"orrery/models"
	"orrery/models/tensor"
)

// small is a planted recipe of a fraction of a second.
func small(t *testing.T) Recipe {
	t.Helper()
	r, err := Find("mental-planted")
	if err != nil {
		t.Fatal(err)
	}
	r.Model.Width, r.Model.Heads, r.Model.KVHeads, r.Model.HeadWidth, r.Model.MLPWidth = 16, 2, 2, 8, 24
	r.Model.Rotary.Dim = 8
	r.Steps, r.Batch, r.Warmup, r.Init = 6, 32, 2, initWidth
	r.ReportEvery, r.MeasureEvery, r.SaveEvery = 1, 10, 10
	return r
}

// A step's loss is that of its prompts, those under the masks run with the masks
// as edits and the others without, and so are its gradients.
func TestStepRunsUnderItsEdits(t *testing.T) {
	for _, share := range []float64{1, 0.875, 0.25} {
		recipe := small(t)
		recipe.Edited = share
		r, err := newRun(recipe, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		var batch []Example
		for _, i := range r.order.indices(1) {
			batch = append(batch, r.learn[i])
		}
		masked := int(share * float64(recipe.Batch))
		want := make(map[string]*tensor.Dense)
		loss := 0.0
		for _, part := range []struct {
			examples []Example
			edits    []models.Edit
		}{{batch[:masked], recipe.Edits}, {batch[masked:], nil}} {
			if len(part.examples) == 0 {
				continue
			}
			hooks, err := r.model.Edits(part.edits...)
			if err != nil {
				t.Fatal(err)
			}
			in, answers := batchOf(part.examples)
			g, err := r.model.Gradient(t.Context(), in, AnswerLoss(answers), models.Want{Params: true}, hooks...)
			if err != nil {
				t.Fatal(err)
			}
			weight := float64(len(part.examples)) / float64(recipe.Batch)
			loss += weight * g.Value
			g.Params.Each(func(name string, x *tensor.Dense) {
				if want[name] == nil {
					want[name] = tensor.New(x.Shape...)
				}
				for i, v := range x.Data {
					want[name].Data[i] += float32(weight) * v
				}
			})
		}
		edits, err := r.model.Edits(recipe.edits()...)
		if err != nil {
			t.Fatal(err)
		}
		in, answers := batchOf(batch)
		g, err := r.model.Gradient(t.Context(), in, AnswerLoss(answers), models.Want{Params: true, Need: needOf(batch)}, edits...)
		if err != nil {
			t.Fatal(err)
		}
		g.Params.Each(func(name string, x *tensor.Dense) {
			for i, v := range x.Data {
				if w := want[name].Data[i]; !(math.Abs(float64(v-w)) <= 2e-6+1e-4*math.Abs(float64(w))) {
					t.Fatalf("share %g: gradient of %s[%d] is %g, of the two parts together %g", share, name, i, v, w)
				}
			}
		})
		got, _, _, err := r.step(t.Context())
		if err != nil || !(math.Abs(got-loss) <= 1e-6) {
			t.Errorf("share %g: the step's loss is %g (%v), of its parts %g", share, got, err, loss)
		}
	}
}

// Under the masks the operands reach the last token in the transfer blocks and
// nowhere else.
func TestPlantedMasks(t *testing.T) {
	recipe := small(t)
	m, err := models.New(recipe.Model, firstParams(recipe))
	if err != nil {
		t.Fatal(err)
	}
	run := func(a, b int, edits []models.Edit) (*tensor.Dense, *models.Cache) {
		hooks, err := m.Edits(edits...)
		if err != nil {
			t.Fatal(err)
		}
		c := models.NewCache()
		out, err := m.Run(t.Context(), models.Prompt(0, 4+a, 1, 4+b, 3), append(hooks, models.Record(c, models.All))...)
		if err != nil {
			t.Fatal(err)
		}
		return out.Logits.Sub(0, 4), c
	}
	none := waitTransfer(6, 3, 0)
	x, _ := run(3, 4, none)
	y, _ := run(77, 12, none)
	if !slices.Equal(x.Data, y.Data) {
		t.Error("without a transfer block the answer still knows the operands")
	}
	x, first := run(3, 4, recipe.Edits)
	y, second := run(77, 12, recipe.Edits)
	if slices.Equal(x.Data, y.Data) {
		t.Error("with two transfer blocks the answer does not know the operands")
	}
	for l := range 6 {
		at := models.Site{Layer: l, Kind: models.ResidPost}
		p, _ := first.Get(at)
		q, _ := second.Get(at)
		if same := slices.Equal(p.Sub(0, 4).Data, q.Sub(0, 4).Data); same != (l < 3) {
			t.Errorf("block %d: the last token is the same for other operands: %v", l, same)
		}
		if !slices.Equal(p.Sub(0, 2).Data, q.Sub(0, 2).Data) {
			t.Errorf("block %d: the operator has read an operand", l)
		}
	}
}

// The weights that begin at 0 stay there, and a token attends evenly.
func TestPizzaAttendsEvenly(t *testing.T) {
	recipe, err := Find("modadd-59-pizza")
	if err != nil {
		t.Fatal(err)
	}
	recipe.Steps, recipe.Batch, recipe.MeasureEvery = 5, 100, 10
	dir := t.TempDir()
	if err := Run(t.Context(), recipe, dir, nil); err != nil {
		t.Fatal(err)
	}
	m, err := models.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range recipe.Zero {
		x, _ := m.Params().Get(name)
		for i, v := range x.Data {
			if v != 0 {
				t.Fatalf("%s[%d] is %g", name, i, v)
			}
		}
	}
	c := models.NewCache()
	at := models.Site{Layer: 0, Kind: models.Pattern}
	if _, err := m.Run(t.Context(), models.Prompt(7, 50), models.Record(c, models.Sites(at))); err != nil {
		t.Fatal(err)
	}
	pattern, _ := c.Get(at)
	for h := range 4 {
		if row := pattern.Sub(0, h, 1).Data; row[0] != 0.5 || row[1] != 0.5 {
			t.Errorf("head %d attends %v", h, row)
		}
	}
}
