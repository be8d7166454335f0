package ablate_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// TestCircuitsGolden compares the metric of circuits, their faithfulness, and
// completeness and minimality at the reference's subsets.
func TestCircuitsGolden(t *testing.T) {
	eachReference(t, "08_circuits.safetensors", func(t *testing.T, g golden) {
		all := ablate.HeadsAndMLPs(g.model)
		pick := func(ids []int) (nodes []ablate.Node) {
			for _, i := range ids {
				nodes = append(nodes, all[i])
			}
			return nodes
		}
		run := func(circuits ...[]ablate.Node) *ablate.CircuitEffects {
			e, err := ablate.Circuits(context.Background(), g.model, g.cleanPrompts(t, "pairs5"), ablate.CircuitOptions{Circuits: circuits, Kind: ablate.MeanByPos, Metric: metric(t, "logit_diff"), Reference: g.reference(t)})
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		near := func(name string, got float64, want float32, bound float64) {
			t.Helper()
			if !(math.Abs(got-float64(want)) <= bound*(1+math.Abs(float64(want)))) {
				t.Errorf("%s is %g, want %g", name, got, want)
			}
		}
		var single [][]ablate.Node
		for _, n := range all {
			single = append(single, ablate.Without(all, n))
		}
		e := run(single...)
		modeltest.Close(t, "full", vector(e.Full), g.read(t, "F_full"), plainBound, plainBound)
		modeltest.Close(t, "empty", vector(e.Empty), g.read(t, "F_empty"), plainBound, plainBound)
		columns := func(values [][]float64) *tensor.Dense {
			x := tensor.New(len(values[0]), len(values))
			for c := range values {
				for i, v := range values[c] {
					x.Set(float32(v), i, c)
				}
			}
			return x
		}
		modeltest.Close(t, "without one", columns(e.Values), g.read(t, "F_without_one"), plainBound, plainBound)
		rank := g.ints(t, "rank")
		var growing [][]ablate.Node
		for k := range len(rank) + 1 {
			growing = append(growing, pick(rank[:k]))
		}
		e = run(growing...)
		modeltest.Close(t, "growing", columns(e.Values), g.read(t, "F_circuit"), plainBound, plainBound)
		for k, v := range e.Values {
			f, err := e.Faithfulness(v)
			if err != nil {
				t.Fatal(err)
			}
			near("normalised faithfulness", f, g.read(t, "faithfulness.normalised").Data[k], ratioBound)
			ratio, err := e.Ratio(v)
			if err != nil {
				t.Fatal(err)
			}
			near("ratio", ratio, g.read(t, "faithfulness.ratio").Data[k], ratioBound)
			near("difference", ablate.Gap(v, e.Full), g.read(t, "faithfulness.abs_difference").Data[k], plainBound)
		}
		circuit, subsets := pick(g.ints(t, "C")), g.read(t, "K").Data
		largest := make([]float64, len(circuit))
		n := len(subsets) / len(all) // the file has 0 and 1 as floats
		for s := range n {
			var K []ablate.Node
			for i, in := range subsets[s*len(all) : (s+1)*len(all)] {
				if in == 1 {
					K = append(K, all[i])
				}
			}
			sets := [][]ablate.Node{ablate.Without(circuit, K...), ablate.Without(all, K...)}
			for _, v := range circuit {
				sets = append(sets, ablate.Without(circuit, append(append([]ablate.Node(nil), K...), v)...))
			}
			e := run(sets...)
			near("F of C∖K", ablate.Summarise(e.Values[0]).Mean, g.read(t, "completeness.F_C_minus_K").Data[s], plainBound)
			near("F of M∖K", ablate.Summarise(e.Values[1]).Mean, g.read(t, "completeness.F_M_minus_K").Data[s], plainBound)
			near("completeness", ablate.Gap(e.Values[0], e.Values[1]), g.read(t, "completeness.gap").Data[s], plainBound)
			for i := range circuit {
				change := ablate.Gap(e.Values[2+i], e.Values[0])
				near("minimality", change, g.read(t, "minimality.change").At(i, s), plainBound)
				largest[i] = max(largest[i], change)
			}
		}
		modeltest.Close(t, "minimality over subsets", vector(largest), g.read(t, "minimality.max"), plainBound, plainBound)
	})
}

// TestCircuitOfThePlantedHead: one head is the whole circuit, and everything but
// it is worth nothing.
func TestCircuitOfThePlantedHead(t *testing.T) {
	m := modeltest.Copy()
	var prompts []ablate.Prompt
	for i := range 5 {
		prompts = append(prompts, ablate.Prompt{IDs: []int{i, 1, 2, 3}, Answer: i, Other: i + 1})
	}
	planted := ablate.Node{Part: ablate.HeadPart, Layer: 1}
	opt := ablate.CircuitOptions{Circuits: [][]ablate.Node{{planted}, ablate.Without(ablate.HeadsAndMLPs(m), planted)}, Kind: ablate.MeanByPos, Metric: metric(t, "logit_diff")}
	e, err := ablate.Circuits(context.Background(), m, prompts, opt)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{1, 0} {
		if f, err := e.Faithfulness(e.Values[i]); err != nil || !(math.Abs(f-want) <= 1e-5) {
			t.Errorf("circuit %d has faithfulness %g, %v, want %g", i, f, err, want)
		}
	}
	if r, err := e.Ratio(e.Values[0]); err != nil || !(math.Abs(r-1) <= 1e-5) {
		t.Errorf("the planted head keeps %g, %v, want 1", r, err)
	}
	none := &ablate.CircuitEffects{Full: []float64{1, -1}}
	if r, err := none.Ratio([]float64{1, 1}); err == nil || !strings.Contains(err.Error(), "nothing to divide by") {
		t.Errorf("a ratio to a mean of 0 is %g, %v", r, err)
	}
	opt.Circuits = [][]ablate.Node{{{Part: ablate.NeuronPart}}}
	if _, err := ablate.Circuits(context.Background(), m, prompts, opt); err == nil || !strings.Contains(err.Error(), "neuron 0.0 is no part") {
		t.Errorf("a circuit of neurons: %v", err)
	}
}
