package script_test

import (
	"testing"

	"orrery/server/analysis"
)

// TestExamples runs every analysis' example as a cell: it must run as it is.
func TestExamples(t *testing.T) {
	for _, a := range analysis.All() {
		t.Run(a.Name, func(t *testing.T) {
			if _, _, err := run(t, a.Example); err != nil {
				t.Error(err)
			}
		})
	}
}
