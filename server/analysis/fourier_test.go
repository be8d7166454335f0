package analysis_test

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/zoo"
	"orrery/server/analysis"
	"orrery/viz"
)

// numberTower is a model that answers "n=" by n: the embedding of n stands in one
// dimension, uniform attention brings it to the other half of the stream, and the
// unembedding reads it there. So each number is one peak, all waves of which have
// one size. Only attention writes to what is read.
func numberTower(t *testing.T, numbers int) *models.Model {
	t.Helper()
	tok := mental(t).Tokenizer
	d := 2 * numbers
	cfg := models.Config{
		Layers: 1, Width: d, Heads: 1, KVHeads: 1, HeadWidth: numbers, MLPWidth: 1, Vocab: tok.Size(), Context: 8,
		Norm: models.NoNorm, Positions: models.Learned, AttnOnly: true,
	}
	p := models.NewParams(cfg)
	for n := range numbers {
		id, ok := tok.ID(strconv.Itoa(n))
		if !ok {
			t.Fatalf("no token of %d", n)
		}
		p.Embed.Set(1, id, n)
		p.Blocks[0].V.Weight.Set(1, n, n)
		p.Blocks[0].O.Weight.Set(1, numbers+n, n)
		p.Unembed.Weight.Set(1, id, numbers+n)
	}
	m, err := models.New(cfg, p)
	if err != nil {
		t.Fatal(err)
	}
	m.Name, m.Tokenizer = "tower", tok
	return m
}

// column reads a column of a figure's arrays.
func column(t *testing.T, fig *viz.Figure, name string) []float32 {
	t.Helper()
	a := fig.Arrays[name]
	if a == nil {
		t.Fatalf("no array %q", name)
	}
	return a.Data
}

// TestFilterPlanted: of numbers that are single peaks, the wave of period 10 alone
// knows the units and nothing else, so every error keeps them; period 2 alone knows
// the parity; the low and the high waves each know the number.
func TestFilterPlanted(t *testing.T) {
	m := numberTower(t, 50)
	args := analysis.Args{"m": m, "template": "{a}=", "hi": 50, "n": 50, "numbers": 50, "gain": false, "components": []string{"attn"}}
	fig, s := run(t, "fourier_filter", args)
	single := rowOf(t, fig, "single-pass, attn")
	if got := column(t, fig, "accuracy")[single]; !(got >= 0.02 && got <= 0.2) {
		t.Errorf("with the period 10 alone %g are right, want at most one in five", got)
	}
	if got := column(t, fig, "× 10")[single]; got != 1 {
		t.Errorf("with the period 10 alone %g of the errors keep the units, want all", got)
	}
	for _, band := range []string{"low-pass, attn", "high-pass, attn"} {
		if got := column(t, fig, "accuracy")[rowOf(t, fig, band)]; got != 1 {
			t.Errorf("%s: %g are right, want all: every band of a peak peaks there", band, got)
		}
	}
	// Half the stream is the embedding's, which no wave reads; of the other half a
	// single wave and the constant stay.
	if got := column(t, fig, "left")[single]; got != 50+3 {
		t.Errorf("single-pass leaves %g dimensions, want 53", got)
	}
	for _, b := range fig.Badges {
		if !b.OK {
			t.Errorf("badge %q: %g", b.Text, b.Value)
		}
	}
	if last := s.progress[len(s.progress)-1]; last[0] != last[1] {
		t.Errorf("progress ends at %v", last)
	}
	args["period"] = 2
	fig, _ = run(t, "fourier_filter", args)
	single = rowOf(t, fig, "single-pass, attn")
	if got := column(t, fig, "even")[single]; got != 1 {
		t.Errorf("with the period 2 alone %g of the errors keep the parity, want all", got)
	}
}

// TestFilterOfComponents: the tower's one head writes all that its block does, so it
// is filtered like the block; single components of a trained model are filtered
// alone, and each together with the others in the last rows.
func TestFilterOfComponents(t *testing.T) {
	args := analysis.Args{"m": numberTower(t, 50), "template": "{a}=", "hi": 50, "n": 50, "numbers": 50, "gain": false, "components": []string{"attn"}}
	block, _ := run(t, "fourier_filter", args)
	args["components"] = []string{"head 0.0"}
	head, _ := run(t, "fourier_filter", args)
	for _, name := range []string{"low", "high", "low_left", "high_left"} {
		if !slices.Equal(column(t, block, name), column(t, head, name)) {
			t.Errorf("%s: %v by the block, %v by its head", name, column(t, block, name), column(t, head, name))
		}
	}
	if a, b := column(t, block, "accuracy")[rowOf(t, block, "single-pass, attn")], column(t, head, "accuracy")[rowOf(t, head, "single-pass, head 0.0")]; a != b || len(head.Texts["filter"].Values) != 6 {
		t.Errorf("%g are right by the block, %g by its head; rows %q", a, b, head.Texts["filter"].Values)
	}
	fig, _ := run(t, "fourier_filter", analysis.Args{"m": mental(t), "numbers": 100, "n": 20, "components": []string{"head 2.1", "mlp 3", "attn 1"}})
	if !strings.Contains(fig.Subtitle, "outputs of head 2.1, mlp 3, attn 1 at the last token") {
		t.Error(fig.Subtitle)
	}
	for _, row := range []string{"low-pass, head 2.1", "low-pass, mlp 3", "low-pass, attn 1", "high-pass, together", "single-pass, together, shuffled"} {
		if left := column(t, fig, "left")[rowOf(t, fig, row)]; !(left >= 1 && left < 128) {
			t.Errorf("%s leaves %g dimensions", row, left)
		}
	}
	for _, b := range slices.Concat(head.Badges, fig.Badges) {
		if !b.OK {
			t.Errorf("badge %q: %g", b.Text, b.Value)
		}
	}
}

func rowOf(t *testing.T, fig *viz.Figure, name string) int {
	t.Helper()
	at := slices.Index(fig.Texts["filter"].Values, name)
	if at < 0 {
		t.Fatalf("no filter %q among %q", name, fig.Texts["filter"].Values)
	}
	return at
}

// TestSpectrumPlantedAndNull: a wave that was put into the embedding is found, and
// nothing in random weights.
func TestSpectrumPlantedAndNull(t *testing.T) {
	tok := mental(t).Tokenizer
	cfg := mental(t).Config
	null := modeltest.Random("null", cfg, 3)
	null.Tokenizer = tok
	for _, basis := range []string{"dft", "paper"} {
		args := analysis.Args{"m": null, "basis": basis}
		fig, s := run(t, "fourier_spectrum", args)
		for _, item := range fig.Multiples.Items {
			if len(item.Bars.Marks) != 0 {
				t.Errorf("%s, %s: marks %v in random weights", basis, item.Title, item.Bars.Marks)
			}
		}
		if !strings.Contains(fig.Caption, "no frequency stands") {
			t.Errorf("caption %q", fig.Caption)
		}
		if len(s.figures) != 2 || s.parts != 2 {
			t.Errorf("%d figures, %d parts", len(s.figures), s.parts)
		}
	}
	p := null.Params().Clone()
	p.Embed = p.Embed.Clone()
	for n := range 100 {
		id, _ := tok.ID(strconv.Itoa(n))
		p.Embed.Set(p.Embed.At(id, 5)+2*float32(math.Cos(2*math.Pi*float64(n)/12.5)), id, 5)
	}
	planted, err := models.New(cfg, p)
	if err != nil {
		t.Fatal(err)
	}
	planted.Name, planted.Tokenizer = "planted", tok
	fig, _ := run(t, "fourier_spectrum", analysis.Args{"m": planted, "numbers": 100})
	if marks := fig.Multiples.Items[0].Bars.Marks; !slices.Equal(marks, []int{7}) {
		t.Errorf("marks %v, want that of frequency 8 alone", marks)
	}
	if marks := fig.Multiples.Items[1].Bars.Marks; len(marks) != 0 {
		t.Errorf("marks %v in the unembedding, which is random", marks)
	}
	if !strings.Contains(fig.Caption, "12.5 (k = 8)") {
		t.Errorf("caption %q", fig.Caption)
	}
}

// TestSpectrumOfComponents: what components and the embedding add makes the
// stream, so the one attention block of the tower adds all there is.
func TestSpectrumOfComponents(t *testing.T) {
	fig, s := run(t, "fourier_spectrum", analysis.Args{"m": numberTower(t, 50), "show": "components", "template": "{a}=", "hi": 50, "n": 20, "gain": false, "numbers": 50})
	block, stream := column(t, fig, "components"), column(t, fig, "stream")
	for k := range stream {
		if d := math.Abs(float64(block[k] - stream[k])); !(d < 1e-6) || !(stream[k] > 0.04) {
			t.Errorf("frequency %d: attention adds %g, the stream has %g", k+1, block[k], stream[k])
		}
	}
	if last := s.progress[len(s.progress)-1]; last[0] != last[1] || last[0] != s.parts {
		t.Errorf("progress ends at %v after %d parts", last, s.parts)
	}
	// The gain of mental-2op's final norm is read in two ways, which differ.
	m := mental(t)
	folded, _ := run(t, "fourier_spectrum", analysis.Args{"m": m, "numbers": 100})
	raw, _ := run(t, "fourier_spectrum", analysis.Args{"m": m, "numbers": 100, "gain": false})
	if slices.Equal(column(t, folded, "unembed"), column(t, raw, "unembed")) || !slices.Equal(column(t, folded, "embed"), column(t, raw, "embed")) {
		t.Error("the gain must change the unembedding's spectrum and nothing else")
	}
}

// TestSpectrumOfLayers: the tower's number stands in the stream behind its one block
// and not before, as a peak of which every wave has one size, so that all waves say
// it; the shipped adder is right at its end alone.
func TestSpectrumOfLayers(t *testing.T) {
	fig, s := run(t, "fourier_spectrum", analysis.Args{"m": numberTower(t, 50), "show": "layers", "template": "{a}=", "hi": 50, "n": 50, "gain": false, "numbers": 50})
	if v := column(t, fig, "exact"); !(v[0] < 0.1 && v[1] == 1) {
		t.Errorf("right by state: %v", v)
	}
	waves := column(t, fig, "waves")
	for k := range 24 {
		if !(waves[k] == 0 && math.Abs(float64(waves[25+k]/waves[25]-1)) < 0.3) {
			t.Errorf("frequency %d: %g in the embedding, %g behind the block, the first %g", k+1, waves[k], waves[25+k], waves[25])
		}
	}
	strong := column(t, fig, "strong")
	if last := len(strong) - 1; strong[last] != 1 {
		t.Errorf("with all waves %g are right", strong[last])
	}
	if last := s.progress[len(s.progress)-1]; last[0] != last[1] || last[0] != s.parts {
		t.Errorf("progress ends at %v after %d parts", last, s.parts)
	}
	for _, gain := range []bool{true, false} {
		fig, s = run(t, "fourier_spectrum", analysis.Args{"m": mental(t), "show": "layers", "numbers": 199, "gain": gain})
		v, near, far := column(t, fig, "exact"), column(t, fig, "within2"), column(t, fig, "within10")
		if !(v[4] > 0.9 && v[3] < 0.2) {
			t.Errorf("gain %v: right by state: %v", gain, v)
		}
		for i := range v {
			if !(v[i] <= near[i] && near[i] <= far[i]) {
				t.Errorf("state %d: %g, %g, %g", i, v[i], near[i], far[i])
			}
		}
		checkHelixFigure(t, fig, s)
	}
}

// TestFourierFilterAtItsEnds takes the longest and the shortest period: one of the
// bands has no wave to remove, and the other all.
func TestFourierFilterAtItsEnds(t *testing.T) {
	for _, period := range []float64{100, 2} {
		fig, s := run(t, "fourier_filter", analysis.Args{"m": mental(t), "numbers": 100, "n": 4, "period": period})
		checkHelixFigure(t, fig, s)
		if len(fig.Badges) < 3 {
			t.Errorf("period %g: badges %+v", period, fig.Badges)
		}
		for _, b := range fig.Badges {
			if !b.OK || math.IsNaN(b.Value) {
				t.Errorf("period %g: %s is %g", period, b.Text, b.Value)
			}
		}
	}
}

func TestFourierRefusals(t *testing.T) {
	m := mental(t)
	small := m.Config
	small.OutVocab = 10
	few := modeltest.Random("few", small, 1)
	few.Tokenizer = m.Tokenizer
	for _, test := range []struct {
		name     string
		analysis string
		args     analysis.Args
		want     []string
	}{
		{"a period below 2", "fourier_filter", analysis.Args{"m": m, "numbers": 100, "period": 1.5}, []string{"1.5 is below 2"}},
		{"a period of no wave", "fourier_filter", analysis.Args{"m": m, "numbers": 100, "period": 7.0}, []string{"period 7", "100/k", "numbers=98 makes it one"}},
		{"an unknown argument", "fourier_filter", analysis.Args{"m": m, "tokens": 1}, []string{`fourier_filter has no argument "tokens"`}},
		{"nothing left", "fourier_filter", analysis.Args{"m": m, "numbers": 190, "period": 190.0}, []string{"nothing would be left", "fewer numbers"}},
		{"no tokenizer", "fourier_spectrum", analysis.Args{"m": modeltest.GPT2(1)}, []string{"no tokenizer"}},
		{"few number tokens", "fourier_spectrum", analysis.Args{"m": few}, []string{"few has 6 number tokens", "at least 10"}},
		{"too few numbers", "fourier_spectrum", analysis.Args{"m": m, "numbers": 5}, []string{"5 are too few", "at least 10"}},
		{"too many numbers", "fourier_spectrum", analysis.Args{"m": m, "numbers": 500}, []string{"500 is outside 0..199"}},
		{"an even number space", "fourier_spectrum", analysis.Args{"m": m, "numbers": 100, "basis": "paper"}, []string{"odd"}},
		{"a layer that is not there", "fourier_filter", analysis.Args{"m": m, "numbers": 100, "layers": []string{"4"}}, []string{`"4" is outside 0..3`}},
		{"no component", "fourier_filter", analysis.Args{"m": m, "numbers": 100, "components": []string{}}, []string{"no output is left"}},
		{"answers that are no number of the space", "fourier_spectrum", analysis.Args{"m": m, "show": "layers", "numbers": 20, "prompts": analysis.Prompts{
			Template: ablate.Template{Text: "{a}+{b}=", Operands: []ablate.Range{{Name: "a", Hi: 50}, {Name: "b", Hi: 50}}, Hi: 100}, Options: ablate.SetOptions{N: 20, Seed: 1, Keep: ablate.KeepAll},
		}}, []string{"is none of 0..19", "more numbers"}},
		{"a component of no kind", "fourier_filter", analysis.Args{"m": m, "numbers": 100, "components": []string{"neuron 2.1"}}, []string{`there is no "neuron 2.1" in 4 layers of 4 heads`, `"head 2.1"`}},
		{"a head that is not there", "fourier_filter", analysis.Args{"m": m, "numbers": 100, "components": []string{"head 2.4"}}, []string{`no "head 2.4"`}},
		{"a head without a layer", "fourier_filter", analysis.Args{"m": m, "numbers": 100, "components": []string{"head 2"}}, []string{`no "head 2"`}},
		{"an mlp's head", "fourier_filter", analysis.Args{"m": m, "numbers": 100, "components": []string{"mlp 2.1"}}, []string{`no "mlp 2.1"`}},
		{"a component twice", "fourier_filter", analysis.Args{"m": m, "numbers": 100, "components": []string{"mlp", "mlp 3"}}, []string{"mlp 3 is there twice"}},
		{"a head and its block", "fourier_filter", analysis.Args{"m": m, "numbers": 100, "components": []string{"head 2.1", "attn"}}, []string{"head 2.1 is a part of attn 2"}},
		{"layers of single components", "fourier_filter", analysis.Args{"m": m, "numbers": 100, "components": []string{"head 2.1"}, "layers": []string{"2"}}, []string{"name their layers themselves"}},
		{"an MLP of a model without", "fourier_filter", analysis.Args{"m": numberTower(t, 50), "numbers": 50, "components": []string{"mlp 0"}}, []string{`no "mlp 0"`}},
		{"a model that is not modular", "grokking", analysis.Args{"m": m}, []string{`"+"`, "no model of a + b mod p", "modadd-113"}},
		{"a circuit behind a norm", "grokking", analysis.Args{"m": normedAdder(t), "show": "circuit"}, []string{"final norm", `show="watch"`}},
		{"a frequency that is not there", "grokking", analysis.Args{"m": normedAdder(t), "frequencies": []int{3, 30}}, []string{"frequencies: 30", "from 1 to 29"}},
		{"a frequency twice", "grokking", analysis.Args{"m": normedAdder(t), "frequencies": []int{3, 3}}, []string{"frequencies: 3", "come once"}},
		{"losses over pairs that are not known", "grokking", analysis.Args{"m": normedAdder(t), "over": "test"}, []string{"normed has learned from is not known", `over="all"`}},
		{"no frames", "grokking", analysis.Args{"m": m, "frames": -1}, []string{"frames: -1", "-1 is below 0"}},
		{"no tiles", "grokking", analysis.Args{"m": m, "tiles": 0}, []string{"tiles: 0 is outside 1..8"}},
		{"a share above 1", "grokking", analysis.Args{"m": m, "threshold": 1.5}, []string{"1.5 is outside"}},
		{"a clock of a model that is not modular", "clock_or_pizza", analysis.Args{"m": m}, []string{"no model of a + b mod p"}},
		{"a directory that was not opened", "clock_or_pizza", analysis.Args{"m": m, "other": "./mine"}, []string{`other: want a model, got the text "./mine"`, `other=load("./mine")`}},
		{"digits of a model of whole numbers", "digit_addition", analysis.Args{"m": m, "digits": 2}, []string{`"02" at byte 3`, "add-5digit", `show="formats"`}},
		{"too many digits", "digit_addition", analysis.Args{"m": m, "digits": 10}, []string{"digits: 10 is outside 1..9"}},
		{"digits longer than the model reads", "digit_addition", analysis.Args{"m": fiveDigits(t), "digits": 6}, []string{"is 21 tokens, the model reads 18"}},
		{"no sums", "digit_addition", analysis.Args{"m": m, "n": 0}, []string{"n: 0 is outside"}},
		{"a chance above 1", "digit_addition", analysis.Args{"m": m, "nines": 1.5}, []string{"nines: 1.5 is outside"}},
		{"digits of a model without a tokenizer", "digit_addition", analysis.Args{"m": modeltest.Random("bare", m.Config, 1)}, []string{"no tokenizer"}},
		{"too many circles", "clock_or_pizza", analysis.Args{"m": m, "show": "circles", "circles": 17}, []string{"circles: 17 is outside 1..16"}},
		{"circles of no kind", "clock_or_pizza", analysis.Args{"m": m, "show": "circles", "by": "size"}, []string{`"size"`, "components"}},
		{"no triples", "clock_or_pizza", analysis.Args{"m": m, "triples": 0}, []string{"triples", "1 or more"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			said := refusal(t, test.analysis, test.args)
			for _, w := range test.want {
				if !strings.Contains(said, w) {
					t.Errorf("%q does not say %q", said, w)
				}
			}
		})
	}
}

// normedAdder is an untrained model of a + b mod 59 with norms.
func normedAdder(t *testing.T) *models.Model {
	t.Helper()
	m, err := zoo.Open("modadd-59-clock")
	if err != nil {
		t.Fatal(err)
	}
	cfg := m.Config
	cfg.Norm, cfg.NormEps = models.LayerNorm, 1e-5
	out := modeltest.Random("normed", cfg, 1)
	out.Tokenizer = m.Tokenizer
	return out
}

// refusal is what a call that must fail says, its hint behind it.
func refusal(t *testing.T, name string, args analysis.Args) string {
	t.Helper()
	a, err := analysis.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := a.Bind(args)
	if err == nil {
		_, err = a.Run(t.Context(), bound, (&stream{t: t}).emit())
	}
	if err == nil {
		t.Fatal("no error")
	}
	said := err.Error()
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		said += " / " + hinted.Hint()
	}
	return said
}
