package probe_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"orrery/models/modeltest"
	"orrery/probe"
)

// TestCodaLens compares every state through the last 0..3 blocks with PyTorch. The
// reference's bound is 1e-6 in float64; a float32 run gets 1e-5.
func TestCodaLens(t *testing.T) {
	m, g, _ := toy(t)
	f := modeltest.OpenValues(t, modeltest.Reference(t, "probes", "05-lens", "toy_coda_and_attribution.safetensors"))
	for k := range m.Config.Layers + 1 {
		lens, err := probe.LogitLens(context.Background(), m, g.IDs, probe.LensOptions{Coda: k}, func(probe.LensRow) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if lens.LastRowError != 0 {
			t.Errorf("coda of %d: the state that the coda reads in the run decodes to its logits but for %g", k, lens.LastRowError)
		}
		for _, r := range lens.Rows {
			name := fmt.Sprintf("out.coda.k%d.%s", k, strings.TrimPrefix(r.State, "resid_post."))
			want, err := f.Float32(name)
			if err != nil {
				t.Fatal(err)
			}
			modeltest.Close(t, name, r.Logits, want, 1e-5, 1e-5)
		}
	}
}

func TestCodaRefuses(t *testing.T) {
	m, g, _ := toy(t)
	for want, opt := range map[string]probe.LensOptions{"4 blocks": {Coda: 4}, "-1 blocks": {Coda: -1}, "frozen scale": {Coda: 1, Frozen: true}} {
		if _, err := probe.LogitLens(context.Background(), m, g.IDs, opt, func(probe.LensRow) error { return nil }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	if _, err := probe.ComponentLens(context.Background(), m, g.IDs, probe.LensHeads, probe.LensOptions{Coda: 1}, func(probe.LensRow) error { return nil }); err == nil || !strings.Contains(err.Error(), "whole stream") {
		t.Errorf("a component through a coda: %v", err)
	}
}
