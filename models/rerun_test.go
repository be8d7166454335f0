package models_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// subjects are the models that re-runs are tested on.
func subjects(t *testing.T) map[string]*models.Model {
	out := map[string]*models.Model{}
	for _, m := range modeltest.Kinds(4) {
		out[m.Name] = m
	}
	for _, family := range families(t) {
		out[family] = openGolden(t, family).Model
	}
	return out
}

// randomEdit makes any edit that the model knows, at a random site; values are
// small so that nothing overflows.
func randomEdit(rng *rand.Rand, m *models.Model, in models.Batch) models.Edit {
	sites := m.Sites()
	site := sites[rng.IntN(len(sites))]
	e := models.Edit{Site: site.String(), Op: []models.Op{models.Set, models.Add, models.Scale}[rng.IntN(3)]}
	pick := func(n int) []int {
		if rng.IntN(3) == 0 {
			return nil
		}
		list := rng.Perm(n)[:1+rng.IntN(min(n, 2))]
		if rng.IntN(4) == 0 {
			list[0] -= n
		}
		return list
	}
	shape := m.Shape(site, 1, in.T)
	for a, axis := range m.Axes(site) {
		switch axis {
		case "pos":
			e.Positions = pick(in.T)
		case "head", "kv_head":
			e.Heads = pick(shape[a])
		case "query":
			e.Queries = pick(in.T)
		case "key":
			e.Keys = pick(in.T)
		}
	}
	last, axis := shape[len(shape)-1], m.Axes(site)[len(shape)-1]
	if axis != "key" && axis != "one" && rng.IntN(3) == 0 {
		if e.Neurons = pick(last); e.Neurons != nil {
			last = len(e.Neurons)
		}
	}
	value := models.Number(float32(rng.NormFloat64()))
	switch {
	case site.Kind == models.AttnScores && rng.IntN(2) == 0:
		e.Op, value = models.Mask, nil
	case axis == "one": // a norm's divisor stays positive
		value = models.Number(float32(0.5 + rng.Float64()))
	case axis != "key" && rng.IntN(3) == 0:
		value = models.List(vector(rng, last)...)
	case axis != "key" && last > 1 && rng.IntN(3) == 0:
		e.Op, value = []models.Op{models.ProjectOut, models.Keep}[rng.IntN(2)], nil
		e.Basis = models.Tensor(tensor.From(vector(rng, 2*last), 2, last))
		if rng.IntN(2) == 0 { // the point that stays where it is
			value = models.Number(float32(rng.NormFloat64()))
		}
	}
	e.Value = value
	return e
}

func vector(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return v
}

// oneRow is a row of a batch as a batch of its own.
func oneRow(in models.Batch, row int) models.Batch {
	one := models.Batch{IDs: in.IDs[row*in.T : (row+1)*in.T], B: 1, T: in.T}
	if in.Start != nil {
		one.Start, one.End = in.Start[row:row+1], in.End[row:row+1]
	}
	return one
}

// A re-run has the bits of full runs: over families, paddings, edits of every
// kind and several at once, base edits, needs, and sizes of chunks.
func TestRerunEqualsFullRuns(t *testing.T) {
	for name, m := range subjects(t) {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, uint64(len(name))))
			rounds := 12
			if strings.HasPrefix(name, "toy") {
				rounds = 60
			}
			for round := range rounds {
				in := randomBatch(t, rng, m)
				var base []models.Edit
				if round%3 == 2 {
					base = append(base, randomEdit(rng, m, in))
					if rng.IntN(2) == 0 {
						base[0].Rows = []int{rng.IntN(in.B)}
					}
				}
				need := []models.Need{{}, {Last: true}, {Positions: []int{-1, 0}}, {Last: true, Tokens: []int{3, 1}}}[rng.IntN(4)]
				variants := randomVariants(rng, m, in, 12)
				compare(t, m, in, base, variants, need, models.RerunOptions{Rows: []int{0, 1, 7}[rng.IntN(3)]})
			}
		})
	}
}

func randomBatch(t *testing.T, rng *rand.Rand, m *models.Model) models.Batch {
	rows := make([][]int, 2+rng.IntN(2))
	for i := range rows {
		for range 1 + rng.IntN(min(m.Config.Context, 6)) {
			rows[i] = append(rows[i], rng.IntN(m.Config.Vocab))
		}
	}
	in, err := models.Pad(rows, []models.Side{models.Left, models.Right}[rng.IntN(2)], 0)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// randomVariants has some that share their first edits, so that beginnings are
// shared.
func randomVariants(rng *rand.Rand, m *models.Model, in models.Batch, n int) []models.Variant {
	var out []models.Variant
	for len(out) < n {
		v := models.Variant{Row: rng.IntN(in.B)}
		if len(out) > 0 && rng.IntN(3) == 0 {
			from := out[rng.IntN(len(out))]
			v.Edits = append(v.Edits, from.Edits...)
			if rng.IntN(3) > 0 { // else the same edits of another row
				v.Row = from.Row
			}
		}
		for range rng.IntN(3) {
			v.Edits = append(v.Edits, randomEdit(rng, m, in))
		}
		out = append(out, v)
	}
	return out
}

// compare re-runs variants and checks every cell against a full run.
func compare(t *testing.T, m *models.Model, in models.Batch, base []models.Edit, variants []models.Variant, need models.Need, opt models.RerunOptions) *models.Report {
	t.Helper()
	b, err := m.NewBase(context.Background(), in, base...)
	if err != nil {
		t.Fatal(err)
	}
	seen := make([]bool, len(variants))
	opt.Check = len(variants)
	report, err := b.Rerun(context.Background(), variants, need, opt, func(c models.Cell) error {
		if seen[c.Variant] {
			t.Errorf("variant %d came twice", c.Variant)
		}
		seen[c.Variant] = true
		v := variants[c.Variant]
		var hooks []models.Hook
		for _, edits := range [][]models.Edit{base, v.Edits} {
			more, err := m.Edits(edits...)
			if err != nil {
				t.Fatal(err)
			}
			hooks = append(hooks, more...)
		}
		if len(base) > 0 && in.B > 1 { // base edits are about the whole batch
			for i := range v.Edits {
				e := v.Edits[i]
				e.Rows = []int{v.Row}
				one, err := m.Edits(e)
				if err != nil {
					t.Fatal(err)
				}
				hooks[len(base)+i] = one[0]
			}
			full := logits(t, m, in, need, hooks...)
			if !full.Sub(v.Row).EqualBits(c.Logits) {
				t.Errorf("variant %d, %s, need %+v: differs from the full batch by %g", c.Variant, describe(base, v), need, full.Sub(v.Row).MaxDifference(c.Logits))
			}
			return nil
		}
		full := logits(t, m, oneRow(in, v.Row), need, hooks...)
		if !full.Sub(0).EqualBits(c.Logits) {
			t.Errorf("variant %d, %s, need %+v: differs from its full run by %g", c.Variant, describe(base, v), need, full.Sub(0).MaxDifference(c.Logits))
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	for i, ok := range seen {
		if !ok {
			t.Errorf("variant %d has no cell", i)
		}
	}
	if report.Checked != len(variants) || report.Different != 0 {
		t.Errorf("the sweep's own comparison says %d checked, %d different", report.Checked, report.Different)
	}
	if report.Computed > report.Predicted || report.Predicted > report.Full {
		t.Errorf("row-layers: %d computed, %d predicted, %d in full passes", report.Computed, report.Predicted, report.Full)
	}
	return report
}

func describe(base []models.Edit, v models.Variant) string {
	b, err := json.Marshal(struct {
		Base []models.Edit
		V    models.Variant
	}{base, v})
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// The counter of a plain sweep is the formula's: a cell (l, p) of resid_pre
// computes T−p rows of every layer from l on, of the last one only the needed
// row.
func TestRerunComputesWhatTheFormulaSays(t *testing.T) {
	m := modeltest.GPT2(4)
	in := models.Prompt(1, 5, 2, 7, 3)
	var variants []models.Variant
	want := int64(0)
	for l := range m.Config.Layers {
		for p := range in.T {
			variants = append(variants, models.Variant{Edits: []models.Edit{
				{Site: models.Site{Layer: l, Kind: models.ResidPre}.String(), Positions: []int{p}, Op: models.Add, Value: models.Number(0.5)},
				{Site: models.Site{Layer: l, Kind: models.ResidPre}.String(), Positions: []int{p}, Neurons: []int{0}, Op: models.Add, Value: models.Number(1)},
			}})
			want += int64((in.T-p)*(m.Config.Layers-1-l) + 1)
		}
	}
	r := compare(t, m, in, nil, variants, models.Need{Last: true}, models.RerunOptions{})
	if r.Computed != want || r.Predicted != want || r.Full != int64(len(variants)*m.Config.Layers*in.T) {
		t.Errorf("row-layers: %d computed, %d predicted, %d in full; want %d and %d", r.Computed, r.Predicted, r.Full, want, len(variants)*m.Config.Layers*in.T)
	}
}

// In a parallel block the feed-forward reads what stands before the attention: of
// 3 layers and 5 places, a cell (l, p) of resid_pre computes one row of it in
// layer l and the T−p that saw p in the layers behind, and a cell of z none and
// one row in the next layer; of the last layer the needed row, if it is among them.
func TestRerunSkipsTheFeedForwardThatSeesNothing(t *testing.T) {
	cfg := modeltest.GPT2(4).Config
	cfg.Layers, cfg.Parallel = 3, true
	m := modeltest.Random("parallel", cfg, 4)
	in := models.Prompt(1, 5, 2, 7, 3)
	for _, c := range []struct {
		kind models.Kind
		want int64
	}{
		{models.ResidPre, (5*1 + 15 + 5*1) + (5*1 + 5*1) + 1},
		{models.Z, (5*1 + 5*1) + 1},
	} {
		var variants []models.Variant
		for l := range cfg.Layers {
			for p := range in.T {
				variants = append(variants, models.Variant{Edits: []models.Edit{
					{Site: models.Site{Layer: l, Kind: c.kind}.String(), Positions: []int{p}, Op: models.Add, Value: models.Number(0.5 + float32(p))},
				}})
				if c.kind == models.ResidPre { // what LayerNorm does not take away
					variants[len(variants)-1].Edits[0].Neurons = []int{0}
				}
			}
		}
		r := compare(t, m, in, nil, variants, models.Need{Last: true}, models.RerunOptions{})
		if r.Computed != c.want || r.Predicted != c.want {
			t.Errorf("%s: %d row-layers computed, %d predicted; want %d", models.Site{Kind: c.kind}, r.Computed, r.Predicted, c.want)
		}
	}
}

// Edits that write what is there already cost nothing, at any site.
func TestRerunOfNothingIsFree(t *testing.T) {
	for name, m := range subjects(t) {
		in := models.Prompt(1, 5, 2, 7)
		cache := models.NewCache()
		run(t, m, in, models.Record(cache, models.All))
		var variants []models.Variant
		for _, s := range m.Sites() {
			x, _ := cache.Get(s)
			variants = append(variants, models.Variant{Edits: []models.Edit{{Site: s.String(), Op: models.Set, Value: models.Tensor(x)}}})
		}
		for _, s := range []models.Kind{models.ResidPre, models.ResidPost} {
			variants = append(variants, models.Variant{Edits: []models.Edit{{Site: models.Site{Layer: 1, Kind: s}.String(), Op: models.Scale, Value: models.Number(1)}}})
		}
		variants = append(variants, models.Variant{})
		r := compare(t, m, in, nil, variants[len(variants)-3:], models.Need{}, models.RerunOptions{})
		if r.Computed != 0 || r.Same != 3 {
			t.Errorf("%s: %d row-layers computed for edits that change nothing, %d of 3 variants are the base", name, r.Computed, r.Same)
		}
		compare(t, m, in, nil, variants, models.Need{}, models.RerunOptions{})
	}
}

// Variants that begin with the same edits share what follows from them.
func TestRerunSharesBeginnings(t *testing.T) {
	m := modeltest.Llama(5)
	in := models.Prompt(1, 5, 2, 7, 3)
	first := models.Edit{Site: "blocks.0.hook_resid_pre", Positions: []int{0}, Op: models.Add, Value: models.List(vector(rand.New(rand.NewPCG(1, 1)), m.Config.Width)...)}
	var variants []models.Variant
	for p := range in.T {
		last := models.Edit{Site: models.Site{Layer: m.Config.Layers - 1, Kind: models.MLPOut}.String(), Positions: []int{p}, Op: models.Scale, Value: models.Number(0)}
		variants = append(variants, models.Variant{Edits: []models.Edit{first, last}})
	}
	r := compare(t, m, in, nil, variants, models.Need{}, models.RerunOptions{})
	shared := int64(in.T * (m.Config.Layers - 1))
	if want := shared + int64(in.T*in.T); r.Computed != want {
		t.Errorf("%d row-layers computed, want %d: %d shared and each variant's last block", r.Computed, want, shared)
	}
}

// Functions see the values of their variant alone, in the shapes of a run of
// one row, and what they change counts.
func TestRerunCallsHooks(t *testing.T) {
	m := modeltest.Llama(5)
	in := models.Prompt(1, 5, 2, 7, 3)
	b, err := m.NewBase(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, site := range m.Sites() {
		square := models.Hook{Sites: models.Sites(site), Fn: func(s models.Site, x *tensor.Dense) error {
			if !tensor.SameShape(x.Shape, m.Shape(s, 1, in.T)) {
				t.Errorf("%s has shape %v in a re-run", s, x.Shape)
			}
			for i, v := range x.Data {
				x.Data[i] = v * 1.5
			}
			return nil
		}}
		cache, again := models.NewCache(), models.NewCache()
		want := logits(t, m, in, models.Need{}, square, models.Record(cache, models.All))
		variants := []models.Variant{{Hooks: []models.Hook{square, models.Record(again, models.All)}}, {Hooks: []models.Hook{square}}}
		if _, err := b.Rerun(context.Background(), variants, models.Need{}, models.RerunOptions{}, func(c models.Cell) error {
			if !c.Logits.EqualBits(want.Sub(0)) {
				t.Errorf("a hook at %s: variant %d differs from the full run", site, c.Variant)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for _, s := range cache.Sites() {
			x, _ := cache.Get(s)
			if y, ok := again.Get(s); !ok || !y.EqualBits(x) {
				t.Errorf("a hook at %s: the re-run's %s differs from the full run's", site, s)
			}
		}
	}
}

// A chunk survives being written down, computed elsewhere and in any order.
func TestChunksAreValues(t *testing.T) {
	m := modeltest.GPT2(4)
	rng := rand.New(rand.NewPCG(3, 3))
	in := randomBatch(t, rng, m)
	variants := randomVariants(rng, m, in, 20)
	b, err := m.NewBase(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]*tensor.Dense{}
	keep := func(to map[int]*tensor.Dense) func(models.Cell) error {
		return func(c models.Cell) error {
			to[c.Variant] = c.Logits
			return nil
		}
	}
	if _, err := b.Rerun(context.Background(), variants, models.Need{}, models.RerunOptions{}, keep(want)); err != nil {
		t.Fatal(err)
	}
	chunks, err := b.Chunks(variants, models.Need{}, models.RerunOptions{Rows: 9})
	if err != nil {
		t.Fatal(err)
	}
	if len(chunks) < 3 {
		t.Fatalf("%d chunks of 9 rows", len(chunks))
	}
	got := map[int]*tensor.Dense{}
	for i := len(chunks) - 1; i >= 0; i-- {
		bytes, err := json.Marshal(chunks[i])
		if err != nil {
			t.Fatal(err)
		}
		var c models.Chunk
		if err := json.Unmarshal(bytes, &c); err != nil {
			t.Fatal(err)
		}
		other, err := m.NewBase(context.Background(), c.Batch, c.Base...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.RunChunk(context.Background(), &c, keep(got)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range variants {
		if got[i] == nil || !got[i].EqualBits(want[i]) {
			t.Errorf("variant %d differs when its chunk was written down", i)
		}
	}
	foreign := models.Chunk{Model: "other", Batch: in}
	if _, err := b.RunChunk(context.Background(), &foreign, keep(got)); err == nil || !strings.Contains(err.Error(), "it is of model other") {
		t.Errorf("a chunk of another model: %v", err)
	}
	for _, index := range [][]int{{4, 4}, {-1, 2}} { // one variant's cell would be another's
		damaged := models.Chunk{Model: m.Hash(), Batch: in, Index: index, Variants: variants[:2]}
		_, err := b.RunChunk(context.Background(), &damaged, keep(got))
		mustSay(t, err, fmt.Sprintf("is %d", index[max(0, index[0]/4)]), "no other variant")
	}
	hooked, err := b.Chunks([]models.Variant{{Hooks: []models.Hook{models.Record(models.NewCache(), models.All)}}}, models.Need{}, models.RerunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(hooked[0]); !errors.Is(err, models.ErrHooksStay) {
		t.Errorf("a chunk with hooks: %v", err)
	}
}

// Wherever a sweep is stopped, the cells that came are right.
func TestRerunStops(t *testing.T) {
	m := modeltest.Llama(5)
	rng := rand.New(rand.NewPCG(5, 5))
	in := models.Prompt(1, 5, 2, 7, 3)
	variants := randomVariants(rng, m, in, 30)
	b, err := m.NewBase(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	for stop := range 30 {
		ctx, cancel := context.WithCancel(context.Background())
		n := 0
		_, err := b.Rerun(ctx, variants, models.Need{}, models.RerunOptions{Rows: 6}, func(c models.Cell) error {
			hooks, err := m.Edits(variants[c.Variant].Edits...)
			if err != nil {
				return err
			}
			if full := logits(t, m, in, models.Need{}, hooks...); !full.Sub(0).EqualBits(c.Logits) {
				t.Errorf("stopped at %d: cell %d is wrong", stop, c.Variant)
			}
			if n++; n == stop {
				cancel()
			}
			return nil
		})
		cancel()
		if stop > 0 && stop < 20 && !errors.Is(err, context.Canceled) {
			t.Errorf("stopped at %d of 30 cells: error %v", stop, err)
		}
	}
	wrong := errors.New("enough")
	if _, err := b.Rerun(context.Background(), variants, models.Need{}, models.RerunOptions{}, func(models.Cell) error { return wrong }); !errors.Is(err, wrong) {
		t.Errorf("the error of emit is lost: %v", err)
	}
}

func TestRerunRefuses(t *testing.T) {
	m := modeltest.GPT2(4)
	b, err := m.NewBase(context.Background(), models.Prompt(1, 2, 3))
	if err != nil {
		t.Fatal(err)
	}
	for want, v := range map[string]models.Variant{
		"variant 0: row 1 is outside the base's 0..0": {Row: 1},
		"positions: index 3 is outside 0..2":          {Edits: []models.Edit{{Site: "resid_pre0", Positions: []int{3}, Op: models.Set, Value: models.Number(0)}}},
		"no site \"resid_pri0\"":                      {Edits: []models.Edit{{Site: "resid_pri0", Op: models.Set, Value: models.Number(0)}}},
		"rows: index 1 is outside 0..0":               {Edits: []models.Edit{{Site: "resid_pre0", Rows: []int{1}, Op: models.Set, Value: models.Number(0)}}},
		"hook 0 lacks":                                {Hooks: []models.Hook{{}}},
	} {
		_, err := b.Rerun(context.Background(), []models.Variant{v}, models.Need{}, models.RerunOptions{}, func(models.Cell) error { return nil })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	_, err = b.Rerun(context.Background(), nil, models.Need{Positions: []int{7}}, models.RerunOptions{}, nil)
	if err == nil || !strings.Contains(err.Error(), "position 7") {
		t.Errorf("need of position 7: %v", err)
	}
}
