package ablate_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
)

// TestMoveAlongEdgesGolden moves the corrupted run's output along single edges into
// the clean run and compares the logit difference with that of the reference, for
// a share of all edges of every model. Outside of the cone nothing changes, and the
// run's own value changes nothing.
func TestMoveAlongEdgesGolden(t *testing.T) {
	eachEdgeReference(t, func(t *testing.T, g golden, _ bool) {
		want := g.read(t, "eap.exact")
		graph, err := ablate.NewEdgeGraph(g.model)
		if err != nil {
			t.Fatal(err)
		}
		c := g.contrasts(t, "pairs5")[0]
		var tries [][]ablate.Move
		var edges []ablate.Edge
		for i, e := range graph.Edges {
			if i%7 == 0 || i == len(graph.Edges)-1 {
				tries, edges = append(tries, []ablate.Move{{Site: graph.Name(e)}}), append(edges, e)
			}
		}
		v, err := ablate.StartMoved(context.Background(), g.model, c.Corrupted.IDs, c.Clean.IDs, ablate.MovedOptions{Tries: tries, Keep: streams(g.model)})
		if err != nil {
			t.Fatal(err)
		}
		T := len(c.Clean.IDs)
		difference := func(r *ablate.SeenRun) float64 {
			z := r.Logits.Sub(T - 1).Data
			return float64(z[c.Clean.Answer]) - float64(z[c.Corrupted.Answer])
		}
		for i, e := range edges {
			r, err := v.Run(context.Background(), tries[i])
			if err != nil {
				t.Fatal(err)
			}
			w := float64(want.At(0, e.Source, e.Destination))
			if d := difference(r) - difference(v.Corrupted); !(math.Abs(d-w) <= plainBound*(1+math.Abs(w))) {
				t.Errorf("%s changes the logit difference by %g, want %g", graph.Name(e), d, w)
			}
			if different, err := v.Rerun(context.Background(), tries[i], r); err != nil || different != 0 {
				t.Errorf("%s: %d logits differ from an exact re-run (%v)", graph.Name(e), different, err)
			}
			if own, err := v.Own(context.Background(), tries[i]); err != nil || own != 0 {
				t.Errorf("%s: own value back changes a logit by %g (%v)", graph.Name(e), own, err)
			}
			edits, err := v.Edits(context.Background(), tries[i])
			if err != nil {
				t.Fatal(err)
			}
			cone, err := ablate.Cone(g.model, edits, T, streams(g.model))
			if err != nil {
				t.Fatal(err)
			}
			if n, err := ablate.Outside(r, v.Corrupted, cone, streams(g.model)); err != nil || n != 0 {
				t.Errorf("%s: %d values outside of the cone differ (%v)", graph.Name(e), n, err)
			}
		}
	})
}

// TestMoveAlongEdgesRefuse: what is no edge of the model is refused by name.
func TestMoveAlongEdgesRefuse(t *testing.T) {
	eachEdgeReference(t, func(t *testing.T, g golden, linear bool) {
		if linear {
			return
		}
		for _, c := range []struct {
			move ablate.Move
			want string
		}{
			{ablate.Move{Site: "head 0.9 → logits"}, `no edge begins at "head 0.9"`},
			{ablate.Move{Site: "head 0.0->q 1"}, `no edge ends at "q 1"`},
			{ablate.Move{Site: "mlp 1 → mlp 0"}, "does not exist"},
			{ablate.Move{Site: "embed → mlp 0 → logits"}, "has 3 ends"},
			{ablate.Move{Site: "embed → mlp 0", Heads: []int{0}}, "give at alone"},
			{ablate.Move{Site: "embed → mlp 0", At: []int{9}}, "index 9 is outside"},
		} {
			_, err := ablate.StartMoved(context.Background(), g.model, []int{50, 1, 51, 3, 53}, []int{50, 2, 51, 3, 53}, ablate.MovedOptions{Tries: [][]ablate.Move{{c.move}}, Keep: []models.Site{}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v does not say %q", c.move.Site, err, c.want)
			}
		}
	})
}
