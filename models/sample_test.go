package models_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// TestSamplingRules holds the rules and their order to what transformers'
// generate makes of the same logits before it draws.
func TestSamplingRules(t *testing.T) {
	b, err := os.ReadFile("testdata/sampling/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Cases map[string]struct {
			Settings struct {
				Temperature float64 `json:"temperature"`
				TopK        int     `json:"top_k"`
				TopP        float64 `json:"top_p"`
				Repetition  float64 `json:"repetition_penalty"`
			} `json:"settings"`
			Rows int `json:"rows"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	f := openFile(t, "testdata/sampling/golden.safetensors")
	logits := floats(t, f, "logits")
	ids, shape := ints(t, f, "ids")
	if len(golden.Cases) < 14 {
		t.Fatalf("%d cases", len(golden.Cases))
	}
	for name, c := range golden.Cases {
		s := models.Sampling{Temperature: c.Settings.Temperature, TopK: c.Settings.TopK, TopP: c.Settings.TopP, Repetition: c.Settings.Repetition}
		if s.Temperature == 0 {
			s.Temperature = 1 // transformers' default: it samples
		}
		want := floats(t, f, name+".logits").Clone()
		got := tensor.New(want.Shape...)
		for r := range c.Rows {
			for i, v := range s.Apply(logits.Sub(r).Data, ids[r*shape[1]:(r+1)*shape[1]]) {
				w := want.At(r, i)
				if math.IsInf(float64(w), -1) != math.IsInf(v, -1) {
					t.Errorf("%s: row %d, token %d is %g, want %g", name, r, i, v, w)
				}
				if !math.IsInf(float64(w), -1) {
					got.Set(float32(v), r, i)
				} else {
					want.Set(0, r, i)
				}
			}
		}
		modeltest.Close(t, name, got, want, 1e-6, 1e-6)
	}
}
