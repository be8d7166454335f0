package analysis

import (
	"fmt"

	"orrery/ablate"
)

// Nameless is the name of a metric that was given as a lambda.
const Nameless = "metric"

// MetricFunc is a metric of the reader's own, in place of one by name.
type MetricFunc struct {
	// Name is the function's, for axes and provenance.
	Name string
	// Of measures a run of a pair; the corrupted prompt of a single one is empty.
	// It must give a finite number. One that fails ends the context of the run.
	Of func(r ablate.Readout, pair ablate.Contrast) float64
}

// metricParam declares a metric by name or a function; first are names of an
// analysis' own.
func metricParam(standard, help string, first ...string) Param {
	p := Param{Name: "metric", Type: TypeMetric, Default: standard, Choices: first, Help: help + "; or a function f(logits, pair) of a cell"}
	for _, m := range ablate.Metrics() {
		p.Choices = append(p.Choices, m.Name)
	}
	return p
}

// metricOf is the metric of a call on pairs, in the order in which the analysis
// numbers them.
func metricOf(a Args, contrasts []ablate.Contrast) (ablate.Metric, error) {
	return metricNamed(a, "metric", contrasts)
}

// metricNamed is metricOf for a parameter of another name.
func metricNamed(a Args, name string, contrasts []ablate.Contrast) (ablate.Metric, error) {
	switch f := a[name].(type) {
	case MetricFunc:
		return ablate.Metric{Name: f.Name, Label: f.Name + "(logits, pair)", Of: func(r ablate.Readout) float64 { return f.Of(r, contrasts[r.Row]) }}, nil
	case string:
		return ablate.MetricByName(f)
	}
	return ablate.Metric{}, &hintError{fmt.Sprintf("%s is neither a name nor a function", name), fmt.Sprintf("write %s=\"logit_diff\"", name)}
}

// singly are prompts as contrasts without a corrupted side.
func singly(prompts []ablate.Prompt) (out []ablate.Contrast) {
	for _, p := range prompts {
		out = append(out, ablate.Contrast{Clean: p})
	}
	return out
}
