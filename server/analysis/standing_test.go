package analysis_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/zoo"
	"orrery/server/analysis"
	"orrery/viz"
)

// stands is what holds an analysis up: the tests in which it, or the method that
// it draws, finds a planted structure, and those in which it finds nothing where
// there is nothing; the badges that its figures carry; what of their provenance
// applies. planted and null are package and test; a method without a question to
// answer, such as one that lists what a model says, has none and says why.
type stands struct {
	planted, null string
	// args are those of a small call of it.
	args func(t *testing.T) analysis.Args
	// badges are texts of them, in part.
	badges []string
	// sampled says that prompts or anything else are drawn by a seed, n that numbers
	// are means over them, and what else there is to say.
	sampled, n, metric, direction, ablation bool
	means                                   string // the words that say what means are over
}

func standing() map[string]stands {
	small := func(more analysis.Args) func(t *testing.T) analysis.Args {
		return func(t *testing.T) analysis.Args {
			args := analysis.Args{"m": mental(t)}
			for k, v := range more {
				args[k] = v
			}
			return args
		}
	}
	grokked := func(more analysis.Args) func(t *testing.T) analysis.Args {
		return func(t *testing.T) analysis.Args {
			m, err := zoo.Open("modadd-59-pizza")
			if err != nil {
				t.Fatal(err)
			}
			args := analysis.Args{"m": m}
			for k, v := range more {
				args[k] = v
			}
			return args
		}
	}
	planted := func(more analysis.Args) func(t *testing.T) analysis.Args {
		return func(t *testing.T) analysis.Args { return clockArgs(t, more) }
	}
	prompt := analysis.Args{"prompt": "34+57="}
	exact := []string{"own value = no change", "whole stream = ", "re-run = full pass"}
	return map[string]stands{
		"logit_lens":      {planted: "probe.TestLensPlanted", null: "probe.TestLensPlanted", args: small(prompt), badges: []string{"last layer = logits"}, metric: true},
		"lens_trajectory": {planted: "probe.TestLensPlanted", null: "probe.TestLensPlanted", args: small(analysis.Args{"prompt": "34+57=", "metric": "rank"}), metric: true},
		"top_tokens":      {args: small(prompt)},
		"dla":             {planted: "probe.TestDirectAttributionPlanted", null: "probe.TestDirectAttributionPlanted", args: small(prompt), badges: []string{"bars"}},
		"attention":       {args: small(prompt), badges: []string{"rows add up to 1"}},
		"head_detectors": {planted: "analysis.TestHeadDetectorsFindTheCopyHead", null: "analysis.TestHeadDetectorsOnUniformAttention",
			args: small(prompt), badges: []string{"rows add up to 1"}},
		"causal_mediation": {planted: "ablate.TestMediateFindsThePlantedHead", null: "ablate.TestMediateNull",
			args: small(analysis.Args{"n": 4, "hi": 20}), badges: exact, sampled: true, n: true, metric: true},
		"activation_patching": {planted: "ablate.TestPatchFindsThePlantedHead", null: "ablate.TestPatchNull",
			args: small(analysis.Args{"n": 4, "hi": 20, "sweep": "resid_pre"}), badges: exact, sampled: true, n: true, metric: true, direction: true},
		"effects": {planted: "ablate.TestDirectEffectOfThePlantedHead", null: "ablate.TestEffectsNull",
			args: small(analysis.Args{"n": 4, "hi": 20}), badges: []string{"re-run = full pass", "last MLP: direct = total"}, sampled: true, n: true, metric: true},
		"knockout": {planted: "ablate.TestKnockoutFindsThePlantedHead", null: "ablate.TestKnockoutNull",
			args: small(analysis.Args{"n": 4, "hi": 20, "reference": 8}), badges: []string{"own value = no change", "re-run = full pass"}, sampled: true, n: true, metric: true, ablation: true, means: "mean over 8 prompts of the template"},
		"causal_trace": {planted: "ablate.TestCausalTraceOfThePlantedHead", null: "ablate.TestCausalTraceOfThePlantedHead",
			args: small(analysis.Args{"n": 4, "hi": 20}), badges: []string{"re-run = full pass"}, sampled: true, n: true, metric: true},
		"integrated_gradients": {planted: "ablate.TestIntegratedPatchOfALinearModel", null: "ablate.TestIntegratedPatchIsComplete",
			args: small(analysis.Args{"n": 3, "hi": 20, "steps": 4}), sampled: true, n: true, metric: true},
		"edge_attribution": {planted: "ablate.TestEdgesOfThePlantedHead", null: "ablate.TestEdgesOfThePlantedHead",
			args: small(analysis.Args{"n": 3, "hi": 20}), sampled: true, n: true, metric: true},
		"path_patching": {planted: "ablate.TestPathOfThePlantedHead", null: "ablate.TestPathOfThePlantedHead",
			args: small(analysis.Args{"n": 2, "hi": 20, "freeze": "heads_and_mlps"}), badges: []string{"re-run = full pass", "path = direct effect"}, sampled: true, n: true, metric: true},
		"edge_patching": {planted: "ablate.TestEdgesOfThePlantedHead", null: "ablate.TestEdgesOfThePlantedHead",
			args: small(analysis.Args{"n": 2, "hi": 20}), badges: []string{"re-run = full pass"}, sampled: true, n: true, metric: true},
		"tuned_lens": {planted: "probe.TestFitTunedLens", null: "probe.TestFitTunedLens",
			args: small(analysis.Args{"prompt": "34+57=", "n": 8, "hi": 20, "steps": 2}), badges: []string{"last layer = logits"}, sampled: true},
		"patch_lens": {planted: "ablate.TestMovesFindThePlantedHead", null: "analysis.TestPatchLensOfOneRun",
			args: small(analysis.Args{"clean": "34+57=", "corrupted": "12+57="}), badges: []string{"last layer = logits"}},
		"cama": {planted: "ablate.TestAllForOneFindsThePlantedWindow", null: "ablate.TestAllForOneNull",
			args:   small(analysis.Args{"n": 6, "hi": 15}),
			badges: []string{"re-run = full pass", "CAMA of the embedding", "later tokens", "masks of nothing", "masked rows"}, sampled: true, n: true, metric: true, means: "means: over 225 contexts"},
		"helix": {planted: "analysis.TestHelixFindsThePlanted", null: "probe.TestHelixNull", args: planted(analysis.Args{"layer": 0}), badges: []string{"residual orthogonal", "minimum norm"}, sampled: true},
		"helix_patch": {planted: "analysis.TestHelixPatch", null: "analysis.TestHelixPatch",
			args: planted(analysis.Args{"pairs": 6}), badges: exact, sampled: true, n: true, metric: true},
		"head_types": {planted: "analysis.TestHeadTypesFindThePlanted", null: "analysis.TestHeadTypesFindThePlanted",
			args: planted(analysis.Args{"pairs": 6}), badges: exact, sampled: true, n: true},
		"neuron_fits": {planted: "analysis.TestNeuronFitsFindThePlanted", null: "probe.TestNeuronPlanted",
			args: planted(analysis.Args{"pairs": 6, "top": 4, "n": 50, "hi": 30}), badges: exact, sampled: true},
		"fourier_spectrum": {planted: "analysis.TestSpectrumPlantedAndNull", null: "analysis.TestSpectrumPlantedAndNull",
			args: small(nil), badges: []string{"F is orthonormal", "Parseval"}, sampled: true},
		"fourier_filter": {planted: "analysis.TestFilterPlanted", null: "analysis.TestFilterNull",
			args: small(analysis.Args{"n": 20, "hi": 50, "numbers": 100}), badges: []string{"P² = P", "removed waves are gone"}, sampled: true, n: true},
		"grokking": {planted: "probe.TestProgressPlanted", null: "analysis.TestGrokkingNull",
			args: grokked(analysis.Args{"tiles": 1, "frames": 1}), badges: []string{"Parseval", "P² = P", "restricted + excluded"}},
		"digit_addition": {planted: "analysis.TestDigitsPlanted", null: "analysis.TestDigitsNull",
			args: func(t *testing.T) analysis.Args { return analysis.Args{"m": fiveDigits(t), "n": 20} }, badges: []string{"tasks = runs = all"}, sampled: true},
		"clock_or_pizza": {planted: "probe.TestClockPizzaPlanted", null: "analysis.TestGrokkingNull",
			args: grokked(analysis.Args{"triples": 10}), badges: []string{"within + between"}, sampled: true},
	}
}

// tests lists the tests of the packages that analyses and methods are in.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for pkg, dir := range map[string]string{"analysis": ".", "probe": "../../probe", "ablate": "../../ablate"} {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no tests in %s: %v", dir, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, text, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Test") {
					found[pkg+"."+fn.Name.Name] = true
				}
			}
		}
	}
	return found
}

// TestEveryAnalysisStands: each has a test with a planted answer and one without,
// and its figures carry their badges and say what they were made of: model and
// hash, basis, parameters with their defaults, prompts by their ids, and where it
// applies the seed and how the prompts came about, n, the metric, the direction,
// the ablation and what its means are over.
func TestEveryAnalysisStands(t *testing.T) {
	all, found := standing(), tests(t)
	for _, a := range analysis.All() {
		s, ok := all[a.Name]
		if !ok {
			t.Errorf("%s: say what holds it up", a.Name)
			continue
		}
		delete(all, a.Name)
		for _, name := range []string{s.planted, s.null} {
			if name != "" && !found[name] {
				t.Errorf("%s: there is no %s", a.Name, name)
			}
		}
		t.Run(a.Name, func(t *testing.T) { s.check(t, a) })
	}
	for name := range all {
		t.Errorf("%s is no analysis", name)
	}
}

func (s stands) check(t *testing.T, a analysis.Analysis) {
	fig, _ := run(t, a.Name, s.args(t))
	p := fig.Provenance
	if p.Analysis != a.Name || p.Version != a.Version || p.Program == "" || p.Kernel == "" || p.Tolerance <= 0 {
		t.Errorf("provenance %q version %d, program %q, kernel %q, tolerance %g", p.Analysis, p.Version, p.Program, p.Kernel, p.Tolerance)
	}
	m := s.args(t)["m"].(*models.Model)
	if p.Model != m.Name || p.Hash != m.Hash() || len(p.Hash) < 40 || p.Basis != m.Basis() || p.Basis == "" {
		t.Errorf("model %q, hash %q, basis %q", p.Model, p.Hash, p.Basis)
	}
	for _, param := range a.Params {
		if _, ok := p.Params[param.Name]; !ok && param.Default != nil && param.Name != "edits" {
			t.Errorf("the parameter %s is not said", param.Name)
		}
	}
	for _, want := range s.badges {
		if !holdsBadge(fig, want) {
			t.Errorf("no badge %q that holds among %+v", want, fig.Badges)
		}
	}
	if s.sampled && p.Seed == nil {
		t.Error("no seed is said")
	}
	if _, set := p.Params["template"]; set && s.sampled && p.Prompts != "" && !strings.Contains(p.Prompts, " tried") {
		t.Errorf("how the prompts came about is not said: %q", p.Prompts)
	}
	if s.n && !strings.Contains(fig.Subtitle, "n = ") {
		t.Errorf("n is not said: %q", fig.Subtitle)
	}
	if v := fmt.Sprint(p.Params["metric"]); s.metric && (v == "" || v == "<nil>") {
		t.Errorf("no metric in %v", p.Params)
	}
	if v := fmt.Sprint(p.Params["direction"]); s.direction && (v == "<nil>" || !strings.Contains(fig.Subtitle, "values are put into the")) {
		t.Errorf("direction %s, %q", v, fig.Subtitle)
	}
	if v := fmt.Sprint(p.Params["kind"]); s.ablation && (v == "<nil>" || !strings.Contains(fig.Subtitle, "put in")) {
		t.Errorf("ablation %s, %q", v, fig.Subtitle)
	}
	if words := strings.ToLower(fig.Subtitle + " " + fig.Caption); s.means != "" && !strings.Contains(words, s.means) {
		t.Errorf("what means are over is not said: %q", words)
	}
}

func holdsBadge(fig *viz.Figure, text string) bool {
	for _, b := range fig.Badges {
		if strings.Contains(b.Text, text) && b.OK && b.Help != "" && b.Value == b.Value {
			return true
		}
	}
	return false
}

// TestFilterNull: a model that never learned keeps what it has by chance under
// every filter, no band stands out, and the figure says so.
func TestFilterNull(t *testing.T) {
	null := modeltest.Random("null", mental(t).Config, 3)
	null.Tokenizer = mental(t).Tokenizer
	fig, _ := run(t, "fourier_filter", analysis.Args{"m": null, "n": 40, "hi": 50, "numbers": 100, "keep": "all"})
	for i, v := range column(t, fig, "accuracy") {
		if v == v && v > 0.1 { // of 40 prompts with 190 answers each
			t.Errorf("%s: %g are right", fig.Texts["filter"].Values[i], v)
		}
	}
}
