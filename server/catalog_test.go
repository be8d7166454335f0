package server_test

import (
	"errors"
	"testing"

	"orrery/models/zoo"
	"orrery/server"
)

// A step of a shipped model's training opens by its name, once, and is not
// listed beside the models.
func TestCatalogOpensCheckpoints(t *testing.T) {
	c := server.NewCatalog(t.TempDir())
	m, err := c.Open("modadd-113@7500")
	if err != nil || m.Name != "modadd-113@7500" {
		t.Fatalf("opened %v (%v)", m, err)
	}
	if again, err := c.Open("modadd-113@7500"); err != nil || again != m {
		t.Errorf("opened a second time (%v)", err)
	}
	if end, err := c.Open("modadd-113"); err != nil || end.Hash() == m.Hash() {
		t.Errorf("the finished model is the same as behind step 7500 (%v)", err)
	}
	var none *zoo.NoCheckpointError
	if _, err := c.Open("modadd-113@7501"); !errors.As(err, &none) {
		t.Errorf("got %v, want a NoCheckpointError", err)
	}
	list, err := c.List()
	if err != nil || len(list) != len(zoo.Names()) {
		t.Errorf("%d models listed (%v), want the %d shipped ones", len(list), err, len(zoo.Names()))
	}
}
