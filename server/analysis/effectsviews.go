package analysis

import (
	"context"
	"fmt"
	"math"
	"strings"

	"orrery/ablate"
	"orrery/viz"
)

// jointShares are the parts of the whole effect whose sets are named.
var jointShares = []float64{0.7, 0.8, 0.9, 0.95, 0.99}

// showShares draws DE/TE of every layer's attention and MLP. A component whose
// total effect is nothing to divide by, or not told from 0 by its own standard
// error, has no point.
func (r *effectsRun) showShares(ctx context.Context) error {
	L := r.m.Config.Layers
	x, labels := make([]float32, L), make([]string, L)
	for l := range L {
		x[l], labels[l] = float32(l), fmt.Sprint(l)
	}
	fig := &viz.Figure{
		Kind: viz.KindLines, Arrays: map[string]*viz.Array{"x": viz.Values(x, []string{"layer"}, L)},
		Scales: map[string]viz.Scale{
			"x": {Kind: viz.ScaleLinear, Hi: float64(L - 1), Label: "layer", Format: "%.0f"},
			"y": {Kind: viz.ScaleLinear, Hi: 1, Label: "direct effect / total effect", Format: "%.2f"},
		},
		Lines: &viz.Lines{X: "x", XScale: "x", YScale: "y", XLabels: labels},
	}
	for _, line := range [][2]string{{"mlp_share", "MLP"}, {"attn_share", "attention"}} {
		fig.Arrays[line[0]], fig.Arrays[line[0]+"_sem"] = viz.NewArray([]string{"layer"}, L), viz.NewArray([]string{"layer"}, L)
		fig.Lines.Series = append(fig.Lines.Series, viz.Series{Name: line[1], Y: line[0], Errors: line[0] + "_sem"})
	}
	r.begin(fig, L)
	var none []string
	for l := L - 1; l >= 0; l-- {
		e, err := r.measure(ctx, l, ablate.AttentionPart, ablate.MLPPart)
		if err != nil {
			return err
		}
		runs := map[string][]float64{}
		for _, n := range e.Nodes {
			key := string(n.Node.Part) + "_share"
			share, err := e.DirectShare(n)
			if total := e.Change(n.Total); err != nil || math.Abs(total.Mean) < 2*total.SEM {
				none = append(none, n.Node.String())
				fig.Arrays[key].State[l] = viz.Blank
				if sem := fig.Arrays[key+"_sem"]; sem != nil {
					sem.State[l] = viz.Blank
				}
				continue
			}
			runs[key], runs[key+"_sem"] = []float64{share}, []float64{e.DirectShareError(n)}
		}
		if err := r.part("y", runs, l); err != nil {
			return err
		}
	}
	fig.Caption = "1 is a component whose whole effect goes straight to the logits, 0 one that acts through others alone."
	if fig.Interval != nil {
		fig.Caption += " Bars are 95 % intervals, t times the jackknife's standard error over pairs."
	}
	if len(none) > 0 {
		fig.Caption += fmt.Sprintf(" Without a point, since their total effect is below %g or within two standard errors of 0: ", ablate.MinDenominator) + strings.Join(none, ", ") + "."
	}
	return nil
}

// jointParts are what joint patches, by its name.
var jointParts = map[string]ablate.Part{"heads": ablate.HeadPart, "mlps": ablate.MLPPart}

// showJoint draws the effect of the first k heads or MLPs, patched together.
func (r *effectsRun) showJoint(ctx context.Context) error {
	of := r.a["joint"].(string)
	nodes, err := ablate.Nodes(r.m, jointParts[of])
	if err != nil {
		return err
	}
	n := len(nodes) + 1
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i)
	}
	fig := &viz.Figure{
		Kind: viz.KindLines,
		Arrays: map[string]*viz.Array{
			"x": viz.Values(x, []string{"k"}, n), "joint": viz.NewArray([]string{"k"}, n), "joint_sem": viz.NewArray([]string{"k"}, n),
		},
		Scales: map[string]viz.Scale{"x": {Kind: viz.ScaleLinear, Hi: float64(n - 1), Label: map[string]string{"heads": "heads", "mlps": "MLPs"}[of] + " patched together", Format: "%.0f"}, "y": r.scale(viz.ScaleLinear)},
		Lines:  &viz.Lines{X: "x", XScale: "x", YScale: "y", Series: []viz.Series{{Name: "first k by total effect", Y: "joint", Errors: "joint_sem"}}},
	}
	r.begin(fig, 1)
	single, err := ablate.TotalAndDirect(ctx, r.m, r.pairs, ablate.EffectOptions{Nodes: nodes, Metric: r.change.metric})
	if err != nil {
		return err
	}
	curve, report, err := ablate.Joint(ctx, r.m, r.pairs, single.ByEffect(), r.change.metric, ablate.Budget{})
	r.report = single.Report.Plus(report)
	if err != nil {
		return err
	}
	runs := map[string][]float64{}
	for _, v := range curve.Values {
		s := r.of(single, v)
		runs["joint"], runs["joint_sem"] = append(runs["joint"], s.Mean), append(runs["joint_sem"], s.SEM)
		runs[each("joint")] = append(runs[each("joint")], differences(v, single.Base)...)
	}
	if err := r.part("y", runs, 0); err != nil {
		return err
	}
	sizes, err := curve.Shares(jointShares...)
	if err != nil {
		fig.Caption = err.Error() + "."
		return nil
	}
	var sets []string
	from := 0
	fig.Lines.Guides = jointGuides(sizes)
	for i, k := range sizes {
		text, also := fmt.Sprintf("%.0f %% with %d", 100*jointShares[i], k), ""
		if i > 0 {
			also = "also "
		}
		if k > from {
			text += " (" + also + nodeNames(curve.Order[from:k]) + ")"
		}
		sets, from = append(sets, text), k
	}
	fig.Caption = fmt.Sprintf("Of what all %d %s do together, the first reach %s.", len(nodes), map[string]string{"heads": "heads", "mlps": "MLPs"}[of], strings.Join(sets, ", "))
	return nil
}

// jointGuides mark the sizes of the sets that reach the shares; one line for shares
// that are reached at once.
func jointGuides(sizes []int) (guides []viz.Guide) {
	for i, k := range sizes {
		share := fmt.Sprintf("%.0f %%", 100*jointShares[i])
		if n := len(guides); n > 0 && guides[n-1].X == float64(k) {
			guides[n-1].Label = strings.TrimSuffix(guides[n-1].Label, " %") + ", " + share
			continue
		}
		guides = append(guides, viz.Guide{X: float64(k), Label: share})
	}
	return guides
}

// nodeNames lists components.
func nodeNames(nodes []ablate.Node) string {
	names := make([]string, len(nodes))
	for i, n := range nodes {
		names[i] = n.String()
	}
	return strings.Join(names, ", ")
}
