package server_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"orrery/server"
	"orrery/server/api"
)

// TestHead reads the card of a head over HTTP, of a model that is a variable of
// the notebook, and says what to do where its model is gone.
func TestHead(t *testing.T) {
	s := start(t, server.Options{})
	s.write("a", code("m", `m = load("mental-2op").process()`, "c", `knockout(m, n=2, kind="zero")`))
	s.finish("a", api.RunRequest{All: true})
	at := func(route, query string) string {
		c := cell(t, s.snapshot("a"), "c")
		return fmt.Sprintf("%s/cells/c/outputs/%s/%s?%s", notebookPath("a"), c.Outputs[0].ID, route, query)
	}
	path := func(query string) string { return at("head", query) }
	card := call[api.HeadCard](s, "GET", path("panel=0&row=2&column=1&prompt=1"), nil)
	if card.Layer != 2 || card.Head != 1 || card.Prompt != 1 || len(card.Runs) != 1 || card.Runs[0].Pattern == "" {
		t.Errorf("card %+v", card)
	}
	direct := call[api.HeadDirect](s, "GET", at("head/direct", "panel=0&row=2&column=1"), nil)
	second := call[api.HeadCard](s, "GET", path("panel=0&row=2&column=1&prompt=0"), nil)
	if mean := (*card.Runs[0].Direct + *second.Runs[0].Direct) / 2; direct.N != 2 || len(direct.Runs) != 1 || !(math.Abs(direct.Runs[0].Direct-mean) <= 1e-5) || direct.Runs[0].SEM == nil {
		t.Errorf("direct %+v, the mean of two cards is %g", direct, mean)
	}
	if e := s.fail(400, "GET", at("head/direct", "panel=0&row=2"), nil); !strings.Contains(e.Message, `column=""`) {
		t.Errorf("error %+v", e)
	}
	for query, want := range map[string]string{
		"panel=0&row=2&column=1":           `prompt=""`,
		"panel=0&row=x&column=1&prompt=0":  `row="x"`,
		"panel=1&row=2&column=1&prompt=0":  "panel 1",
		"panel=0&row=99&column=1&prompt=0": "row 99",
	} {
		if e := s.fail(400, "GET", path(query), nil); !strings.Contains(e.Message, want) {
			t.Errorf("%s: %+v", query, e)
		}
	}
	if e := s.fail(404, "GET", notebookPath("a")+"/cells/c/outputs/no/head?panel=0&row=0&column=0&prompt=0", nil); !strings.Contains(e.Hint, "run again") {
		t.Errorf("error %+v", e)
	}
	// The server starts again: the variables are gone, and the model of that name has other weights.
	dir := s.dir
	s.stop()
	s = start(t, server.Options{Dir: dir})
	if e := s.fail(422, "GET", path("panel=0&row=2&column=1&prompt=1"), nil); !strings.Contains(e.Message, "other weights") || !strings.Contains(e.Hint, "run this cell again") {
		t.Errorf("error %+v", e)
	}
}
