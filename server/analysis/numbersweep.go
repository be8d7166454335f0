package analysis

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"orrery/ablate"
	"orrery/models"
	"orrery/probe"
)

// numberChoices are the numbers that activations are fitted by.
var numberChoices = []string{"a", "b", "a+b", "a-b", "a,b", "a,b,a+b"}

// numberParams declare which activations are fitted by which numbers. All
// functions that fit numbers share them.
func numberParams(of string) []Param {
	return []Param{
		{Name: "of", Type: TypeChoice, Default: of, Choices: numberChoices, Help: "the number, or the numbers side by side, that the activations are a function of"},
		{Name: "at", Type: TypeChoice, Default: "auto", Choices: []string{"auto", "a", "b", "last"}, Help: "the token that is read; auto is a's for a, b's for b, and the last for everything else"},
		{Name: "site", Type: TypeChoice, Default: "auto", Choices: []string{"auto", "resid_pre", "resid_post", "attn_out", "mlp_out"}, Help: "what is read there in every layer; auto is its input at an operand and its output at the last token, as in the paper"},
		{Name: "periods", Type: TypeFloats, Default: probe.DefaultPeriods(), Bounds: periodBounds(), Help: "of the helix' circles"},
	}
}

// numberKinds are the sites that numbers are read at.
var numberKinds = map[string]models.Kind{"resid_pre": models.ResidPre, "resid_post": models.ResidPost, "attn_out": models.AttnOut, "mlp_out": models.MLPOut}

// numberReading says what is read of prompts: which numbers, at which token and
// kind of site.
type numberReading struct {
	m        *models.Model
	of       string
	names    []string // of the numbers
	kind     models.Kind
	at       string // "a", "b", "last"
	position int
	periods  []float64
}

// readNumbers settles the parameters against the set's prompts, which have one
// length and one form.
func readNumbers(m *models.Model, a Args, set *ablate.PromptSet) (*numberReading, error) {
	r := &numberReading{m: m, of: a["of"].(string), at: a["at"].(string), periods: a["periods"].([]float64)}
	r.names = strings.Split(r.of, ",")
	if len(r.periods) == 0 {
		return nil, &hintError{"periods: 0 are given, 1 to 8 can be fitted", "the paper's are [2, 5, 10, 100]"}
	}
	need := 1
	if r.of != "a" {
		need = 2
	}
	for _, p := range set.Prompts {
		if n := len(p.Operands); n < need {
			return nil, &hintError{fmt.Sprintf("of: %q needs %d operands, and %d are known of %q", r.of, need, n, p.Text), "use a template with {a} and {b}"}
		}
	}
	operand := r.of == "a" || r.of == "b"
	if r.at == "auto" {
		r.at = "last"
		if operand {
			r.at = r.of
		}
	}
	site := a["site"].(string)
	if site == "auto" {
		site = "resid_post"
		if operand && r.at == r.of {
			site = "resid_pre"
		}
	}
	r.kind = numberKinds[site]
	if _, err := m.Site(models.Site{Layer: 0, Kind: r.kind}.String()); err != nil {
		return nil, err
	}
	var err error
	r.position, err = r.place(set.Prompts[0])
	return r, err
}

// place finds the token that is read.
func (r *numberReading) place(p ablate.Prompt) (int, error) {
	for i, name := range []string{"a", "b"} {
		var at []int
		for k, role := range p.Roles {
			if role.Kind == ablate.Operand && role.Index == i {
				at = append(at, k)
			}
		}
		if len(at) > 1 && r.at != "last" {
			return 0, &hintError{fmt.Sprintf("operand %s of %q is %d tokens: one activation cannot stand for it", name, p.Text, len(at)), "take operands below a smaller hi, or a model in which every number is one token"}
		}
		if r.at == name {
			if len(at) == 0 {
				return 0, fmt.Errorf("at: %q has no operand %s", p.Text, name)
			}
			return at[0], nil
		}
	}
	return len(p.IDs) - 1, nil
}

// values are the numbers of one prompt.
func (r *numberReading) values(p ablate.Prompt) []int {
	a, b := p.Operands[0], 0
	if len(p.Operands) > 1 {
		b = p.Operands[1]
	}
	out := make([]int, len(r.names))
	for i, name := range r.names {
		out[i] = map[string]int{"a": a, "b": b, "a+b": a + b, "a-b": a - b}[name]
	}
	return out
}

// site is what is read in a layer.
func (r *numberReading) site(layer int) models.Site { return models.Site{Layer: layer, Kind: r.kind} }

// sites is site as a list.
func (r *numberReading) sites(layer int) []models.Site { return []models.Site{r.site(layer)} }

// where says in words what is read.
func (r *numberReading) where() string {
	kind := models.Site{Layer: 0, Kind: r.kind}.String()
	token := "token " + r.at
	if r.at == "last" {
		token = "the last token"
	}
	return fmt.Sprintf("%s at %s", strings.TrimPrefix(kind, "blocks.0."), token)
}

// numberSweep is activations with their numbers.
type numberSweep struct {
	prompts []ablate.Prompt
	numbers []probe.Number
	layers  []*mat.Dense // [rows, D] each
}

// distinct keeps one prompt of those that are equal up to the position that is
// read: the model is causal, so that they leave the same activation there.
func (r *numberReading) distinct(prompts []ablate.Prompt) (out []ablate.Prompt) {
	seen := map[string]bool{}
	for _, p := range prompts {
		key := fmt.Sprint(p.IDs[:r.position+1])
		if !seen[key] {
			seen[key] = true
			out = append(out, p)
		}
	}
	return out
}

// sweep runs a model over prompts and keeps what is read in every layer.
func (r *numberReading) sweep(ctx context.Context, m *models.Model, prompts []ablate.Prompt) (*numberSweep, error) {
	s := &numberSweep{prompts: prompts}
	for _, name := range r.names {
		s.numbers = append(s.numbers, probe.Number{Name: name})
	}
	var rows [][]int
	for _, p := range prompts {
		rows = append(rows, p.IDs)
		for i, v := range r.values(p) {
			s.numbers[i].Values = append(s.numbers[i].Values, v)
		}
	}
	var sites []models.Site
	for l := range m.Config.Layers {
		sites = append(sites, r.site(l))
	}
	sweep, err := probe.SweepPrompts(ctx, m, rows, r.position, sites, func(int) error { return ctx.Err() })
	if err != nil {
		return nil, err
	}
	s.layers = sweep.Values
	return s, nil
}

// untrained is a model of the same form whose weights are those that a training
// would begin with: what the form alone, and random embeddings, explain.
func untrained(m *models.Model, seed uint64) (*models.Model, error) {
	return models.New(m.Config, models.InitParams(m.Config, seed))
}

// heldOut is a quarter of the values of the first number: one split for all
// layers, fits and models of a call.
func (s *numberSweep) heldOut(seed uint64) []int {
	return probe.HoldOutNumbers(s.numbers[0].Values, 0.25, seed)
}

// means averages the rows of each value of the first number, in ascending order.
func (s *numberSweep) means(layer int) (values []int, x *mat.Dense) {
	values = slices.Clone(s.numbers[0].Values)
	slices.Sort(values)
	values = slices.Compact(values)
	_, d := s.layers[layer].Dims()
	x = mat.NewDense(len(values), d, nil)
	count := make([]float64, len(values))
	for i, v := range s.numbers[0].Values {
		at, _ := slices.BinarySearch(values, v)
		count[at]++
		row := x.RawRowView(at)
		for j, y := range s.layers[layer].RawRowView(i) {
			row[j] += y
		}
	}
	for i, n := range count {
		row := x.RawRowView(i)
		for j := range row {
			row[j] /= n
		}
	}
	return values, x
}
