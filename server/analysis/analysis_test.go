package analysis_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/zoo"
	"orrery/server/analysis"
	"orrery/viz"
)

func mental(t *testing.T) *models.Model {
	t.Helper()
	m, err := zoo.Open("mental-2op")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// stream records what an analysis emits, as a page would see it: figures and
// parts go through JSON.
type stream struct {
	t        *testing.T
	figures  []*viz.Figure
	shown    *viz.Figure // the first figure with all parts applied
	parts    int
	progress [][2]int
	stop     func()
}

func (s *stream) emit() analysis.Emit {
	return analysis.Emit{
		Progress: func(done, total int, unit string) {
			if unit == "" {
				s.t.Error("progress without a unit")
			}
			s.progress = append(s.progress, [2]int{done, total})
		},
		Figure: func(f *viz.Figure) {
			if err := f.Validate(); err != nil {
				s.t.Error(err)
			}
			c := throughJSON(s.t, f)
			s.figures = append(s.figures, c)
			if s.shown == nil {
				s.shown = c
			}
		},
		Part: func(p viz.Part) {
			s.parts++
			if err := s.shown.Apply(p); err != nil {
				s.t.Error(err)
			}
			if s.stop != nil {
				s.stop()
			}
		},
	}
}

func throughJSON(t *testing.T, f *viz.Figure) *viz.Figure {
	t.Helper()
	data, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var c viz.Figure
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	return &c
}

func run(t *testing.T, name string, args analysis.Args) (*viz.Figure, *stream) {
	t.Helper()
	a, err := analysis.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := a.Bind(args)
	if err != nil {
		t.Fatal(err)
	}
	s := &stream{t: t}
	fig, err := a.Run(context.Background(), bound, s.emit())
	if err != nil {
		t.Fatal(err)
	}
	return fig, s
}

// TestStream checks of every analysis what a page relies on: the first figure
// is all pending, its parts fill it completely, and the result is the last
// figure shown.
func TestStream(t *testing.T) {
	m := mental(t)
	for name, args := range map[string]analysis.Args{
		"logit_lens":          {"m": m, "prompt": "34+57=", "mid": true},
		"tuned_lens":          {"m": m, "prompt": "34+57=", "n": 16, "steps": 3},
		"causal_mediation":    {"m": m, "base": "34+57=", "source": "12+57="},
		"activation_patching": {"m": m, "n": 5, "hi": 30, "sweep": "block_every"},
		"cama":                {"m": m, "n": 10, "hi": 20},
		"lens_trajectory":     {"m": m, "prompt": "34+57=", "metric": "logit"},
	} {
		t.Run(name, func(t *testing.T) {
			fig, s := run(t, name, args)
			if len(s.figures) != 2 {
				t.Fatalf("%d figures shown, want the empty and the finished one", len(s.figures))
			}
			if first := throughJSON(t, s.figures[1]); !reflect.DeepEqual(first, throughJSON(t, fig)) {
				t.Error("the figure returned is not the last one shown")
			}
			for array, a := range fig.Arrays {
				shown := s.shown.Arrays[array]
				for i := range a.Data {
					v, state := a.At(i)
					got, gotState := shown.At(i)
					if state != viz.Done || gotState != viz.Done || math.Float32bits(v) != math.Float32bits(got) {
						t.Fatalf("%s[%d]: parts give %v (%v), the figure has %v (%v)", array, i, got, gotState, v, state)
					}
				}
			}
			if !reflect.DeepEqual(s.shown.Texts, s.figures[1].Texts) || !reflect.DeepEqual(s.shown.Scales, s.figures[1].Scales) {
				t.Error("parts do not give the figure's texts or scales")
			}
			last := s.progress[len(s.progress)-1]
			if last[0] != last[1] || last[0] != s.parts {
				t.Errorf("progress ends at %v after %d parts", last, s.parts)
			}
			for _, b := range fig.Badges {
				if !b.OK || b.Value != 0 && b.Text != "masked rows add up to 1" { // a sum of shares in float32 is 1 but for rounding; the rest is exact
					t.Errorf("badge %q: %g", b.Text, b.Value)
				}
			}
			if fig.Provenance.Hash != m.Hash() || len(fig.Provenance.PromptIDs) == 0 {
				t.Errorf("provenance %+v does not name model and prompt", fig.Provenance)
			}
		})
	}
}

func TestLensReadsTheAnswer(t *testing.T) {
	fig, _ := run(t, "logit_lens", analysis.Args{"m": mental(t), "prompt": "34+57="})
	rows, cols := len(fig.Tokens.Rows.Labels), len(fig.Tokens.Columns.Labels)
	if top := fig.Texts["top1"].Values[rows*cols-1]; top != "91" {
		t.Errorf("the last cell says %q, want 91", top)
	}
	want := []viz.TokenRole{viz.RoleBOS, viz.RoleOperandA, viz.RoleOperator, viz.RoleOperandB, viz.RoleEquals}
	if !reflect.DeepEqual(fig.Tokens.Columns.Roles, want) {
		t.Errorf("roles %v, want %v", fig.Tokens.Columns.Roles, want)
	}
	if fig.Tokens.Target[cols-1] != "91" || !strings.Contains(fig.Caption, "91") {
		t.Errorf("target %q, caption %q", fig.Tokens.Target[cols-1], fig.Caption)
	}
	prob, _ := fig.Arrays["prob"].At(rows*cols - 1)
	first, _ := fig.Arrays["top_prob"].At((rows*cols - 1) * fig.Arrays["top_prob"].Shape[2])
	if !(math.Abs(float64(prob-first)) <= 1e-6) {
		t.Errorf("the target's probability is %g, the top token's %g", prob, first)
	}
}

// TestMediationIsBlindBeforeTheDifference: up to the first token that
// differs, both runs are the same, so no cell may say anything.
func TestMediationIsBlindBeforeTheDifference(t *testing.T) {
	fig, _ := run(t, "causal_mediation", analysis.Args{"m": mental(t), "base": "34+57=", "source": "34+12=", "metric": "ie"})
	for _, p := range fig.Heatmap.Panels {
		a := fig.Arrays[p.Values]
		for i := range a.Data {
			if v, _ := a.At(i); i%a.Shape[1] < 3 && v != 0 {
				t.Errorf("%s: cell %d is %g before the prompts differ", p.Title, i, v)
			}
		}
	}
	s := fig.Scales[fig.Heatmap.Scale]
	if s.Lo != -s.Hi || !(s.Hi > 0) {
		t.Errorf("diverging scale runs from %g to %g", s.Lo, s.Hi)
	}
}

// TestTrajectoryEndsWhereTheModelDoes: the answer's line ends at rank 1, the
// control's does not, and every line has a point a state.
func TestTrajectoryEndsWhereTheModelDoes(t *testing.T) {
	fig, _ := run(t, "lens_trajectory", analysis.Args{"m": mental(t), "prompt": "34+57=", "tokens": []string{"91", "92"}, "control": "7", "metric": "rank"})
	n := len(fig.Lines.XLabels)
	var ends []float32
	for _, s := range fig.Lines.Series {
		v, state := fig.Arrays[s.Y].At(n - 1)
		if state != viz.Done {
			t.Errorf("%s has no last point", s.Name)
		}
		ends = append(ends, v)
	}
	last := fig.Lines.Series[len(ends)-1]
	if len(ends) != 3 || ends[0] != 1 || !(ends[2] > 2) || !last.Control || last.Name != "7 (control)" {
		t.Errorf("lines end at %v, the last is %+v", ends, last)
	}
}

func TestTopTokensTable(t *testing.T) {
	fig, s := run(t, "top_tokens", analysis.Args{"m": mental(t), "prompt": "99-98=", "top_k": 4})
	if fig.Table.Rows != 4 || fig.Texts["token"].Values[0] != "1" || len(s.figures) != 1 {
		t.Fatalf("table %+v of %v", fig.Table, fig.Texts["token"].Values)
	}
	p := fig.Arrays["prob"].Data
	if !(p[0] >= p[1] && p[1] >= p[2] && p[2] >= p[3]) {
		t.Errorf("probabilities %v are not in order", p)
	}
}

func TestStop(t *testing.T) {
	a, err := analysis.Find("causal_mediation")
	if err != nil {
		t.Fatal(err)
	}
	bound, err := a.Bind(analysis.Args{"m": mental(t), "base": "34+57=", "source": "12+57="})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &stream{t: t, stop: cancel}
	fig, err := a.Run(ctx, bound, s.emit())
	if !errors.Is(err, context.Canceled) || fig == nil {
		t.Fatalf("stopped with %v and figure %v", err, fig)
	}
	done := 0
	for _, name := range []string{"mlp", "attn"} {
		for i := range fig.Arrays[name].Data {
			if _, state := fig.Arrays[name].At(i); state != viz.Pending {
				done++
			}
		}
	}
	if done != 1 {
		t.Errorf("%d cells are done after one part, want 1", done)
	}
}

func TestRefusals(t *testing.T) {
	m := mental(t)
	for _, test := range []struct {
		name     string
		analysis string
		args     analysis.Args
		want     []string // in the message or its hint
	}{
		{"no prompt", "logit_lens", analysis.Args{"m": m}, []string{"prompt", "missing"}},
		{"empty prompt", "logit_lens", analysis.Args{"m": m, "prompt": " "}, []string{"empty", "34+57="}},
		{"unknown metric", "logit_lens", analysis.Args{"m": m, "prompt": "1+2=", "metric": "entrop"}, []string{"entrop", "one of entropy"}},
		{"unknown argument", "logit_lens", analysis.Args{"m": m, "promt": "1+2=", "prompt": "1+2="}, []string{"promt", "one of prompt"}},
		{"wrong type", "logit_lens", analysis.Args{"m": "mental-2op", "prompt": "1+2="}, []string{"want a model"}},
		{"no tokens to list", "logit_lens", analysis.Args{"m": m, "prompt": "1+2=", "top_k": 0}, []string{"top_k", "1 or more"}},
		{"number outside the vocabulary", "logit_lens", analysis.Args{"m": m, "prompt": "34+570="}, []string{"570"}},
		{"target of two tokens", "logit_lens", analysis.Args{"m": m, "prompt": "1+2=", "target": "1+"}, []string{"2 tokens", "single token"}},
		{"unequal prompts", "causal_mediation", analysis.Args{"m": m, "base": "1+2=", "source": "1+2"}, []string{"equal length"}},
		{"unknown component", "causal_mediation", analysis.Args{"m": m, "base": "1+2=", "source": "1+3=", "components": []string{"heads"}}, []string{"heads", "attn"}},
		{"one prompt of two", "activation_patching", analysis.Args{"m": m, "clean": "1+2="}, []string{"corrupted", "give both"}},
		{"unequal contrast", "activation_patching", analysis.Args{"m": m, "clean": "1+2=", "corrupted": "1+2"}, []string{"equal length"}},
		{"equal answers", "activation_patching", analysis.Args{"m": m, "clean": "1+4=", "corrupted": "2+3="}, []string{"both are token"}},
		{"nothing to divide by", "activation_patching", analysis.Args{"m": m, "clean": "1+4=", "corrupted": "2+3=", "metric": "rank"}, []string{"nothing to divide by", "normalise=False"}},
		{"unknown sweep", "activation_patching", analysis.Args{"m": m, "sweep": "resid"}, []string{"resid", "one of resid_"}},
		{"window of nothing", "activation_patching", analysis.Args{"m": m, "window": 0}, []string{"window", "1 or more"}},
		{"operands of two tokens", "activation_patching", analysis.Args{"m": m, "lo": 300, "hi": 310}, []string{"can be encoded"}},
		{"empty set", "activation_patching", analysis.Args{"m": m, "template": "{a}-{b}=", "lo": 5, "hi": 6, "n": 3, "keep": "all"}, []string{"no prompt", "partner"}},
		{"no operator to change", "activation_patching", analysis.Args{"m": m, "template": "{a}-{b}=", "change": "operator"}, []string{"no {op}"}},
		{"window beyond the layers", "cama", analysis.Args{"m": m, "show": "heads", "wait": 2, "transfer": 2}, []string{"4 blocks in all", "at most 4"}},
		{"half a window", "cama", analysis.Args{"m": m, "show": "heads", "wait": 2}, []string{"go together"}},
		{"no heads", "cama", analysis.Args{"m": m, "show": "heads", "wait": 2, "transfer": 0, "n": 4, "hi": 10}, []string{"no transfer block"}},
		{"no window", "cama", analysis.Args{"m": m, "show": "heads", "n": 40, "hi": 40}, []string{"No window keeps 95 %", "give wait and transfer"}},
		{"attention of no window", "cama", analysis.Args{"m": m, "show": "attention", "n": 4, "hi": 10}, []string{"needs a window"}},
		{"no prompts", "cama", analysis.Args{"m": m, "template": "{a}-{b}=", "lo": 3, "hi": 3}, []string{"3..3 is empty"}},
		{"threshold", "cama", analysis.Args{"m": m, "show": "grid", "n": 6, "hi": 10, "threshold": 2}, []string{"2 is outside (0, 1]", "it is 0.95"}},
		{"contexts that do not cover", "cama", analysis.Args{"m": m, "n": 20, "contexts": 10}, []string{"has no prompt with a token of 20 of the 20 prompts", "contexts=0"}},
		{"negative seed", "cama", analysis.Args{"m": m, "seed": -1}, []string{"seed", "0 or more"}},
		{"control of an indirect effect", "causal_mediation", analysis.Args{"m": m, "control": true, "metric": "ie"}, []string{"r = r′", `metric="changed"`}},
		{"control of one pair", "causal_mediation", analysis.Args{"m": m, "base": "1+2=", "source": "1+3=", "metric": "changed", "control": true}, []string{"pairs from a template"}},
		{"base without source", "causal_mediation", analysis.Args{"m": m, "base": "1+2="}, []string{"one is missing"}},
		{"layer outside", "causal_mediation", analysis.Args{"m": m, "layer": 4}, []string{"4 is outside 0..3", "-4..-1"}},
		{"answer of many", "causal_mediation", analysis.Args{"m": m, "base_answer": "3"}, []string{"answers of one pair"}},
		{"no band", "knockout", analysis.Args{"m": m, "show": "curve", "draws": 2, "n": 2, "hi": 10}, []string{"2 is below 5", "5 or more"}},
		{"nobody to resample", "knockout", analysis.Args{"m": m, "kind": "resample", "n": 1}, []string{"only one"}},
		{"a metric of pairs", "knockout", analysis.Args{"m": m, "metric": "logit_diff"}, []string{"no other", `"margin"`}},
		{"effects of equal answers", "effects", analysis.Args{"m": m, "change": "result", "metric": "logit_diff", "n": 2, "hi": 10}, []string{"both are token"}},
		{"a period below 2", "helix", analysis.Args{"m": m, "periods": []float64{1.5, 10}}, []string{"1.5 is below 2", "[2, 5, 10, 100]"}},
		{"no periods", "helix", analysis.Args{"m": m, "periods": []float64{}}, []string{"0 are given", "1 to 8"}},
		{"four parameters", "helix", analysis.Args{"m": m, "show": "layers", "parameters": 4}, []string{"parameters: 4", "up to 9"}},
		{"two numbers in space", "helix", analysis.Args{"m": m, "of": "a,b"}, []string{"draws one number"}},
		{"a layer that is not there", "helix", analysis.Args{"m": m, "layer": 4}, []string{"4 is outside 0..3"}},
		{"fewer numbers than features", "helix", analysis.Args{"m": m, "hi": 8, "show": "layers"}, []string{"exact for any activations", "wider range"}},
		{"one operand", "helix", analysis.Args{"m": m, "template": "{a}+1=", "of": "a+b"}, []string{"needs 2 operands", "{a} and {b}"}},
		{"hands of another form", "helix", analysis.Args{"m": m, "show": "clock", "prompt": "1+2", "n": 50}, []string{"4 tokens", "as the template does"}},
		{"five parameters of one period", "helix_patch", analysis.Args{"m": m, "periods": []float64{10}, "parameters": 5}, []string{"parameters: 5", "up to 3"}},
		{"no pairs", "helix_patch", analysis.Args{"m": m, "pairs": 0}, []string{"pairs", "1 or more"}},
		{"no unseen source", "helix_patch", analysis.Args{"m": m, "n": 1}, []string{"held out", "larger n"}},
		{"a metric that is not there", "helix_patch", analysis.Args{"m": m, "metric": "ld_max"}, []string{"ld_max"}},
		{"no heads to type", "head_types", analysis.Args{"m": m, "top": 0}, []string{"top", "1 or more"}},
		{"a negative number of heads", "head_types", analysis.Args{"m": m, "mixed": -2}, []string{"mixed: -2"}},
		{"a grid with two operators", "neuron_fits", analysis.Args{"m": m, "template": "{a}{op}{b}=", "hi": 5}, []string{"of the grid's 5 by 5", "without {op}"}},
		{"a grid without answers", "neuron_fits", analysis.Args{"m": m, "template": "{a}-{b}=", "hi": 5}, []string{"of the grid's 5 by 5"}},
		{"a grid with fewer points than waves", "neuron_fits", analysis.Args{"m": m, "hi": 2, "n": 4, "pairs": 2}, []string{"exact for any neuron", "wider range"}},
		{"a huge grid", "neuron_fits", analysis.Args{"m": m, "hi": 1000}, []string{"200 by 200"}},
		{"more neurons than there are", "neuron_fits", analysis.Args{"m": m, "top": 5000}, []string{"5000 is outside 0..1344"}},
		{"head without a layer", "attention", analysis.Args{"m": m, "prompt": "1+2=", "head": 1}, []string{"of which layer", "layer=0"}},
		{"head outside", "attention", analysis.Args{"m": m, "prompt": "1+2=", "layer": 0, "head": 4}, []string{"4 is outside 0..3"}},
		{"a prompt of one token", "head_detectors", analysis.Args{"m": m, "prompt": []int{0}}, []string{"1 tokens", "longer"}},
		{"attribution of nothing", "dla", analysis.Args{"m": m, "prompt": "1+2=", "answer": "3", "incorrect": "3"}, []string{"difference is 0"}},
		{"position outside", "dla", analysis.Args{"m": m, "prompt": "1+2=", "position": 5}, []string{"5 is outside", "-5..4"}},
		{"a coda of more blocks than there are", "logit_lens", analysis.Args{"m": m, "prompt": "1+2=", "coda": 5}, []string{"coda lens: 5 blocks", "0..4"}},
		{"a coda by the frozen scale", "logit_lens", analysis.Args{"m": m, "prompt": "1+2=", "coda": 1, "scale": "frozen"}, []string{"frozen scale"}},
		{"a coda of components", "logit_lens", analysis.Args{"m": m, "prompt": "1+2=", "coda": 1, "of": "heads"}, []string{"coda", `of="resid"`}},
		{"a trajectory through a coda below 0", "lens_trajectory", analysis.Args{"m": m, "prompt": "1+2=", "coda": -1}, []string{"coda: -1 is below 0"}},
		{"no steps of a tuned lens", "tuned_lens", analysis.Args{"m": m, "prompt": "1+2=", "steps": 0}, []string{"steps", "1 or more"}},
		{"few prompts for a tuned lens", "tuned_lens", analysis.Args{"m": m, "prompt": "1+2=", "n": 3}, []string{"3 prompts", "at least 8"}},
		{"mid of heads", "logit_lens", analysis.Args{"m": m, "prompt": "1+2=", "of": "heads", "mid": true}, []string{"mid", `of="resid"`}},
		{"edit of no site", "dla", analysis.Args{"m": m, "prompt": "1+2=", "edits": []models.Edit{{Site: "blocks.7.hook_mlp_out", Op: models.Set, Value: models.Number(0)}}}, []string{"edits", "layer 7"}},
		{"no component", "causal_mediation", analysis.Args{"m": m, "base": "1+2=", "source": "1+3=", "components": []string{}}, []string{"empty"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, err := analysis.Find(test.analysis)
			if err != nil {
				t.Fatal(err)
			}
			bound, err := a.Bind(test.args)
			if err == nil {
				_, err = a.Run(context.Background(), bound, (&stream{t: t}).emit())
			}
			if err == nil {
				t.Fatal("no error")
			}
			said := err.Error()
			var hinted interface{ Hint() string }
			if errors.As(err, &hinted) {
				said += " / " + hinted.Hint()
			}
			for _, w := range test.want {
				if !strings.Contains(said, w) {
					t.Errorf("%q does not say %q", said, w)
				}
			}
		})
	}
}

func TestFindUnknown(t *testing.T) {
	_, err := analysis.Find("logitlens")
	var hinted interface{ Hint() string }
	if !errors.As(err, &hinted) || !strings.HasPrefix(hinted.Hint(), "one of logit_lens") {
		t.Errorf("unknown analysis: %v", err)
	}
}
