package probe_test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"orrery/models/tensor"
	"orrery/probe"
)

// geometryAbs is the reference's own bound.
const geometryAbs = 1e-7

type goldenCosines struct {
	Mean   float64 `json:"mean_with_diagonal"`
	Std    float64 `json:"std_with_diagonal"`
	Others float64 `json:"mean_without_diagonal"`
}

type goldenSpectrum struct {
	Spectral   float64 `json:"spectral_entropy_p_sigma"`
	Matrix     float64 `json:"matrix_entropy_p_sigma2"`
	Normalised float64 `json:"normalised_matrix_entropy"`
	Above      int     `json:"effective_rank_count_sigma_gt_1pct"`
	RankMatrix float64 `json:"effective_rank_exp_matrix_entropy"`
	RankSpec   float64 `json:"effective_rank_exp_spectral_entropy"`
	Top3       float64 `json:"explained_ratio_sigma_top3"`
	Trace      float64 `json:"trace_covariance_population"`
	Ratio      float64 `json:"participation_ratio"`
	Stable     float64 `json:"stable_rank"`
	Renyi      map[string]float64
}

type goldenSimilarity struct {
	Biased     float64   `json:"cka_linear_biased"`
	Unbiased   float64   `json:"cka_linear_unbiased"`
	CCA        float64   `json:"cca_mean_correlation"`
	SVCCA      float64   `json:"svcca_mean_correlation"`
	Dimensions []int     `json:"svcca_dimensions"`
	Values     []float64 `json:"svcca_correlations"`
	RSA        float64   `json:"rsa_spearman_euclidean"`
	VSP        float64   `json:"vsp_mean_abs_cosine_difference"`
	Disparity  float64   `json:"procrustes_disparity_scipy"`
	Distance   float64   `json:"procrustes_distance_2_minus_2_nuclear"`
	R2         float64   `json:"orthogonal_map_r2_no_scale"`
	Retrieval  *struct {
		Cosine float64 `json:"mean_cosine"`
		Top1   float64
		Rank   float64 `json:"mean_rank"`
	} `json:"retrieval_after_orthogonal_map"`
}

func TestCloudsGolden(t *testing.T) {
	var want struct {
		Expect struct {
			Cosine struct {
				Raw, Centred, Standardised goldenCosines
				Outliers                   []int         `json:"outlier_channels"`
				Without                    goldenCosines `json:"without_outliers"`
				WithoutCentred             goldenCosines `json:"without_outliers_centred"`
				Top                        float64       `json:"top_channel_share_of_squared_norm"`
			}
			Spectra    map[string]goldenSpectrum
			Similarity map[string]goldenSimilarity
			Collapse   struct {
				Variance   float64 `json:"variance_term"`
				Covariance float64 `json:"covariance_term"`
				Loss       float64 `json:"loss_lambda_1_0.004_eta_0.001"`
			} `json:"seq_vcr"`
		}
		Adjacent struct {
			Cosine   float64 `json:"mean_vector_cosine"`
			Distance float64 `json:"mean_vector_l2"`
		}
	}
	g := readGolden(t, "testdata", "clouds", &want)
	z := g.matrix("in.Z")
	c := want.Expect.Cosine
	channels, top, err := probe.OutlierChannels(z, 20)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(channels, c.Outliers) {
		t.Errorf("outlier channels %v, want %v", channels, c.Outliers)
	}
	within(t, "share of the heaviest channel", top, c.Top, geometryAbs, 0)
	centre := must(probe.Centre(z))(t)
	without := must(probe.WithoutChannels(z, channels))(t)
	standard := must(probe.Standardise(z))(t)
	for name, pair := range map[string]struct {
		x *mat.Dense
		w goldenCosines
	}{
		"raw": {z, c.Raw}, "centred": {centre, c.Centred}, "standardised": {standard, c.Standardised},
		"without outliers": {without, c.Without}, "without outliers, centred": {must(probe.Centre(without))(t), c.WithoutCentred},
	} {
		got := must(probe.MeasureCosines(pair.x))(t)
		within(t, name+" mean cosine", got.Mean, pair.w.Mean, geometryAbs, 0)
		within(t, name+" cosine spread", got.Std, pair.w.Std, geometryAbs, 0)
		within(t, name+" mean without the diagonal", got.MeanOthers, pair.w.Others, geometryAbs, 0)
	}
	matrixWithin(t, "cosines", must(probe.CosineMatrix(z))(t), g.matrix("out.cosine_matrix"), geometryAbs, 0)

	unit := mat.DenseCopyOf(centre)
	for i := range 90 {
		row := mat.NewVecDense(16, unit.RawRowView(i))
		row.ScaleVec(1/mat.Norm(row, 2), row)
	}
	for name, x := range map[string]*mat.Dense{"raw": z, "centred": centre, "centred_row_normalised": unit} {
		got, w := must(probe.MeasureSpectrum(x))(t), want.Expect.Spectra[name]
		within(t, name+" spectral entropy", got.SpectralEntropy, w.Spectral, geometryAbs, 0)
		within(t, name+" matrix entropy", got.MatrixEntropy, w.Matrix, geometryAbs, 0)
		within(t, name+" normalised entropy", got.NormalisedEntropy, w.Normalised, geometryAbs, 0)
		within(t, name+" participation ratio", got.ParticipationRatio, w.Ratio, geometryAbs, 0)
		within(t, name+" stable rank", got.StableRank, w.Stable, geometryAbs, 0)
		within(t, name+" effective rank of squares", math.Exp(got.MatrixEntropy), w.RankMatrix, geometryAbs, 0)
		within(t, name+" effective rank", math.Exp(got.SpectralEntropy), w.RankSpec, geometryAbs, 0)
		within(t, name+" share of three", got.Explained(3), w.Top3, geometryAbs, 0)
		trace := 0.0
		for _, v := range must(probe.MeasureSpectrum(must(probe.Centre(x))(t)))(t).Singular {
			trace += v * v / 90
		}
		within(t, name+" trace of the covariance", trace, w.Trace, geometryAbs, geometryAbs)
		if got.AboveHundredth != w.Above {
			t.Errorf("%s: %d singular values above a hundredth, want %d", name, got.AboveHundredth, w.Above)
		}
		for order, e := range w.Renyi {
			a, _ := strconv.ParseFloat(order, 64)
			within(t, name+" renyi "+order, must(got.Renyi(a))(t), e, geometryAbs, 0)
		}
	}
	allWithin(t, "singular values", must(probe.MeasureSpectrum(z))(t).Singular, g.vector("out.singular_values"), geometryAbs, 0)
	allWithin(t, "centred singular values", must(probe.MeasureSpectrum(centre))(t).Singular, g.vector("out.singular_values_centred"), geometryAbs, 0)
	c1, d1, err := probe.MeanShift(z, g.matrix("in.Y"))
	if err != nil {
		t.Fatal(err)
	}
	allWithin(t, "shift of means", []float64{c1, d1}, []float64{want.Adjacent.Cosine, want.Adjacent.Distance}, geometryAbs, geometryAbs)
	checkCollapse(t, g.pattern32("in.seq_vcr_X"), want.Expect.Collapse.Variance, want.Expect.Collapse.Covariance, want.Expect.Collapse.Loss)
	for name, w := range want.Expect.Similarity {
		checkSimilarity(t, name, z, g.matrix("in."+name), w)
	}
}

func checkCollapse(t *testing.T, h *tensor.Dense, variance, covariance, loss float64) {
	t.Helper()
	got := must(probe.MeasureCollapse(h))(t)
	mean := func(x []float64) float64 { return floats.Sum(x) / float64(len(x)) }
	within(t, "variance term", mean(got.Variance), variance, geometryAbs, 0)
	within(t, "covariance term", mean(got.Covariance), covariance, geometryAbs, 0)
	within(t, "collapse loss", got.Loss, loss, geometryAbs, 0)
	// Samples that are all alike have collapsed whole: 1 − √η, and nothing covaries.
	same := tensor.New(4, 2, 3)
	for i := range same.Data {
		same.Data[i] = 5
	}
	allWithin(t, "one point", must(probe.MeasureCollapse(same))(t).Variance, []float64{1 - math.Sqrt(0.001), 1 - math.Sqrt(0.001)}, 1e-12, 0)
	for _, bad := range []*tensor.Dense{tensor.New(1, 2, 3), tensor.New(4, 3)} {
		if _, err := probe.MeasureCollapse(bad); err == nil || !strings.Contains(err.Error(), "two samples or more") {
			t.Errorf("shape %v: %v", bad.Shape, err)
		}
	}
	if _, _, err := probe.MeanShift(mat.NewDense(2, 3, nil), mat.NewDense(2, 3, nil)); err == nil {
		t.Error("means of 0 have a cosine")
	}
}

func checkSimilarity(t *testing.T, name string, z, y *mat.Dense, w goldenSimilarity) {
	t.Helper()
	biased, unbiased, err := probe.CKA(z, y)
	if err != nil {
		t.Fatal(err)
	}
	within(t, name+" biased cka", biased, w.Biased, geometryAbs, 0)
	within(t, name+" unbiased cka", unbiased, w.Unbiased, geometryAbs, 0)
	within(t, name+" cca", must(probe.CCA(z, y, 1))(t).Mean, w.CCA, geometryAbs, 0)
	sv := must(probe.CCA(z, y, 0.99))(t)
	within(t, name+" svcca", sv.Mean, w.SVCCA, geometryAbs, 0)
	allWithin(t, name+" svcca correlations", sv.Values, w.Values, geometryAbs, 0)
	if !slices.Equal(sv.Dimensions[:], w.Dimensions) {
		t.Errorf("%s: svcca dimensions %v, want %v", name, sv.Dimensions, w.Dimensions)
	}
	within(t, name+" distance correlation", must(probe.DistanceCorrelation(z, y))(t), w.RSA, geometryAbs, 0)
	within(t, name+" cosine difference", must(probe.CosineDifference(z, y))(t), w.VSP, geometryAbs, 0)
	if w.Retrieval == nil {
		if _, err := probe.Align(z, y); err == nil {
			t.Errorf("%s: clouds of two widths are aligned", name)
		}
		return
	}
	a := must(probe.Align(z, y))(t)
	within(t, name+" disparity", a.Disparity, w.Disparity, geometryAbs, 0)
	within(t, name+" procrustes distance", a.Distance, w.Distance, geometryAbs, 0)
	within(t, name+" r2 of the turn", a.R2, w.R2, geometryAbs, 0)
	within(t, name+" cosine of partners", a.Cosine, w.Retrieval.Cosine, geometryAbs, 0)
	within(t, name+" top 1", a.Top1, w.Retrieval.Top1, geometryAbs, 0)
	within(t, name+" mean rank", a.MeanRank, w.Retrieval.Rank, geometryAbs, 0)
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestDimensionGolden(t *testing.T) {
	var want struct {
		Expect struct {
			Clouds map[string]struct {
				TwoNN struct {
					Base, ML   float64
					DadapyBase float64 `json:"dadapy_base"`
					DadapyML   float64 `json:"dadapy_ml"`
				} `json:"twonn"`
				Gride []struct {
					N1         int     `json:"n1"`
					N2         int     `json:"n2"`
					ID         float64 `json:"id"`
					Error      float64 `json:"standard_error"`
					Kept, Of   int
					DadapyID   float64 `json:"dadapy"`
					DadapyFail float64 `json:"dadapy_error"`
				}
			}
			Overlap map[string]float64 `json:"neighbourhood_overlap_gauss5_noise_vs_B"`
		}
	}
	g := probesCase(t, "08-geometry", "intrinsic_dimension", &want)
	for name, w := range want.Expect.Clouds {
		x := g.matrix("in." + name)
		fit, likelihood, err := probe.TwoNN(x)
		if err != nil {
			t.Fatal(err)
		}
		within(t, name+" two-nn", fit.Value, w.TwoNN.Base, 0, 1e-6)
		within(t, name+" two-nn by likelihood", likelihood.Value, w.TwoNN.ML, 0, 1e-6)
		within(t, name+" two-nn of dadapy", fit.Value, w.TwoNN.DadapyBase, 0, 1e-6)
		within(t, name+" two-nn by likelihood of dadapy", likelihood.Value, w.TwoNN.DadapyML, 0, 1e-6)
		var scales []int
		for _, r := range w.Gride {
			scales = append(scales, r.N1)
		}
		for i, d := range must(probe.Gride(x, scales...))(t) {
			r := w.Gride[i]
			what := name + " gride " + strconv.Itoa(r.N1)
			within(t, what, d.Value, r.ID, 1e-5, 0)
			within(t, what+" of dadapy", d.Value, r.DadapyID, 1e-5, 0)
			within(t, what+" error", d.Error, r.Error, 1e-5, 0)
			if r.N2 != 2*r.N1 {
				t.Errorf("%s: the far neighbour is %d, want %d", what, r.N2, 2*r.N1)
			}
			// DADAPY counts all points in its error, ours those that are kept.
			within(t, what+" error of dadapy", d.Error*math.Sqrt(float64(d.Kept)/float64(d.Of)), r.DadapyFail, 1e-4, 0)
			if d.Kept != r.Kept || d.Of != r.Of {
				t.Errorf("%s: %d of %d kept, want %d of %d", what, d.Kept, d.Of, r.Kept, r.Of)
			}
		}
	}
	for k, share := range want.Expect.Overlap {
		n, _ := strconv.Atoi(k)
		within(t, "overlap of "+k, must(probe.NeighbourhoodOverlap(g.matrix("in.gauss5_noise"), g.matrix("in.B"), n))(t), share, 1e-9, 0)
	}
}

func TestDecomposeGolden(t *testing.T) {
	var want struct {
		Expect struct {
			Shares    struct{ Pos, Ctx, Resid float64 }
			Singular  []float64          `json:"pos_singular_values"`
			Stable    float64            `json:"pos_stable_rank"`
			Explained map[string]float64 `json:"pos_explained_ratio_sigma"`
			Rank95    int                `json:"pos_rank_95pct_sigma"`
			Relative  float64            `json:"relative_norm"`
			Max       float64            `json:"incoherence_max_abs_cosine"`
			Mean      float64            `json:"incoherence_mean_abs_cosine"`
			K10       float64            `json:"low_frequency_share_K10"`
			K3        float64            `json:"low_frequency_share_K3"`
		}
	}
	g := readGolden(t, "testdata", "hidden_geometry", &want)
	p := must(probe.Decompose(g.pattern32("in.h")))(t)
	e := want.Expect
	allWithin(t, "mu", p.Mu, g.vector("out.mu"), geometryAbs, 0)
	matrixWithin(t, "pos", p.Pos, g.matrix("out.pos"), geometryAbs, 0)
	matrixWithin(t, "ctx", p.Ctx, g.matrix("out.ctx"), geometryAbs, 0)
	matrixWithin(t, "resid", p.Resid, g.matrix("out.resid"), geometryAbs, 0)
	allWithin(t, "shares", []float64{p.PosShare, p.CtxShare, p.ResidShare}, []float64{e.Shares.Pos, e.Shares.Ctx, e.Shares.Resid}, geometryAbs, 0)
	allWithin(t, "singular values of pos", p.PosSpectrum.Singular, e.Singular, geometryAbs, 0)
	within(t, "stable rank", p.PosSpectrum.StableRank, e.Stable, geometryAbs, 0)
	for r, share := range e.Explained {
		n, _ := strconv.Atoi(r)
		within(t, "share of "+r, p.PosSpectrum.Explained(n), share, geometryAbs, 0)
	}
	if r := p.PosSpectrum.RankFor(0.95); r != e.Rank95 {
		t.Errorf("%d singular values have 95 %%, want %d", r, e.Rank95)
	}
	within(t, "relative norm", p.RelativeNorm, e.Relative, geometryAbs, 0)
	allWithin(t, "incoherence", []float64{p.Incoherence, p.MeanIncoherence}, []float64{e.Max, e.Mean}, geometryAbs, 0)
	gram, waves, err := p.PosGram()
	if err != nil {
		t.Fatal(err)
	}
	matrixWithin(t, "gram", gram, g.matrix("out.gram"), geometryAbs, 0)
	matrixWithin(t, "gram in cosines", waves, g.matrix("out.gram_dct"), geometryAbs, 0)
	within(t, "share of 10", must(probe.LowFrequencyShare(waves, 10))(t), e.K10, geometryAbs, 0)
	within(t, "share of 3", must(probe.LowFrequencyShare(waves, 3))(t), e.K3, geometryAbs, 0)
}

func TestFactorsGolden(t *testing.T) {
	var want struct {
		Expect map[string]map[string]any
	}
	g := readGolden(t, "testdata", "factors_and_classes", &want)
	for _, name := range []string{"additive", "interacting"} {
		w := want.Expect[name]
		var a, b []int
		for i := range 80 {
			a, b = append(a, i/8), append(b, i%8)
		}
		x := g.matrix("in.H_" + name)
		f := must(probe.SplitFactors(x, a, b))(t)
		allWithin(t, name+" shares", append(slices.Clone(f.Shares), f.Rest, 1-f.Rest),
			[]float64{w["share_a"].(float64), w["share_b"].(float64), w["share_interaction"].(float64), w["additive_r2"].(float64)}, geometryAbs, 0)
		matrixWithin(t, name+" effects of a", f.Effects[0], g.matrix("out.A_"+name), geometryAbs, 0)
		matrixWithin(t, name+" effects of b", f.Effects[1], g.matrix("out.B_"+name), geometryAbs, 0)
		_, r2, err := probe.AdditiveFit(x, a, b)
		if err != nil {
			t.Fatal(err)
		}
		within(t, name+" additive fit of a balanced table", r2, 1-f.Rest, 1e-12, 0)
	}
	fit, r2, err := probe.AdditiveFit(g.matrix("in.H_unbalanced"), g.ints("in.a_unbalanced"), g.ints("in.b_unbalanced"))
	if err != nil {
		t.Fatal(err)
	}
	matrixWithin(t, "unbalanced fit", fit, g.matrix("out.fit_unbalanced"), geometryAbs, 0)
	within(t, "unbalanced r2", r2, want.Expect["unbalanced"]["additive_r2"].(float64), geometryAbs, 0)
	if _, err := probe.SplitFactors(g.matrix("in.H_unbalanced"), g.ints("in.a_unbalanced"), g.ints("in.b_unbalanced")); err == nil || !strings.Contains(err.Error(), "equally often") {
		t.Errorf("an unbalanced table: %v", err)
	}
	var a, b, op []int
	for i := range 60 {
		a, b, op = append(a, i/12), append(b, i/3%4), append(op, i%3)
	}
	f := must(probe.SplitFactors(g.matrix("in.H_three"), a, b, op))(t)
	w := want.Expect["three_factors"]
	allWithin(t, "three factors", append(f.Shares, f.Rest), []float64{w["a"].(float64), w["b"].(float64), w["op"].(float64), w["interactions"].(float64)}, geometryAbs, 0)
}

// TestGeometryPlanted: a turned cloud is the same cloud, an unrelated one is
// not; a plane has two dimensions.
func TestGeometryPlanted(t *testing.T) {
	x := gaussian(120, 6, 1, 1)
	turn := must(probe.Align(gaussian(50, 6, 1, 2), gaussian(50, 6, 1, 3)))(t).Map
	y := product(x, turn)
	y.Scale(3, y)
	biased, unbiased, err := probe.CKA(x, y)
	if err != nil {
		t.Fatal(err)
	}
	allWithin(t, "cka of a turned cloud", []float64{biased, unbiased}, []float64{1, 1}, 1e-12, 0)
	within(t, "cca of a turned cloud", must(probe.CCA(x, y, 1))(t).Mean, 1, 1e-10, 0)
	a := must(probe.Align(x, y))(t)
	matrixWithin(t, "the turn", a.Map, turn, 1e-10, 0)
	allWithin(t, "alignment", []float64{a.Disparity, a.Top1, a.MeanRank}, []float64{0, 1, 1}, 1e-10, 0)
	within(t, "overlap", must(probe.NeighbourhoodOverlap(x, y, 5))(t), 1, 0, 0)

	other := gaussian(120, 6, 1, 9)
	_, unbiased, err = probe.CKA(x, other)
	if err != nil {
		t.Fatal(err)
	}
	if !(math.Abs(unbiased) < 0.05) {
		t.Errorf("unbiased cka of unrelated clouds %.3f", unbiased)
	}
	if o := must(probe.NeighbourhoodOverlap(x, other, 5))(t); !(o < 0.12) {
		t.Errorf("overlap of unrelated clouds %.3f, chance is 0.042", o)
	}
	plane := product(gaussian(400, 2, 1, 4), gaussian(2, 30, 1, 5))
	fit, _, err := probe.TwoNN(plane)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "dimension of a plane", fit.Value, 2, 0.3, 0)
	within(t, "dimension of a plane", must(probe.Gride(plane, 4))(t)[0].Value, 2, 0.3, 0)
}

func TestGeometryRefuses(t *testing.T) {
	x := gaussian(60, 4, 1, 1)
	zero := mat.DenseCopyOf(x)
	zero.SetRow(7, make([]float64, 4))
	twice := mat.DenseCopyOf(x)
	twice.SetRow(8, twice.RawRowView(3))
	constant := mat.DenseCopyOf(x)
	constant.SetCol(2, ones(60))
	same := mat.NewDense(60, 4, ones(240))
	third := func(_, _ float64, err error) error { return err }
	for name, err := range map[string]error{
		"a row of zeros":            second(probe.CosineMatrix(zero)),
		"a constant channel":        second(probe.Standardise(constant)),
		"no channel left":           second(probe.WithoutChannels(x, []int{0, 1, 2, 3})),
		"rows that do not match":    third(probe.CKA(x, gaussian(59, 4, 1, 1))),
		"a cloud of one point":      third(probe.CKA(x, same)),
		"more directions than rows": second(probe.CCA(gaussian(10, 6, 1, 1), gaussian(10, 6, 1, 2), 1)),
		"a share above 1":           second(probe.CCA(x, x, 1.5)),
		"two widths":                second(probe.Align(x, gaussian(60, 5, 1, 1))),
		"duplicates":                second(probe.Gride(twice, 1)),
		"too few rows":              second(probe.Gride(gaussian(49, 4, 1, 1), 1)),
		"too far a neighbour":       second(probe.Gride(x, 30)),
		"no neighbour":              second(probe.Gride(x, 0)),
		"a cloud of zeros":          second(probe.MeasureSpectrum(mat.NewDense(5, 4, nil))),
		"one sequence":              second(probe.Decompose(tensor.New(1, 4, 3))),
		"a constant stream":         second(probe.Decompose(tensor.New(3, 4, 3))),
		"no factor":                 second(probe.SplitFactors(x)),
		"a level below 0":           second(probe.SplitFactors(x, append([]int{-1}, make([]int, 59)...))),
		"more effects than rows":    second2(probe.AdditiveFit(gaussian(4, 3, 1, 1), []int{0, 1, 2, 3})),
		"points without distances":  second(probe.DistanceCorrelation(x, same)),
	} {
		if err == nil {
			t.Errorf("%s passes", name)
		} else if strings.Contains(err.Error(), "NaN") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second2[T, U any](_ T, _ U, err error) error { return err }
