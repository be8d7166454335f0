package probe_test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/probe"
)

type goldenLoss struct{ All, Subset, Rest float64 }

type progressGolden struct {
	P        int
	Accuracy float64
	Loss     goldenLoss
	WE       struct {
		Keys  []int `json:"key_by_combined_norm_gt_max_over_4"`
		Rows  []int `json:"key_by_any_row_gt_max_row_over_4"`
		Order []int `json:"combined_norm_order"`
	} `json:"W_E"`
	WL struct {
		Order []int `json:"order"`
	} `json:"W_L"`
	Whole   float64 `json:"loss_over_all_logits_including_equals"`
	Neurons struct {
		Key         []int
		Share       float64 `json:"share_ge_0.85"`
		Clusters    map[string]int
		Unexplained int
		Dead        int
	}
	Restricted map[string]goldenLoss            `json:"restricted_loss"`
	Excluded   map[string]goldenLoss            `json:"excluded_loss_all_keys"`
	Single     map[string]map[string]goldenLoss `json:"excluded_loss_one_frequency"`
	Trig       map[string]float64               `json:"trig_fraction"`
	CosFit     map[string]struct {
		Alpha []float64
		Grand float64 `json:"fve_grand_mean"`
		Row   float64 `json:"fve_each_row_centred"`
		Loss  float64 `json:"loss_all"`
	} `json:"cos_fit"`
	Gini      map[string]float64
	Attention any `json:"attention_score_difference"`
}

// The reference allows 1e-6 relative and 1e-5 for losses; arrays stored in
// float32 carry 6e-8 of rounding.
const (
	progressRel = 1e-6
	lossRel     = 1e-5
)

func TestProgressGolden(t *testing.T) {
	for _, name := range []string{"p99zdpze5l", "2k4ohj6bhd", "l8k1hzciux", "rib"} {
		t.Run(name, func(t *testing.T) {
			var want progressGolden
			g := probesCase(t, "03-progress", name+"_progress", &want)
			m := readModular(t, name)
			m.run()
			checkProgress(t, m, g, want)
		})
	}
}

func checkProgress(t *testing.T, m *modular, g golden, want progressGolden) {
	f, err := probe.DFT(m.p)
	if err != nil {
		t.Fatal(err)
	}
	var sample []int
	for i := 0; i < m.p*m.p; i += 97 {
		sample = append(sample, i)
	}
	got := mat.NewDense(len(sample), m.p, nil)
	for i, r := range sample {
		got.SetRow(i, m.logits.RawRowView(r))
	}
	matrixWithin(t, "logits that the test feeds", got, g.matrix("out.logits_sample"), 1e-5, 1e-6)

	embedding, err := probe.EmbeddingSpectrum(f, mat.DenseCopyOf(m.embed.Slice(0, m.p, 0, 128)))
	if err != nil {
		t.Fatal(err)
	}
	wl := product(m.wout, m.unembed)
	neurons, _ := wl.Dims()
	readout, err := probe.EmbeddingSpectrum(f, transposed(mat.DenseCopyOf(wl.Slice(0, neurons, 0, m.p))))
	if err != nil {
		t.Fatal(err)
	}
	values := must(probe.MeasureSpectrum(mat.DenseCopyOf(wl.Slice(0, neurons, 0, m.p))))(t)
	allWithin(t, "singular values of W_L", values.Singular, g.vector("out.W_L_singular_values"), 1e-9, progressRel)
	unembedding, err := probe.EmbeddingSpectrum(f, transposed(mat.DenseCopyOf(m.unembed.Slice(0, 128, 0, m.p))))
	if err != nil {
		t.Fatal(err)
	}
	for array, v := range map[string][]float64{
		"W_E_row_norms": embedding.Rows, "W_E_combined": embedding.Frequencies,
		"W_L_row_norms": readout.Rows, "W_L_combined": readout.Frequencies, "W_U_row_norms": unembedding.Rows,
	} {
		allWithin(t, array, v, g.vector("out."+array), 1e-9, progressRel)
	}
	for key, v := range map[string][]float64{
		"W_E_rows_with_const": embedding.Rows, "W_E_rows": embedding.Rows[1:], "W_E_combined": embedding.Frequencies,
		"W_L_rows_with_const": readout.Rows, "W_L_rows": readout.Rows[1:], "W_L_combined": readout.Frequencies,
	} {
		gini, err := probe.Gini(v)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "gini "+key, gini, want.Gini[key], 0, progressRel)
	}
	sets := map[string][]int{}
	if sets["W_E"], err = embedding.KeysByFrequency(0.25); err != nil || !slices.Equal(sets["W_E"], want.WE.Keys) {
		t.Errorf("keys by frequency %v (%v), want %v", sets["W_E"], err, want.WE.Keys)
	}
	if rows, err := embedding.KeysByRow(f, 0.25); err != nil || !slices.Equal(rows, want.WE.Rows) {
		t.Errorf("keys by row %v (%v), want %v", rows, err, want.WE.Rows)
	}
	if order := embedding.Order()[:10]; !slices.Equal(order, want.WE.Order) {
		t.Errorf("strongest frequencies %v, want %v", order, want.WE.Order)
	}
	if order := readout.Order()[:len(want.WL.Order)]; !slices.Equal(order, want.WL.Order) {
		t.Errorf("strongest frequencies of W_L %v, want %v", order, want.WL.Order)
	}
	sets["neurons"] = checkClusters(t, f, m, g, want)
	checkLosses(t, m, g, want, sets)
	checkScores(t, f, m, want)
}

func checkClusters(t *testing.T, f *probe.FourierBasis, m *modular, g golden, want progressGolden) []int {
	c, err := probe.ClusterNeurons(f, m.neurons, 0.85)
	if err != nil {
		t.Fatal(err)
	}
	clustered := 0
	for _, n := range c.Sizes {
		clustered += n
	}
	within(t, "share of neurons in clusters", float64(clustered)/float64(len(c.Cluster)), want.Neurons.Share, 1e-12, 0)
	matrixWithin(t, "neuron shares", c.Shares, g.matrix("out.neuron_fraction"), 1e-7, progressRel)
	best, cluster := g.ints("out.neuron_best_frequency"), g.ints("out.neuron_cluster")
	unexplained := 0
	for i := range best {
		if best[i] != c.Best[i] && c.Best[i] != 0 { // the reference gives dead neurons frequency 1
			t.Errorf("neuron %d follows %d, want %d", i, c.Best[i], best[i])
		}
		if max(cluster[i], 0) != c.Cluster[i] {
			t.Errorf("neuron %d is in cluster %d, want %d", i, c.Cluster[i], cluster[i])
		}
		if c.Cluster[i] == 0 {
			unexplained++
		}
	}
	if !slices.Equal(c.Keys, want.Neurons.Key) || unexplained != want.Neurons.Unexplained || c.Dead != want.Neurons.Dead {
		t.Errorf("keys %v, %d unexplained, %d dead; want %v, %d, %d", c.Keys, unexplained, c.Dead, want.Neurons.Key, want.Neurons.Unexplained, want.Neurons.Dead)
	}
	for k, n := range want.Neurons.Clusters {
		if i, _ := strconv.Atoi(k); c.Sizes[i] != n {
			t.Errorf("cluster %s has %d neurons, want %d", k, c.Sizes[i], n)
		}
	}
	mean := mat.DenseCopyOf(m.neurons)
	center(mean)
	waves, err := f.Transform2D(mean)
	if err != nil {
		t.Fatal(err)
	}
	energy, err := f.Energy2D(waves)
	if err != nil {
		t.Fatal(err)
	}
	matrixWithin(t, "neuron energy map", energy, g.matrix("out.neuron_energy_map"), 1e-7, progressRel)
	return c.Keys
}

func center(x *mat.Dense) {
	n, d := x.Dims()
	for j := range d {
		column := mat.Col(nil, j, x)
		mean := mat.Sum(mat.NewVecDense(n, column)) / float64(n)
		for i := range column {
			column[i] -= mean
		}
		x.SetCol(j, column)
	}
}

func checkLosses(t *testing.T, m *modular, g golden, want progressGolden, sets map[string][]int) {
	l, err := probe.NewModularLogits(m.logits, m.p)
	if err != nil {
		t.Fatal(err)
	}
	subset := g.ints("in.subset")
	loss := func(what string, got probe.Loss, err error, want goldenLoss) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		within(t, what+" all", got.All, want.All, 1e-12, lossRel)
		within(t, what+" subset", got.Subset, want.Subset, 1e-12, lossRel)
		within(t, what+" rest", got.Rest, want.Rest, 1e-12, lossRel)
	}
	within(t, "accuracy", l.Accuracy(), want.Accuracy, 1e-12, 0)
	mean := make([]float64, m.p)
	for c := range mean {
		mean[c] = mat.Sum(m.logits.ColView(c)) / float64(m.p*m.p)
	}
	allWithin(t, "mean over pairs", mean, g.vector("out.logit_mean_over_pairs"), 1e-5, progressRel)
	if m.separator < 0 {
		within(t, "loss over all tokens, which are the numbers", want.Whole, want.Loss.All, 1e-12, 0)
	}
	got, err := l.Loss(subset)
	loss("loss", got, err, want.Loss)
	for name, keys := range sets {
		if len(keys) == 0 {
			continue
		}
		got, err := l.RestrictedLoss(keys, subset)
		loss("restricted loss, keys by "+name, got, err, want.Restricted[name])
		got, err = l.ExcludedLoss(keys, subset)
		loss("excluded loss, keys by "+name, got, err, want.Excluded[name])
		for _, k := range keys {
			got, err = l.ExcludedLoss([]int{k}, subset)
			loss("excluded loss of "+strconv.Itoa(k), got, err, want.Single[name][strconv.Itoa(k)])
		}
		share, err := l.TrigShare(keys)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "trig share, keys by "+name, share, want.Trig[name], 0, progressRel)
		fit, err := l.FitCosines(keys)
		if err != nil {
			t.Fatal(err)
		}
		w := want.CosFit[name]
		allWithin(t, "alpha", fit.Alpha, w.Alpha, 1e-9, progressRel)
		within(t, "explained", fit.Explained, w.Grand, 0, progressRel)
		within(t, "explained, rows centred", fit.RowExplained, w.Row, 0, progressRel)
		within(t, "loss of the cosines", fit.Loss, w.Loss, 1e-12, lossRel)
	}
	var every []int
	for k := 1; k <= (m.p-1)/2; k++ {
		every = append(every, k)
	}
	within(t, "trig share, all frequencies", must(l.TrigShare(every))(t), want.Trig["all_frequencies"], 0, progressRel)
	allWithin(t, "cosine coefficients", l.CosineCoefficients(), g.vector("out.cos_coefficients"), 1e-7, progressRel)
	f, _ := probe.DFT(m.p)
	waves, err := f.Transform2D(m.logits)
	if err != nil {
		t.Fatal(err)
	}
	norms, err := f.Norms2D(waves)
	if err != nil {
		t.Fatal(err)
	}
	matrixWithin(t, "logit waves", norms, g.matrix("out.logit_fourier_norms"), 1e-5, progressRel)
}

// checkScores fits each head's score difference between a and b by one
// frequency.
func checkScores(t *testing.T, f *probe.FourierBasis, m *modular, want progressGolden) {
	heads, ok := want.Attention.([]any)
	if !ok {
		return // a model whose attention is constant
	}
	y := mat.NewDense(m.p*m.p, len(heads), nil)
	for i := range m.p * m.p {
		for h := range heads {
			s := m.score.RawRowView(i*len(heads) + h)
			y.Set(i, h, s[0]-s[1])
		}
	}
	shares, err := f.FrequencyShares(y)
	if err != nil {
		t.Fatal(err)
	}
	for h, entry := range heads {
		w := entry.(map[string]any)
		best := slices.Max(shares.RawRowView(h))
		within(t, "share of the best frequency of head "+strconv.Itoa(h), best, w["fve"].(float64), 0, progressRel)
		if at := slices.Index(shares.RawRowView(h), best) + 1; float64(at) != w["freq"] {
			t.Errorf("head %d follows %d, want %v", h, at, w["freq"])
		}
	}
}

// TestSquaredWeightsGolden sums up trained adders; sums do not ask for a layout.
func TestSquaredWeightsGolden(t *testing.T) {
	for _, name := range []string{"rib", "p99zdpze5l", "2k4ohj6bhd", "l8k1hzciux"} {
		var want struct {
			Sum struct {
				Total float64
				Per   map[string]float64 `json:"per_tensor"`
			} `json:"sum_of_squared_weights"`
		}
		probesCase(t, "03-progress", name+"_progress", &want)
		m := adder(t, name)
		each, total := probe.SquaredWeights(m.Params())
		within(t, name+" total", total, want.Sum.Total, 0, progressRel)
		names := strings.NewReplacer("pos_embed.weight", "pos_embed.W_pos", "unembed.weight", "unembed.W_U", "unembed.bias", "unembed.b_U", "embed.weight", "embed.W_E",
			"q.weight", "W_Q", "k.weight", "W_K", "v.weight", "W_V", "o.weight", "W_O", "q.bias", "b_Q", "k.bias", "b_K", "v.bias", "b_V", "o.bias", "b_O",
			"in.weight", "W_in", "in.bias", "b_in", "out.weight", "W_out", "out.bias", "b_out")
		for _, w := range each {
			within(t, name+" "+w.Name, w.Value, want.Sum.Per[names.Replace(w.Name)], 0, progressRel)
		}
		if len(each) != len(want.Sum.Per) {
			t.Errorf("%s: %d weights, the reference has %d", name, len(each), len(want.Sum.Per))
		}
	}
}

// adder is one of the reference's trained adders as a model of the engine.
func adder(t *testing.T, name string) *models.Model {
	t.Helper()
	if name == "rib" {
		return ribModel(t)
	}
	m, _ := pizzaModel(t, name)
	return m
}

// TestProgressPlanted: logits that are one cosine are explained by it whole,
// and by another not at all.
func TestProgressPlanted(t *testing.T) {
	const p = 11
	logits := mat.NewDense(p*p, p+1, nil)
	for i := range p * p {
		for c := range p {
			logits.Set(i, c, 30*math.Cos(2*math.Pi*3*float64(i/p+i%p-c)/p))
		}
		logits.Set(i, p, 99) // the class of "=" is not looked at
	}
	l, err := probe.NewModularLogits(logits, p)
	if err != nil {
		t.Fatal(err)
	}
	full, _ := l.Loss(nil)
	restricted, err := l.RestrictedLoss([]int{3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "restricted loss", restricted.All, full.All, 1e-9, 0)
	excluded, _ := l.ExcludedLoss([]int{3}, nil)
	within(t, "excluded loss is chance", excluded.All, math.Log(p), 1e-9, 0)
	other, _ := l.ExcludedLoss([]int{2}, nil)
	within(t, "excluded loss of a frequency that is not there", other.All, full.All, 1e-9, 0)
	share, _ := l.TrigShare([]int{3})
	within(t, "trig share", share, 1, 1e-12, 0)
	fit, err := l.FitCosines([]int{2, 3})
	if err != nil {
		t.Fatal(err)
	}
	allWithin(t, "alpha", fit.Alpha, []float64{0, 30}, 1e-9, 0)
	within(t, "explained", fit.Explained, 1, 1e-12, 0)
	within(t, "loss", fit.Loss, full.All, 1e-9, 0)
	within(t, "accuracy", l.Accuracy(), 1, 0, 0)

	noise, err := probe.NewModularLogits(gaussian(p*p, p, 1, 2), p)
	if err != nil {
		t.Fatal(err)
	}
	share, _ = noise.TrigShare([]int{3})
	if !(share < 0.06) { // two of 120 directions
		t.Errorf("trig share of noise %.3f", share)
	}
}

func TestProgressRefuses(t *testing.T) {
	l, err := probe.NewModularLogits(gaussian(49, 7, 1, 2), 7)
	if err != nil {
		t.Fatal(err)
	}
	for _, keys := range [][]int{{0}, {4}, {1, 1}} {
		if _, err := l.RestrictedLoss(keys, nil); err == nil || !strings.Contains(err.Error(), "1..3") {
			t.Errorf("keys %v: %v", keys, err)
		}
	}
	if _, err := l.Loss([]int{49}); err == nil {
		t.Error("a pair outside the grid passes")
	}
	if _, err := probe.NewModularLogits(gaussian(48, 7, 1, 2), 7); err == nil {
		t.Error("48 rows for 49 pairs pass")
	}
	if _, err := probe.NewModularLogits(mat.NewDense(49, 7, nil), 7); err == nil || !strings.Contains(err.Error(), "constant") {
		t.Errorf("constant logits: %v", err)
	}
	for _, x := range [][]float64{nil, {0, 0}, {1, -1}, {math.NaN()}} {
		if _, err := probe.Gini(x); err == nil {
			t.Errorf("gini of %v passes", x)
		}
	}
	f, _ := probe.DFT(7)
	s, _ := probe.EmbeddingSpectrum(f, mat.NewDense(7, 2, nil))
	if _, err := s.KeysByFrequency(0.25); err == nil {
		t.Error("key frequencies of an empty embedding pass")
	}
}
