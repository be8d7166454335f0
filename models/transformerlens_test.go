package models_test

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
	"orrery/models/weights"
)

// tlIndex is index.json of testdata/transformerlens.
type tlIndex struct {
	Cases map[string]struct {
		Method    string
		Arguments tlArguments
		Labels    []string
	}
	Processing map[string]struct {
		Settings struct {
			FoldLN               bool `json:"fold_ln"`
			CenterWritingWeights bool `json:"center_writing_weights"`
			CenterUnembed        bool `json:"center_unembed"`
			FoldValueBiases      bool `json:"fold_value_biases"`
		}
		Fails  string
		Stored []string
	}
}

// tlArguments are the arguments of a case.
type tlArguments struct {
	Layer             *int            `json:"layer"`
	MLPInput          bool            `json:"mlp_input"`
	InclMid           bool            `json:"incl_mid"`
	InclEmbeds        *bool           `json:"incl_embeds"`
	InclRemainder     bool            `json:"incl_remainder"`
	ApplyLN           bool            `json:"apply_ln"`
	RecomputeLN       bool            `json:"recompute_ln"`
	Mode              string          `json:"mode"`
	Neurons           []int           `json:"neuron_slice"`
	ExpandNeurons     *bool           `json:"expand_neurons"`
	ProjectOutputOnto string          `json:"project_output_onto"`
	PosSlice          json.RawMessage `json:"pos_slice"`
	BatchSlice        *int            `json:"batch_slice"`
	HasBatchDim       bool            `json:"has_batch_dim"`
	ResidualStack     string          `json:"residual_stack"`
	Tokens            json.RawMessage `json:"tokens"`
	IncorrectTokens   json.RawMessage `json:"incorrect_tokens"`
}

// positions reads pos_slice: an index, a list, or a range.
func (a tlArguments) positions(t *testing.T) (pos []int) {
	t.Helper()
	var one int
	var span struct{ From, To int }
	switch {
	case a.PosSlice == nil:
		return nil
	case json.Unmarshal(a.PosSlice, &one) == nil:
		return []int{one}
	case json.Unmarshal(a.PosSlice, &pos) == nil:
		return pos
	case json.Unmarshal(a.PosSlice, &span) == nil && span.To > span.From:
		for p := span.From; p < span.To; p++ {
			pos = append(pos, p)
		}
		return pos
	}
	t.Fatalf("pos_slice is %s", a.PosSlice)
	return nil
}

// answer reads tokens: one, one a row, or one a row and position (of a single
// row: for all rows).
func answer(t *testing.T, raw json.RawMessage, b int) []int {
	t.Helper()
	var one int
	var ids []int
	var each [][]int
	switch {
	case raw == nil:
		return nil
	case json.Unmarshal(raw, &one) == nil:
		return []int{one}
	case json.Unmarshal(raw, &ids) == nil:
		return ids
	case json.Unmarshal(raw, &each) == nil:
		ids = nil // which the attempt above began to fill
		for r := range b {
			ids = append(ids, each[r%len(each)]...)
		}
		return ids
	}
	t.Fatalf("tokens are %s", raw)
	return nil
}

// openTL reads one of the folders of testdata/transformerlens.
func openTL(t *testing.T, name string) (m *models.Model, index tlIndex, cases, processing *modeltest.Values) {
	t.Helper()
	dir := filepath.Join("testdata", "transformerlens", name)
	m, err := models.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err == nil {
		err = json.Unmarshal(text, &index)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m, index, openFile(t, filepath.Join(dir, "cases.safetensors")), openFile(t, filepath.Join(dir, "processing.safetensors"))
}

// TestCacheMethodsAsElsewhere runs every case of TransformerLens 4.3's cache
// methods, on raw weights and on processed ones.
func TestCacheMethodsAsElsewhere(t *testing.T) {
	const bound = 1e-5
	for _, name := range []string{"gpt2", "llama"} {
		raw, index, golden, _ := openTL(t, name)
		in := batch(t, golden, "ids")
		onto := floats(t, golden, "onto").Reshape(1, -1)
		for basis, m := range map[string]*models.Model{"raw": raw, "all": must[*models.Model](t)(raw.Process(raw.Config.Allowed()))} {
			c, logits := withCache(t, m, in)
			modeltest.Close(t, name+" "+basis, logits, floats(t, golden, basis+".logits"), bound, bound)
			stacks := map[string]*models.Stack{}
			for _, key := range slices.Sorted(maps.Keys(index.Cases)) { // stacks before what is made of them
				if kase := index.Cases[key]; kase.Arguments.ResidualStack == "" {
					stacks[key] = tlStack(t, m, c, kase.Method, kase.Arguments)
				}
			}
			for key, kase := range index.Cases {
				t.Run(name+"/"+basis+"/"+key, func(t *testing.T) {
					a := kase.Arguments
					want := floats(t, golden, basis+"."+key)
					var got *tensor.Dense
					s := stacks[key]
					switch {
					case s != nil && a.ProjectOutputOnto != "":
						got = must[*tensor.Dense](t)(s.Project(onto))
					case s != nil:
						got = s.Dense()
					case kase.Method == "apply_ln_to_stack":
						got = tlNorm(t, c, stacks[a.ResidualStack], a)
					default:
						got = tlAttrs(t, m, c, stacks[a.ResidualStack], a, in.B)
					}
					if got.Len() == want.Len() { // axes of length 1 that are gone there
						got = got.Reshape(want.Shape...)
					}
					modeltest.Close(t, key, got, want, bound, bound)
					if s != nil && !slices.Equal(s.Labels, kase.Labels) {
						t.Errorf("labels %v, want %v", s.Labels, kase.Labels)
					}
				})
			}
		}
	}
}

// tlStack calls the function for a method of the cache.
func tlStack(t *testing.T, m *models.Model, c *models.Cache, method string, a tlArguments) *models.Stack {
	t.Helper()
	layer := -1
	if a.Layer != nil {
		layer = *a.Layer
	}
	opt := models.StackOptions{
		MLPInput: a.MLPInput, Pos: a.positions(t), ApplyLN: a.ApplyLN, InclMid: a.InclMid, InclRemainder: a.InclRemainder,
		SkipAttn: a.Mode == "mlp", SkipMLP: a.Mode == "attn", SkipEmbeds: a.InclEmbeds != nil && !*a.InclEmbeds,
		Neurons: a.Neurons, CollapseNeurons: a.ExpandNeurons != nil && !*a.ExpandNeurons,
	}
	fn := map[string]func(*models.Model, *models.Cache, int, models.StackOptions) (*models.Stack, error){
		"accumulated_resid": models.AccumulatedResid, "decompose_resid": models.DecomposeResid,
		"stack_head_results": models.StackHeadResults, "stack_neuron_results": models.StackNeuronResults,
		"get_full_resid_decomposition": models.FullResidDecomposition,
	}[method]
	if fn == nil {
		t.Fatalf("no function for %s", method)
	}
	return must[*models.Stack](t)(fn(m, c, layer, opt))
}

// tlNorm is apply_ln_to_stack.
func tlNorm(t *testing.T, c *models.Cache, s *models.Stack, a tlArguments) *tensor.Dense {
	t.Helper()
	layer := -1
	if a.Layer != nil {
		layer = *a.Layer
	}
	stack := must[*models.Stack](t)
	if a.RecomputeLN {
		return stack(models.RecomputeLN(s)).Dense()
	}
	x := stack(models.ApplyLNToStack(c, s, layer, a.MLPInput)).Dense()
	if a.BatchSlice == nil {
		return x
	}
	row := tensor.New(x.Dim(0), x.Dim(2), x.Dim(3))
	for n := range x.Dim(0) {
		copy(row.Sub(n).Data, x.Sub(n, *a.BatchSlice).Data)
	}
	return row
}

// tlAttrs is logit_attrs. On raw weights TransformerLens leaves the final norm's
// gain out, so that its values are the normed stack's along the unembedding.
func tlAttrs(t *testing.T, m *models.Model, c *models.Cache, s *models.Stack, a tlArguments, b int) *tensor.Dense {
	t.Helper()
	answers := models.Answers{Tokens: answer(t, a.Tokens, b), Incorrect: answer(t, a.IncorrectTokens, b)}
	if m.Basis() != models.RawBasis {
		return must[*models.Attribution](t)(models.LogitAttrs(c, s, answers)).Values
	}
	normed := must[*models.Stack](t)(models.ApplyLNToStack(c, s, -1, false))
	u := m.Params().Unembedding()
	along := must[*tensor.Dense](t)(normed.Project(u)) // [N,B,T,V]
	out := tensor.New(along.Shape[:3]...)
	rows, v := along.Dim(1)*along.Dim(2), u.Dim(0)
	for i := range out.Data {
		at := 0
		switch r := i % rows; len(answers.Tokens) {
		case rows:
			at = r
		case b:
			at = r / along.Dim(2)
		}
		out.Data[i] = along.Data[i*v+answers.Tokens[at]]
		if answers.Incorrect != nil {
			out.Data[i] -= along.Data[i*v+answers.Incorrect[at]]
		}
	}
	return out
}

// TestProcessingAsElsewhere compares weights, activations and logits for every
// choice of processing.
func TestProcessingAsElsewhere(t *testing.T) {
	const bound = 1e-5
	for _, name := range []string{"gpt2", "llama"} {
		raw, index, cases, golden := openTL(t, name)
		in := batch(t, cases, "ids")
		for key, choice := range index.Processing {
			t.Run(name+"/"+key, func(t *testing.T) {
				p := models.Processing(choice.Settings)
				if raw.Config.Norm == models.RMSNorm { // which it skips there in silence
					p.CenterWritingWeights = false
				}
				m := must[*models.Model](t)(raw.Process(p))
				if choice.Fails != "" { // there; here it keeps the probabilities
					modeltest.Close(t, "logits", run(t, m, in), floats(t, golden, "none.logits"), bound, bound)
					return
				}
				c, logits := withCache(t, m, in)
				for _, stored := range index.Processing["none"].Stored {
					from := "none."
					if slices.Contains(choice.Stored, stored) {
						from = key + "."
					}
					want := floats(t, golden, from+stored)
					got := logits
					if stored != "logits" {
						got = tlValue(t, m, c, stored)
					}
					modeltest.Close(t, stored, got, want, bound, bound)
				}
			})
		}
	}
}

// tlValue is an activation by its site's name, or a weight by TransformerLens'
// name of a property, "weights.W_Q" [layer,head,D,K].
func tlValue(t *testing.T, m *models.Model, c *models.Cache, name string) *tensor.Dense {
	t.Helper()
	if s, err := m.Site(name); err == nil {
		x, _ := c.Get(s)
		return x
	}
	p, k := m.Params(), m.Config.HeadWidth
	one := map[string]*tensor.Dense{"weights.W_E": p.Embed, "weights.W_pos": p.PosEmbed, "weights.b_U": p.Unembed.Bias}
	if x, ok := one[name]; ok {
		if x == nil {
			x = tensor.New(m.Config.Vocab) // a bias of 0 there
		}
		return x
	}
	if name == "weights.W_U" {
		return turned(p.Unembedding())
	}
	var out []float32
	var shape []int
	for l := range p.Blocks {
		b := &p.Blocks[l]
		w, bias := map[string]models.LinearParams{
			"Q": b.Q, "K": b.K, "V": b.V, "O": b.O, "gate": b.Gate, "in": b.In, "out": b.Out,
		}[name[len("weights.W_"):]], name[len("weights.")] == 'b'
		heads := slices.Contains([]string{"Q", "K", "V"}, name[len("weights.W_"):])
		switch {
		case bias && heads:
			out, shape = append(out, w.Bias.Data...), []int{w.Bias.Len() / k, k}
		case bias && w.Bias == nil:
			t.Fatalf("no bias %s", name)
		case bias:
			out, shape = append(out, w.Bias.Data...), []int{w.Bias.Len()}
		case heads:
			for h := range w.Weight.Dim(0) / k {
				out = append(out, turned(w.Weight.Slice0(h*k, (h+1)*k)).Data...)
			}
			shape = []int{w.Weight.Dim(0) / k, w.Weight.Dim(1), k}
		default:
			out, shape = append(out, turned(w.Weight).Data...), []int{w.Weight.Dim(1), w.Weight.Dim(0)}
			if name == "weights.W_O" {
				shape = []int{w.Weight.Dim(1) / k, k, w.Weight.Dim(0)}
			}
		}
	}
	return tensor.From(out, append([]int{len(p.Blocks)}, shape...)...)
}

// turned is the transpose of a matrix.
func turned(x *tensor.Dense) *tensor.Dense {
	y := tensor.New(x.Dim(1), x.Dim(0))
	for i := range x.Dim(0) {
		for j := range x.Dim(1) {
			y.Set(x.At(i, j), j, i)
		}
	}
	return y
}

// TestEveryNameHasItsValue compares a run's values under every name that
// TransformerLens 4.3 has for them, and reads the file as a cache.
func TestEveryNameHasItsValue(t *testing.T) {
	const bound = 1e-5
	for _, name := range []string{"gpt2", "llama"} {
		m, _, _, _ := openTL(t, name)
		path := filepath.Join("testdata", "transformerlens", name, "names.safetensors")
		golden := openFile(t, path)
		c, _ := withCache(t, m, batch(t, golden, "ids"))
		compared, absent, saved := map[string]bool{}, 0, []weights.Tensor(nil)
		for _, key := range golden.Names() {
			s, err := m.Site(key)
			if err != nil {
				if key != "ids" && !strings.Contains(err.Error(), "no activation") && !strings.Contains(err.Error(), "not an activation") {
					t.Errorf("%s: %v", name, err)
				}
				absent++
				continue
			}
			got, _ := c.Get(s)
			want := floats(t, golden, key).Clone()
			for i, v := range want.Data {
				if s.Kind == models.AttnScores && v < -1e38 { // its mark of a masked score
					want.Data[i] = float32(math.Inf(-1))
				}
			}
			modeltest.Close(t, name+" "+key, got, want, bound, bound)
			compared[s.String()] = true
			saved = append(saved, weights.Tensor{Name: key, Dense: want})
		}
		file := filepath.Join(t.TempDir(), "cache.safetensors")
		if err := weights.WriteFile(file, append(saved, weights.Tensor{Name: "embed.hook_in", Ints: make([]int64, 6), Shape: []int{2, 3}}), nil); err != nil {
			t.Fatal(err)
		}
		if again, err := m.LoadCache(file); err != nil || len(again.Sites()) != len(compared) {
			t.Errorf("%s: read as a cache: %v, %v", name, again, err)
		}
		for _, s := range m.Sites() {
			if models.Computed(s) && !compared[s.String()] {
				t.Errorf("%s: %s has no value to compare", name, s)
			}
		}
		if absent > 9 { // ids, the ids and positions that enter, angles
			t.Errorf("%s: %d names have no site", name, absent)
		}
	}
}
