package analysis

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"orrery/models/train"
	"orrery/probe"
)

// keyDefinitions are the ways to say which frequencies a modular adder uses.
var keyDefinitions = []string{"embedding", "rows", "neurons", "shuffled"}

// keyFraction is the share of the strongest that a key frequency of the embedding
// has, as in TransformerLens' demonstration.
const keyFraction = 0.25

// grokKeys are the key frequencies of the last checkpoint.
type grokKeys struct {
	chosen []int            // ascending; those that are followed
	by     map[string][]int // by each definition
	order  []int            // all frequencies, the strongest in the embedding first
	// stand is false where no frequency of the embedding stands above the highest
	// of its rows in other orders, or so many that none stands out: the strongest
	// few are followed. instead says that the chosen definition passed too many or
	// none, and those above all other orders are followed.
	stand, instead bool
	given          bool // by the caller
}

// findKeys finds them by each definition. w is the last embedding.
func (r *grokRun) findKeys(ctx context.Context, w *mat.Dense) (grokKeys, error) {
	s, err := probe.EmbeddingSpectrum(r.basis, w)
	if err != nil {
		return grokKeys{}, err
	}
	k := grokKeys{by: map[string][]int{}, order: s.Order()}
	if k.by["embedding"], err = s.KeysByFrequency(keyFraction); err != nil {
		return k, err
	}
	if k.by["rows"], err = s.KeysByRow(r.basis, keyFraction); err != nil {
		return k, err
	}
	highest := 0.0
	rng := rand.New(rand.NewPCG(0, 4))
	for range spectrumDraws {
		other, err := probe.EmbeddingSpectrum(r.basis, shuffled(w, rng))
		if err != nil {
			return k, err
		}
		highest = max(highest, floats.Max(other.Frequencies))
	}
	for i, v := range s.Frequencies {
		if v > highest {
			k.by["shuffled"] = append(k.by["shuffled"], i+1)
		}
	}
	chosen := r.a["keys"].(string)
	if chosen == "neurons" {
		run, err := probe.RunModular(ctx, r.m, r.adder)
		if err != nil {
			return k, err
		}
		c, err := probe.ClusterNeurons(r.basis, run.Neurons, r.a["threshold"].(float64))
		if err != nil {
			return k, err
		}
		k.by["neurons"] = c.Keys
	}
	if own := r.a["frequencies"].([]int); len(own) > 0 {
		k.chosen, k.stand, k.given = slices.Sorted(slices.Values(own)), true, true
		for i, f := range k.chosen {
			if f < 1 || f > (r.adder.P-1)/2 || i > 0 && f == k.chosen[i-1] {
				return k, &hintError{fmt.Sprintf("frequencies: %d: each must be from 1 to %d and come once", f, (r.adder.P-1)/2), "leave them out to follow those that are found"}
			}
		}
		return k, nil
	}
	few := func(ks []int) bool { return len(ks) > 0 && len(ks) <= max(5, r.adder.P/8) }
	k.chosen, k.stand = k.by[chosen], few(k.by["shuffled"])
	switch {
	case !k.stand:
		k.chosen = slices.Sorted(slices.Values(k.order[:min(5, len(k.order))]))
	case !few(k.chosen):
		k.chosen, k.instead = k.by["shuffled"], true
	}
	return k, nil
}

// strongest is the chosen key of the strongest wave in the embedding.
func (k grokKeys) strongest() int {
	for _, f := range k.order {
		if slices.Contains(k.chosen, f) {
			return f
		}
	}
	return k.chosen[0]
}

// first are the n strongest of the chosen keys.
func (k grokKeys) first(n int) (out []int) {
	for _, f := range k.order {
		if slices.Contains(k.chosen, f) && len(out) < n {
			out = append(out, f)
		}
	}
	return out
}

// text is {14, 35, 41}.
func (k grokKeys) text() string { return "{" + list(k.chosen) + "}" }

func list(ks []int) string {
	var words []string
	for _, f := range ks {
		words = append(words, fmt.Sprint(f))
	}
	return strings.Join(words, ", ")
}

// describe names the keys by each definition, and says when they mean nothing.
func (k grokKeys) describe(c *probe.NeuronClusters, neurons int) string {
	var said []string
	for _, d := range keyDefinitions {
		ks := k.by[d]
		if d == "neurons" {
			ks = c.Keys
		}
		switch {
		case len(ks) == 0:
			said = append(said, "by "+d+" none")
		case len(ks) > 12:
			said = append(said, fmt.Sprintf("by %s %d frequencies", d, len(ks)))
		default:
			said = append(said, fmt.Sprintf("by %s {%s}", d, list(ks)))
		}
	}
	clustered := 0
	for _, n := range c.Sizes {
		clustered += n
	}
	text := fmt.Sprintf("Key frequencies: %s. %d of %d neurons follow one frequency.", strings.Join(said, ", "), clustered, neurons)
	switch {
	case k.given:
		text += fmt.Sprintf(" Followed are those of the call, {%s}.", list(k.chosen))
	case !k.stand:
		text += fmt.Sprintf(" Nothing stands out of shuffled numbers: the %d strongest are followed and mean nothing.", len(k.chosen))
	case k.instead:
		text += " Those above all shuffled orders of the numbers are followed."
	}
	return text
}

// chooseNeurons names one neuron for each of the strongest keys, that whose row of
// W_L = W_out·W_U lies most in that frequency, and last the one that lies least in
// any. It reads the last checkpoint's weights alone.
func (r *grokRun) chooseNeurons() ([]int, error) {
	w, err := r.adder.Readout(r.m)
	if err != nil {
		return nil, err
	}
	waves, err := r.basis.Transform(w)
	if err != nil {
		return nil, err
	}
	_, n := w.Dims()
	shares := make([][]float64, n) // by frequency
	for j := range n {
		energy, total := make([]float64, r.basis.Highest()), 0.0
		for i, k := range r.basis.K {
			if v := waves.At(i, j); k > 0 {
				energy[k-1] += v * v
				total += v * v
			}
		}
		if total > 0 {
			floats.Scale(1/total, energy)
		}
		shares[j] = energy
	}
	var out []int
	for _, k := range r.keys.first(r.a["tiles"].(int)) {
		best := -1
		for j := range n {
			if !slices.Contains(out, j) && (best < 0 || shares[j][k-1] > shares[best][k-1]) {
				best = j
			}
		}
		out = append(out, best)
	}
	least := -1
	for j := range n {
		if top := floats.Max(shares[j]); top > 0 && !slices.Contains(out, j) && (least < 0 || top < floats.Max(shares[least])) {
			least = j
		}
	}
	if least >= 0 {
		out = append(out, least)
	}
	return out, nil
}

// learned are the rows of the pairs that a recipe learns from.
func (r *grokRun) learned(recipe train.Recipe) ([]int, error) {
	task, err := train.FindTask(recipe.Task)
	if err != nil {
		return nil, err
	}
	at := map[int]int{}
	for n, id := range r.adder.Numbers {
		at[id] = n
	}
	learn, _ := task.Held(recipe.HeldOut, recipe.Seed)
	var rows []int
	for _, e := range learn {
		a, okA := at[e.IDs[0]]
		b, okB := at[e.IDs[1]]
		if !okA || !okB || !slices.Equal(e.IDs, r.adder.Prompt(a, b)) {
			return nil, fmt.Errorf("the recipe's prompt %v is none of a + b mod %d", e.IDs, r.adder.P)
		}
		rows = append(rows, a*r.adder.P+b)
	}
	return rows, nil
}

// meanRadius is that of points about the origin.
func meanRadius(x, y []float64) float64 {
	sum := 0.0
	for i := range x {
		sum += math.Hypot(x[i], y[i])
	}
	return sum / float64(len(x))
}
