package probe_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"orrery/models"
	"orrery/probe"
)

// toyAttribution is reference/probes/05-lens/toy_coda_and_attribution.json: the
// logit difference of tokens 13 and 5 at position 13 of the toy case, computed
// in float64 by PyTorch with the cached scale. Its bound is 1e-6 in float64; a
// float32 run gets 1e-5.
var toyAttribution = struct {
	ids                      []int
	embed, posEmbed          float64
	heads                    [3][4]float64
	attnBias, mlp            [3]float64
	normAndUnembed, whole    float64
	correct, wrong, position int
}{
	ids:   []int{32, 34, 12, 28, 29, 0, 12, 34, 12, 28, 29, 0, 26, 3},
	embed: 0.5221934741555019, posEmbed: -0.12720659605848705,
	heads: [3][4]float64{
		{0.49092318896031567, 0.10988467429876102, 0.20417746353845323, 0.27929878766135485},
		{0.18220365585750076, 0.1893064174889748, -0.16651363598147273, -0.44987569738801714},
		{0.15326291506873904, -0.6297990227832405, 0.3840689784213164, -0.3804121676010683},
	},
	attnBias:       [3]float64{-0.021387056150804287, 0.14271738544349102, -0.07612754801928906},
	mlp:            [3]float64{-0.1916280528926089, 0.46763871850836525, -0.2787700217564841},
	normAndUnembed: -0.5746211158488591, whole: 0.22933474492244277,
	correct: 13, wrong: 5, position: 13,
}

// TestToyAttribution holds the numbers above to the reference's file.
func TestToyAttribution(t *testing.T) {
	var want struct {
		IDs         []int
		Attribution struct {
			Correct, Wrong, Position int
			Embed                    float64
			PosEmbed                 float64 `json:"pos_embed"`
			Heads                    [3][4]float64
			AttnBias                 [3]float64 `json:"attn_bias"`
			MLP                      [3]float64
			Bias                     float64 `json:"ln_bias_and_b_U"`
			Difference               float64 `json:"logit_difference"`
		}
	}
	probesCase(t, "05-lens", "toy_coda_and_attribution", &want)
	a, g := want.Attribution, toyAttribution
	if !slices.Equal(want.IDs, g.ids) || a.Correct != g.correct || a.Wrong != g.wrong || a.Position != g.position ||
		a.Embed != g.embed || a.PosEmbed != g.posEmbed || a.Heads != g.heads || a.AttnBias != g.attnBias || a.MLP != g.mlp ||
		a.Bias != g.normAndUnembed || a.Difference != g.whole {
		t.Errorf("the reference has %+v", want)
	}
}

// Components, heads and neurons of the toy add what PyTorch says, and close on the logit difference.
func TestDirectAttribution(t *testing.T) {
	m, _, _ := toy(t)
	g := toyAttribution
	component := map[string]float64{"embed": g.embed, "pos_embed": g.posEmbed}
	head := map[string]float64{"embed": g.embed, "pos_embed": g.posEmbed}
	neuron := map[string]float64{"embed": g.embed, "pos_embed": g.posEmbed}
	mlps := 0.0
	for l := range 3 {
		sum := 0.0
		for h, v := range g.heads[l] {
			head[fmt.Sprintf("L%dH%d", l, h)] = v
			sum += v
		}
		component[fmt.Sprintf("%d_attn_out", l)] = sum + g.attnBias[l]
		component[fmt.Sprintf("%d_mlp_out", l)] = g.mlp[l]
		head[fmt.Sprintf("%d_mlp_out", l)] = g.mlp[l]
		neuron[fmt.Sprintf("%d_attn", l)] = sum
		head["bias"] += g.attnBias[l]
		mlps += g.mlp[l]
	}
	for by, want := range map[probe.DirectBy]map[string]float64{probe.ByComponent: component, probe.ByHead: head, probe.ByNeuron: neuron} {
		d, err := probe.DirectAttribution(context.Background(), m, g.ids, probe.DirectOptions{By: by, Position: g.position, Answer: g.correct, Incorrect: g.wrong, Top: 5})
		if err != nil {
			t.Fatal(err)
		}
		near := func(name string, got, want float64) {
			if !(math.Abs(got-want) <= 1e-5) {
				t.Errorf("by %s: %s is %v, want %v", by, name, got, want)
			}
		}
		near("the whole", d.Logit, g.whole)
		near("the bias of norm and unembedding", d.Bias, g.normAndUnembed)
		near("the remainder", d.Remainder, 0)
		found, neurons, last := 0, 0.0, math.Inf(1)
		for i, p := range d.Parts {
			if v, ok := want[p.Label]; ok {
				near(p.Label, p.Value, v)
				found++
				continue
			}
			neurons += p.Value
			if strings.HasPrefix(p.Label, "L") {
				if i >= 5 || math.Abs(p.Value) > last {
					t.Errorf("neuron %s stands at %d with %v, after %v", p.Label, i, p.Value, last)
				}
				last = math.Abs(p.Value)
			}
		}
		if found != len(want) {
			t.Errorf("by %s: %d of %d parts are there: %+v", by, found, len(want), d.Parts)
		}
		if by == probe.ByNeuron { // neurons, other neurons and all biases
			near("neurons and biases", neurons, mlps+g.attnBias[0]+g.attnBias[1]+g.attnBias[2])
		}
	}
}

// A head whose output is set to zero adds nothing, and the rest still closes.
func TestDirectAttributionUnderEdits(t *testing.T) {
	m, _, _ := toy(t)
	site, err := m.Site("blocks.2.attn.hook_z")
	if err != nil {
		t.Fatal(err)
	}
	hooks, err := m.Edits(models.Edit{Site: site.String(), Heads: []int{1}, Op: "set", Value: &models.Value{Data: []float32{0}}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := probe.DirectAttribution(context.Background(), m, toyAttribution.ids,
		probe.DirectOptions{By: probe.ByHead, Position: -1, Answer: 13, Incorrect: -1, Hooks: hooks})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Parts {
		if p.Label == "L2H1" && p.Value != 0 {
			t.Errorf("the head that was set to 0 adds %v", p.Value)
		}
	}
	if !(math.Abs(d.Remainder) <= 1e-5) {
		t.Errorf("remainder %v", d.Remainder)
	}
}

func TestDirectAttributionRefuses(t *testing.T) {
	m, _, _ := toy(t)
	good := probe.DirectOptions{By: probe.ByHead, Position: -1, Answer: 1, Incorrect: -1, Top: 1}
	for want, change := range map[string]func(o *probe.DirectOptions){
		`unknown way "layer"`:          func(o *probe.DirectOptions) { o.By = "layer" },
		"position 3 is outside":        func(o *probe.DirectOptions) { o.Position = 3 },
		"token 40 is outside":          func(o *probe.DirectOptions) { o.Answer = 40 },
		"incorrect: token 99":          func(o *probe.DirectOptions) { o.Incorrect = 99 },
		"are both 1":                   func(o *probe.DirectOptions) { o.Incorrect = 1 },
		"0 neurons, at least 1 needed": func(o *probe.DirectOptions) { o.By, o.Top = probe.ByNeuron, 0 },
	} {
		o := good
		change(&o)
		_, err := probe.DirectAttribution(context.Background(), m, []int{1, 2, 3}, o)
		if err == nil || !strings.Contains(err.Error(), strings.ReplaceAll(want, "1 needed", "1 is needed")) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
