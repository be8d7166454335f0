package analysis

import (
	"context"
	"fmt"

	"orrery/models/tokenizer"
	"orrery/server/api"
	"orrery/viz"
)

// Emit takes what an analysis has to say while it runs. The functions are
// called from one goroutine and are never nil.
type Emit struct {
	// Progress says how much of the work is done, counted in unit ("layers").
	Progress func(done, total int, unit string)
	// Figure shows a figure, numbers pending, or replaces the one shown.
	Figure func(f *viz.Figure)
	// Part adds numbers to the figure shown.
	Part func(p viz.Part)
}

// Analysis is the declaration of one analysis.
type Analysis struct {
	// Name is the function's name in a cell.
	Name string
	// Title is the name in words, Summary one sentence, Paper the source.
	Title, Summary, Paper string
	// Example is a call that runs as it is with a shipped model.
	Example string
	// Version grows when the numbers change; keys of kept results name it (Key).
	Version int
	Params  []Param
	// ReadsFiles, where not nil, says of bound arguments that Run reads files beside
	// them, so that its result has no key.
	ReadsFiles func(a Args) bool
	// Run computes. It returns what it has, with the error, when stopped.
	Run func(ctx context.Context, a Args, emit Emit) (*viz.Figure, error)
}

// All returns every analysis, in the order of the reference page.
func All() []Analysis {
	return []Analysis{
		logitLens(),
		tunedLens(),
		lensTrajectory(),
		topTokens(),
		directAttribution(),
		attentionPatterns(),
		headDetectors(),
		causalMediation(),
		activationPatching(),
		effects(),
		knockout(),
		causalTrace(),
		integratedGradients(),
		edgeAttribution(),
		edgePatching(),
		pathPatching(),
		patchLens(),
		cama(),
		helix(),
		helixPatch(),
		headTypes(),
		neuronFits(),
		fourierSpectrum(),
		fourierFilter(),
		grokking(),
		clockOrPizza(),
		digits(),
	}
}

// Find returns the analysis of that name.
func Find(name string) (Analysis, error) {
	var names []string
	for _, a := range All() {
		if a.Name == name {
			return a, nil
		}
		names = append(names, a.Name)
	}
	return Analysis{}, &choiceError{what: "analysis", value: name, choices: names}
}

// Info describes every analysis for the page.
func Info() []api.AnalysisInfo {
	var infos []api.AnalysisInfo
	for _, a := range All() {
		infos = append(infos, a.Info())
	}
	return infos
}

// Info describes the analysis for the page.
func (a Analysis) Info() api.AnalysisInfo {
	info := api.AnalysisInfo{Name: a.Name, Title: a.Title, Summary: a.Summary, Paper: a.Paper, Example: a.Example}
	for _, p := range a.Params {
		info.Params = append(info.Params, p.Info())
	}
	return info
}

// tokenLabels returns what chips show for ids; without a tokenizer, the ids.
func tokenLabels(t *tokenizer.Tokenizer, ids []int) []string {
	labels := make([]string, len(ids))
	for i, id := range ids {
		if t == nil {
			labels[i] = fmt.Sprint(id)
		} else {
			labels[i] = t.Label(id)
		}
	}
	return labels
}
