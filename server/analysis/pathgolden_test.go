package analysis_test

import (
	"fmt"
	"slices"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
	"orrery/server/analysis"
	"orrery/viz"
)

// The bounds on the reference's values, which are computed in float64, are those it
// asks for: of plain values and of ratios, both absolute and relative.
const (
	referenceBound      = 5e-5
	referenceRatioBound = 3e-4
)

// pathReference is a model of the reference with its paths, and its pairs as the
// argument prompts=.
type pathReference struct {
	model  *models.Model
	values *modeltest.Values
	pairs  analysis.Prompts
}

func readPathReference(t *testing.T, name string) pathReference {
	t.Helper()
	m, err := models.Load(modeltest.Reference(t, "causal", name))
	if err != nil {
		t.Fatal(err)
	}
	var prompts struct {
		Pairs []struct {
			Clean     []int `json:"clean"`
			Corrupted []int `json:"corrupted"`
			R         int   `json:"r"`
			RPrime    int   `json:"r_prime"`
		} `json:"pairs5"`
	}
	modeltest.ReadJSON(t, modeltest.Reference(t, "causal", name, "prompts.json"), &prompts)
	p := analysis.Prompts{Options: ablate.SetOptions{Keep: ablate.KeepAll}, Pairs: &analysis.Pairing{}}
	for _, c := range prompts.Pairs {
		p.List = append(p.List, ablate.Prompt{IDs: c.Clean, Answer: c.R, Other: c.RPrime})
		p.Pairs.Partners = append(p.Pairs.Partners, ablate.Prompt{IDs: c.Corrupted, Answer: c.RPrime, Other: c.R})
	}
	return pathReference{m, modeltest.OpenValues(t, modeltest.Reference(t, "causal", name, "05_paths.safetensors")), p}
}

// entries reads a list of indices, size of them an entry.
func (g pathReference) entries(t *testing.T, name string, size int) (out [][]int64) {
	t.Helper()
	list, _, err := g.values.Int64s(name)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(list); at += size {
		out = append(out, list[at:at+size])
	}
	return out
}

// senders are the reference's senders by the call's names; the head behind the last
// stands for the MLP.
func (g pathReference) senders(t *testing.T) (names []string) {
	t.Helper()
	for _, s := range g.entries(t, "senders", 2) {
		name := fmt.Sprintf("head %d.%d", s[0], s[1])
		if int(s[1]) == g.model.Config.Heads {
			name = fmt.Sprintf("mlp %d", s[0])
		}
		names = append(names, name)
	}
	return names
}

// receivers are the reference's receivers by the call's names.
func (g pathReference) receivers(t *testing.T) (names []string) {
	t.Helper()
	for _, r := range g.entries(t, "receivers", 3) {
		name := fmt.Sprintf("%s %d.%d", [...]string{"q", "k", "v", "mlp"}[r[2]], r[0], r[1])
		if r[2] == 3 {
			name = fmt.Sprintf("mlp %d", r[0])
		}
		names = append(names, name)
	}
	return names
}

func (g pathReference) read(t *testing.T, name string) *tensor.Dense {
	t.Helper()
	x, err := g.values.Float32(name)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// pathAt is where a figure has a path: its panel, and the number of its cell.
func pathAt(f *viz.Figure, sender, receiver string) (panel viz.Panel, at int, ok bool) {
	panel = f.Heatmap.Panels[0]
	if panel.Values == "path" {
		row, column := slices.Index(panel.Rows.Labels, sender), slices.Index(panel.Columns.Labels, receiver)
		return panel, row*len(panel.Columns.Labels) + column, row >= 0 && column >= 0
	}
	var layer, head int
	if n, _ := fmt.Sscanf(sender, "head %d.%d", &layer, &head); n == 2 {
		return panel, layer*len(panel.Columns.Labels) + head, true
	}
	n, _ := fmt.Sscanf(sender, "mlp %d", &layer)
	return f.Heatmap.Panels[len(f.Heatmap.Panels)-1], layer, n == 1
}

// check compares every pair's number of every path with want [pair,sender(,receiver)],
// of which the call shows what it differs from base [pair] by. A path that the call
// leaves blank must be one that the reference gives base itself for.
func (g pathReference) check(t *testing.T, f *viz.Figure, key string, receivers []string, used func(sender, receiver int) bool, base *tensor.Dense, scale, bound float64) {
	t.Helper()
	want := g.read(t, key)
	change, got := tensor.New(want.Shape...), tensor.New(want.Shape...)
	drawn := 0
	for s, sender := range g.senders(t) {
		for r, receiver := range receivers {
			panel, cell, ok := pathAt(f, sender, receiver)
			for pair := range want.Dim(0) {
				at := []int{pair, s, r}[:want.Rank()]
				if !used(s, r) {
					continue // the reference leaves it out
				}
				w := want.At(at...)
				if base != nil {
					w -= base.Data[pair]
				}
				change.Set(w, at...)
				if !ok {
					continue
				}
				v, state := f.Arrays[panel.Each].At(cell*want.Dim(0) + pair)
				if state == viz.Done {
					got.Set(v/float32(scale), at...)
					drawn++
				}
			}
		}
	}
	if drawn < want.Dim(0)*len(receivers) {
		t.Fatalf("%s: %d numbers are drawn", key, drawn)
	}
	modeltest.Close(t, key, got, change, bound, bound)
}

// TestPathPatchingGolden compares the call itself with paths that another program
// computed: to the logits and to queries, keys, values and MLPs, under every freeze,
// raw and relative, pair by pair.
func TestPathPatchingGolden(t *testing.T) {
	for _, name := range []string{"m1-gpt2", "m2-llama", "m3-gptj"} {
		t.Run(name, func(t *testing.T) {
			g := readPathReference(t, name)
			every := func(int, int) bool { return true }
			logits := []string{string(ablate.LogitsInput)}
			for key, metric := range map[string]string{"logit_answer": "logit", "ld": "logit_diff"} {
				base := g.read(t, "reference."+key)
				for _, freeze := range []string{"heads", "heads_and_mlps"} {
					for tag, positions := range map[string]string{"end": "last", "all": "all"} {
						way := map[string]string{"heads": "heads_only", "heads_and_mlps": "heads_and_mlps"}[freeze] + ".sender_" + tag + "."
						args := analysis.Args{"m": g.model, "prompts": g.pairs, "freeze": freeze, "positions": positions, "metric": metric}
						g.check(t, streamed(t, "path_patching", args), "to_logits."+way+key, logits, every, base, 1, referenceBound)
						args["receivers"] = g.receivers(t)
						g.check(t, streamed(t, "path_patching", args), "to_receiver."+way+key, g.receivers(t), every, base, 1, referenceBound)
						if delete(args, "receivers"); key == "logit_answer" {
							args["relative"] = true
							fig := streamed(t, "path_patching", args)
							g.check(t, fig, "to_logits."+way+"relative", logits, every, nil, 100, referenceRatioBound)
							g.checkMeans(t, fig, "to_logits."+way+"relative_mean")
						}
					}
				}
			}
		})
	}
}

// checkMeans compares the cells, means over pairs in %, with want [sender].
func (g pathReference) checkMeans(t *testing.T, f *viz.Figure, key string) {
	t.Helper()
	want := g.read(t, key)
	got := tensor.New(want.Shape...)
	for s, sender := range g.senders(t) {
		panel, cell, _ := pathAt(f, sender, "")
		got.Data[s] = f.Arrays[panel.Values].Data[cell] / 100
	}
	modeltest.Close(t, key, got, want, referenceRatioBound, referenceRatioBound)
}

// TestPathPatchingGoldenNodes does so for paths from heads and MLPs to heads and MLPs
// at the last position, for the change of the logit of r′ too.
func TestPathPatchingGoldenNodes(t *testing.T) {
	for _, name := range []string{"m1-gpt2", "m2-llama", "m3-gptj"} {
		t.Run(name, func(t *testing.T) {
			g := readPathReference(t, name)
			valid, _, err := g.values.Int64s("edges_4_4.valid")
			if err != nil {
				t.Fatal(err)
			}
			nodes := g.senders(t)
			used := func(s, r int) bool { return valid[s*len(nodes)+r] == 1 }
			moved := analysis.MetricFunc{Name: "moved", Of: func(r ablate.Readout, _ ablate.Contrast) float64 {
				return float64(r.Run[r.Other]) - float64(r.Base[r.Other])
			}}
			for key, c := range map[string]struct {
				metric any
				base   *tensor.Dense
			}{"ld": {"logit_diff", g.read(t, "reference.ld")}, "dlogit_src": {moved, nil}} {
				fig := streamed(t, "path_patching", analysis.Args{"m": g.model, "prompts": g.pairs, "freeze": "outputs", "receivers": nodes, "metric": c.metric})
				g.check(t, fig, "edges_4_4."+key, nodes, used, c.base, 1, referenceBound)
			}
		})
	}
}
