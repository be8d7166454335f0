package zoo_test

import (
	"testing"

	"orrery/models/modeltest"
	"orrery/models/zoo"
)

// TestProperties holds every shipped model to the properties that every model has.
func TestProperties(t *testing.T) {
	for _, name := range zoo.Names() {
		t.Run(name, func(t *testing.T) {
			m, err := zoo.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			modeltest.Suite(t, m)
		})
	}
}
