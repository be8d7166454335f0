package analysis

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// publishedRuns are measurements of the paper's own runs; rows by attention
// coefficient, ascending.
type publishedRuns struct {
	attention, symmetricity, distance, circularity []float64
}

// publishedText is a part of the authors' table of runs, rounded; its head says
// which.
//
//go:embed pizzaruns.csv
var publishedText string

func readPublishedRuns() (*publishedRuns, error) {
	p := &publishedRuns{}
	for _, line := range strings.Split(strings.TrimSpace(publishedText), "\n") {
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "attention") {
			continue
		}
		fields := strings.Split(line, ",")
		if len(fields) != 4 {
			return nil, fmt.Errorf("published runs: line %q", line)
		}
		for i, to := range []*[]float64{&p.attention, &p.symmetricity, &p.distance, &p.circularity} {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("published runs: %w", err)
			}
			*to = append(*to, v)
		}
	}
	return p, nil
}

// near is the medians of symmetricity and distance irrelevance over the runs whose
// attention coefficient lies in [lo, hi].
func (p *publishedRuns) near(lo, hi float64) (symmetricity, distance float64) {
	var s, d []float64
	for i, v := range p.attention {
		if v >= lo && v <= hi {
			s, d = append(s, p.symmetricity[i]), append(d, p.distance[i])
		}
	}
	return median(s), median(d)
}

// median of values, 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
