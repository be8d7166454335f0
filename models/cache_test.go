package models_test

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
	"orrery/models/weights"
)

func TestCacheBudget(t *testing.T) {
	m := modeltest.GPT2(1)
	in := models.Prompt(1, 2, 3, 4)
	_, c, err := m.RunWithCache(context.Background(), in, models.CacheOptions{Sites: models.All})
	if err != nil {
		t.Fatal(err)
	}
	need := m.CacheBytes(in, models.All)
	values := int64(0)
	for _, s := range c.Sites() {
		x, _ := c.Get(s)
		values += 4 * int64(x.Len())
	}
	if values != need || c.Bytes() >= need || len(c.Sites()) != len(m.Sites()) {
		t.Errorf("%d bytes of values at %d sites, %d of them stored; %d were estimated at %d", values, len(c.Sites()), c.Bytes(), need, len(m.Sites()))
	}
	idle := models.Hook{Sites: models.All, Fn: func(models.Site, *tensor.Dense) error { return nil }}
	if _, c, err = m.RunWithCache(context.Background(), in, models.CacheOptions{Sites: models.All}, idle); err != nil || c.Bytes() != need {
		t.Errorf("behind a hook %d bytes are stored, %v, want all %d", c.Bytes(), err, need)
	}
	if _, _, err := m.RunWithCache(context.Background(), in, models.CacheOptions{Sites: models.All, Budget: need}); err != nil {
		t.Errorf("what takes the whole budget is refused: %v", err)
	}
	fired := false
	watch := models.Hook{Sites: models.All, Fn: func(models.Site, *tensor.Dense) error { fired = true; return nil }}
	_, _, err = m.RunWithCache(context.Background(), in, models.CacheOptions{Sites: models.All, Budget: 2000}, watch)
	var budget *models.BudgetError
	if !errors.As(err, &budget) || budget.Need != need || budget.Budget != 2000 || fired {
		t.Errorf("error %v, and hooks fired: %v", err, fired)
	}
	mustSay(t, err, "56 sites of 1×4 tokens", "budget is 2.0 KiB", "blocks.*.hook_q_input (1.1 KiB)", "record fewer sites")
	_, _, err = m.RunWithCache(context.Background(), in, models.CacheOptions{Budget: 10})
	mustSay(t, err, "budget is 10 bytes", "record single layers")
	_, _, err = m.RunWithCache(context.Background(), in, models.CacheOptions{Sites: func(models.Site) bool { return false }})
	mustSay(t, err, "selects no site")
	_, _, err = m.RunWithCache(context.Background(), models.Prompt(99), models.CacheOptions{})
	mustSay(t, err, "id 99")
	c, _ = withCache(t, m, in)
	if _, ok := c.Get(models.Site{Layer: 0, Kind: models.Result}); ok || len(c.Sites()) != len(m.Sites())-6*m.Config.Layers {
		t.Errorf("by default %d of %d sites are recorded", len(c.Sites()), len(m.Sites()))
	}
	if o := c.Origin; o.Basis != "raw" || o.Model != m.Name || len(o.Batch.IDs) != 4 {
		t.Errorf("origin %+v", o)
	}
}

func TestNamesFilters(t *testing.T) {
	m := modeltest.Llama(1)
	sel, err := m.MatchAny("z0", "*hook_pattern", `("q", 1)`)
	if err != nil {
		t.Fatal(err)
	}
	_, c, err := m.RunWithCache(context.Background(), models.Prompt(1, 2), models.CacheOptions{Sites: sel})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range c.Sites() {
		names = append(names, s.String())
	}
	if got := strings.Join(names, " "); got != "blocks.0.attn.hook_pattern blocks.0.attn.hook_z blocks.1.attn.hook_q blocks.1.attn.hook_pattern" {
		t.Errorf("recorded %s", got)
	}
	_, err = m.MatchAny("z0", "*hook_patern")
	mustSay(t, err, "*hook_patern", "nearest", "hook_pattern [batch,head,query,key]")
}

func TestRemoveBatch(t *testing.T) {
	m := modeltest.Llama(1)
	c, _ := withCache(t, m, models.Prompt(1, 2, 3))
	flat, err := c.RemoveBatch()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Sites() {
		was, _ := c.Get(s)
		x, ok := flat.Get(s)
		if !ok || x.Rank() != was.Rank()-1 || !x.EqualBits(was.Sub(0)) {
			t.Errorf("%s is %v without its batch axis, and was %v", s, x, was)
		}
	}
	stack := must[*models.Stack](t)
	heads, flatHeads := stack(models.StackHeadResults(m, c, -1, models.StackOptions{})), stack(models.StackHeadResults(m, flat, -1, models.StackOptions{}))
	if got, want := flatHeads.Dense(), heads.Dense(); got.Rank() != 3 || !got.EqualBits(want.Reshape(got.Shape...)) {
		t.Errorf("stack without the batch axis is %v, want %v", got, want)
	}
	a := must[*models.Attribution](t)(models.LogitAttrs(flat, flatHeads, models.Answers{Tokens: []int{1}}))
	if want := []int{8, 3}; !tensor.SameShape(a.Values.Shape, want) || !tensor.SameShape(a.Constant.Shape, want[1:]) {
		t.Errorf("attributions have shapes %v and %v", a.Values.Shape, a.Constant.Shape)
	}
	_, err = flat.RemoveBatch()
	mustSay(t, err, "removed already")
	two, _ := withCache(t, m, models.Batch{IDs: []int{1, 2, 3, 4}, B: 2, T: 2})
	_, err = two.RemoveBatch()
	mustSay(t, err, "2 batch rows")
}

func TestCachesKeepEveryBit(t *testing.T) {
	m := modeltest.Llama(1)
	in, err := models.Pad([][]int{{1, 2, 3}, {4}}, models.Left, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, c, err := m.RunWithCache(context.Background(), in, models.CacheOptions{Sites: models.All})
	if err != nil {
		t.Fatal(err)
	}
	one, _ := withCache(t, m, models.Prompt(1, 2, 3))
	flat, err := one.RemoveBatch()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*models.Cache{"padded": c, "without batch": flat} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cache.safetensors")
			if err := c.Save(path); err != nil {
				t.Fatal(err)
			}
			again, err := m.LoadCache(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(again.Sites()) != len(c.Sites()) || again.Batched() != c.Batched() {
				t.Errorf("%d sites, batched %v", len(again.Sites()), again.Batched())
			}
			for _, s := range c.Sites() {
				want, _ := c.Get(s)
				if got, ok := again.Get(s); !ok || !got.EqualBits(want) {
					t.Errorf("%s changed on the way", s)
				}
			}
			got, want := again.Origin, c.Origin
			if got.Hash != m.Hash() || got.Basis != want.Basis || got.Model != want.Model || got.Batch.B != want.Batch.B ||
				len(got.Batch.Start) != len(want.Batch.Start) || got.Batch.IDs[2] != want.Batch.IDs[2] {
				t.Errorf("origin %+v, want %+v", got, want)
			}
		})
	}
}

func TestForeignCaches(t *testing.T) {
	m := modeltest.GPT2(1)
	c, _ := withCache(t, m, models.Prompt(1, 2, 3))
	dir := t.TempDir()
	path := filepath.Join(dir, "c.safetensors")
	if err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	other := modeltest.GPT2(2)
	_, err := other.LoadCache(path)
	mustSay(t, err, "toy-gpt2", m.Hash()[:12], other.Hash()[:12])
	folded := must[*models.Model](t)(m.Process(m.Config.Allowed()))
	_, err = folded.LoadCache(path)
	mustSay(t, err, "basis raw", "basis fold_ln")
	_, err = models.DecomposeResid(folded, c, -1, models.StackOptions{})
	mustSay(t, err, "decompose_resid", "basis raw", "basis fold_ln")
	_, err = m.LoadCache(filepath.Join(dir, "none"))
	mustSay(t, err, "load cache")

	// A file as TransformerLens' users write them: no metadata, both names.
	value := func(name string) *tensor.Dense {
		s, err := m.Site(name)
		if err != nil {
			t.Fatal(err)
		}
		x, _ := c.Get(s)
		return x
	}
	write := func(ts ...weights.Tensor) string {
		t.Helper()
		path := filepath.Join(dir, "t.safetensors")
		if err := weights.WriteFile(path, ts, nil); err != nil {
			t.Fatal(err)
		}
		return path
	}
	z := value("z0")
	again, err := m.LoadCache(write(weights.Tensor{Name: "blocks.0.attn.hook_z", Dense: z}, weights.Tensor{Name: "blocks.0.attn.o.hook_in", Dense: z},
		weights.Tensor{Name: "embed.hook_in", Ints: []int64{1, 2, 3}, Shape: []int{1, 3}}))
	if err != nil || len(again.Sites()) != 1 {
		t.Errorf("a file with both names: %v, %v", again, err)
	}
	for _, bad := range []struct {
		says []string
		ts   []weights.Tensor
	}{
		{[]string{"another value", "blocks.0.attn.hook_z"}, []weights.Tensor{{Name: "blocks.0.attn.hook_z", Dense: z}, {Name: "blocks.0.attn.o.hook_in", Dense: value("z1")}}},
		{[]string{"hook_zz", "nearest"}, []weights.Tensor{{Name: "blocks.0.attn.hook_zz", Dense: z}}},
		{[]string{"blocks.1.attn.hook_z", "axis pos, want 3"}, []weights.Tensor{{Name: "blocks.0.attn.hook_z", Dense: z}, {Name: "blocks.1.attn.hook_z", Dense: tensor.New(1, 2, 3, 4)}}},
		{[]string{"axis head, want 3"}, []weights.Tensor{{Name: "blocks.0.attn.hook_z", Dense: tensor.New(1, 2, 4, 4)}}},
		{[]string{"has 3 axes"}, []weights.Tensor{{Name: "blocks.0.attn.hook_z", Dense: tensor.New(2, 3, 4)}}},
		{[]string{"axis key, want 3"}, []weights.Tensor{{Name: "blocks.0.attn.hook_pattern", Dense: tensor.New(1, 3, 3, 2)}}},
		{[]string{"want 1"}, []weights.Tensor{{Name: "blocks.0.attn.hook_z", Dense: tensor.New(0, 3, 3, 4)}}},
	} {
		_, err := m.LoadCache(write(bad.ts...))
		mustSay(t, err, bad.says...)
	}
	path = filepath.Join(dir, "meta.safetensors")
	for key, text := range map[string]string{"ids": "[[1],[2,3]]", "start": "x"} {
		meta := map[string]string{"ids": "[[1,2,3]]", "end": "[3]", key: text}
		if err := weights.WriteFile(path, []weights.Tensor{{Name: "blocks.0.attn.hook_z", Dense: z}}, meta); err != nil {
			t.Fatal(err)
		}
		_, err = m.LoadCache(path)
		mustSay(t, err, "metadata "+key)
	}
}

// TestStacksAddUp holds every decomposition to the stream that it is of, at
// each layer, on raw and on processed weights.
func TestStacksAddUp(t *testing.T) {
	in := models.Batch{IDs: []int{3, 1, 4, 1, 5, 9}, B: 2, T: 3}
	for _, m := range []*models.Model{modeltest.GPT2(1), modeltest.Llama(1), must[*models.Model](t)(modeltest.GPT2(2).Process(modeltest.GPT2(2).Config.Allowed()))} {
		t.Run(m.Name+" "+m.Basis(), func(t *testing.T) {
			c, logits := withCache(t, m, in)
			stack := must[*models.Stack](t)
			get := func(s models.Site) *tensor.Dense {
				x, ok := c.Get(s)
				if !ok {
					t.Fatalf("%s did not fire", s)
				}
				return x
			}
			for l := range m.Config.Layers + 1 {
				for _, mlp := range []bool{false, true} {
					stream, normed := models.Site{Layer: l, Kind: models.ResidPre}, models.Site{Layer: l, Kind: models.LN1Normalized}
					switch {
					case l == m.Config.Layers:
						stream, normed = models.Site{Layer: l - 1, Kind: models.ResidPost}, models.Site{Layer: -1, Kind: models.FinalNormalized}
					case mlp:
						stream.Kind, normed.Kind = models.ResidMid, models.LN2Normalized
					}
					for _, ln := range []bool{false, true} {
						want := get(stream)
						if ln {
							want = get(normed)
						}
						opt := models.StackOptions{MLPInput: mlp, ApplyLN: ln, InclRemainder: true}
						collapsed := opt
						collapsed.CollapseNeurons = true
						some := opt
						some.Neurons = []int{0, 3, -1}
						for name, s := range map[string]*models.Stack{
							"decompose_resid": stack(models.DecomposeResid(m, c, l, opt)),
							"heads":           stack(models.StackHeadResults(m, c, l, opt)),
							"neurons":         stack(models.StackNeuronResults(m, c, l, opt)),
							"some neurons":    stack(models.StackNeuronResults(m, c, l, some)),
							"full":            stack(models.FullResidDecomposition(m, c, l, opt)),
							"collapsed":       stack(models.FullResidDecomposition(m, c, l, collapsed)),
						} {
							modeltest.Close(t, name, sum(s), want, 2e-5, 2e-5)
						}
					}
				}
			}
			// The attributions of every part add up to each position's logit.
			full := stack(models.FullResidDecomposition(m, c, -1, models.StackOptions{}))
			a := models.Answers{Tokens: []int{1, 2, 3, 4, 5, 6}, Incorrect: []int{0, 0, 1, 1, 7, 6}}
			got := must[*models.Attribution](t)(models.LogitAttrs(c, full, a))
			for r := range a.Tokens {
				total := float64(got.Constant.Data[r])
				for i := range full.Labels {
					total += float64(got.Values.Data[i*6+r])
				}
				row := logits.Reshape(6, -1).Sub(r).Data
				want := float64(row[a.Tokens[r]]) - float64(row[a.Incorrect[r]])
				if !(math.Abs(total-want) <= 2e-5*(1+math.Abs(want))) {
					t.Errorf("row %d: attributions add up to %g, and the logit difference is %g", r, total, want)
				}
			}
			// The short way to a coordinate is the long way's.
			dirs := tensor.New(2, m.Config.Width)
			for i := range dirs.Data {
				dirs.Data[i] = float32(math.Sin(float64(3 * i)))
			}
			normed := stack(models.FullResidDecomposition(m, c, -1, models.StackOptions{ApplyLN: true}))
			proj := must[*tensor.Dense](t)(normed.Project(dirs))
			dense, want := normed.Dense(), tensor.New(proj.Shape...)
			for i := range proj.Data {
				v := 0.0
				for j, x := range dense.Data[i/2*m.Config.Width : (i/2+1)*m.Config.Width] {
					v += float64(x) * float64(dirs.At(i%2, j))
				}
				want.Data[i] = float32(v)
			}
			modeltest.Close(t, "projection", proj, want, 2e-5, 2e-5)
		})
	}
}

// sum adds the components of a stack up.
func sum(s *models.Stack) *tensor.Dense {
	x := s.Dense()
	out := tensor.New(x.Shape[1:]...)
	for n := range x.Dim(0) {
		for i, v := range x.Sub(n).Data {
			out.Data[i] += v
		}
	}
	return out
}

func TestImpossibleStacksAreRefused(t *testing.T) {
	m := modeltest.GPT2(1)
	in, err := models.Pad([][]int{{1, 2, 3}, {4}}, models.Right, 0)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := withCache(t, m, in)
	parts := must[*models.Stack](t)(models.DecomposeResid(m, c, -1, models.StackOptions{Pos: []int{0}}))
	normed := must[*models.Stack](t)(models.ApplyLNToStack(c, parts, -1, false))
	zs, err := m.Match("*hook_z")
	if err != nil {
		t.Fatal(err)
	}
	_, few, err := m.RunWithCache(context.Background(), in, models.CacheOptions{Sites: zs})
	if err != nil {
		t.Fatal(err)
	}
	refused := func(err error, says ...string) {
		t.Helper()
		mustSay(t, err, says...)
	}
	_, err = models.DecomposeResid(m, c, 3, models.StackOptions{})
	refused(err, "decompose_resid", "layer 3", "0..2")
	_, err = models.DecomposeResid(m, c, -1, models.StackOptions{Pos: []int{3}})
	refused(err, "pos: index 3", "0..2")
	_, err = models.DecomposeResid(m, c, -1, models.StackOptions{Pos: []int{-1}})
	refused(err, "pos 2 is padding in row 1", "0..0")
	_, err = models.StackNeuronResults(m, c, -1, models.StackOptions{Neurons: []int{20}})
	refused(err, "neurons: index 20", "0..19")
	_, err = models.DecomposeResid(m, few, -1, models.StackOptions{})
	refused(err, "hook_embed was not recorded")
	_, err = models.DecomposeResid(m, models.NewCache(), -1, models.StackOptions{})
	refused(err, "empty")
	_, err = models.StackHeadResults(modeltest.GPT2(2), c, -1, models.StackOptions{})
	refused(err, "the cache is of model toy-gpt2")
	_, err = models.ApplyLNToStack(c, normed, -1, false)
	refused(err, "normed already")
	_, err = models.ApplyLNToStack(c, parts, 5, false)
	refused(err, "layer 5")
	_, err = models.RecomputeLN(normed)
	refused(err, "normed already")
	_, err = models.LogitAttrs(c, normed, models.Answers{Tokens: []int{1}})
	refused(err, "normed already")
	_, err = models.LogitAttrs(few, parts, models.Answers{Tokens: []int{1}})
	refused(err, "ln_final.hook_scale was not recorded")
	_, err = models.LogitAttrs(c, parts, models.Answers{Tokens: []int{1, 2, 3}})
	refused(err, "3 tokens, want 1, 2 (one a batch row)")
	_, err = models.LogitAttrs(c, parts, models.Answers{Tokens: []int{1}, Incorrect: []int{1, 2}})
	refused(err, "2 incorrect tokens for 1")
	_, err = models.LogitAttrs(c, parts, models.Answers{Tokens: []int{11}})
	refused(err, "token 11", "0..10")
	_, err = models.LogitAttrs(c, parts, models.Answers{Tokens: []int{1}, Incorrect: []int{-1}})
	refused(err, "token -1")
	short, _ := withCache(t, m, models.Prompt(1, 2))
	_, err = models.LogitAttrs(short, parts, models.Answers{Tokens: []int{1}})
	refused(err, "another run")
	_, err = parts.Project(tensor.New(2, 3))
	refused(err, "[2 3]", "[any,12]")
}
