package probe

import (
	"math"
	"sort"

	"orrery/models"
	"orrery/models/tensor"
)

// Metric names one number that the lens reads at a state and position.
type Metric string

// The metrics of the logit lens. z are the state's logits, p = softmax(z),
// q the final distribution, t the target and a the anti-target.
const (
	// Probability is p(t).
	Probability Metric = "prob"
	// Logit is z(t).
	Logit Metric = "logit"
	// Rank is #{v : z(v) ≥ z(t)}: 1 is best, ties count against the target.
	Rank Metric = "rank"
	// Entropy is -Σ p ln p, in nats.
	Entropy Metric = "entropy"
	// KL is KL(q ‖ p), the final distribution against the state's, in nats.
	KL Metric = "kl"
	// LogProbDiff is ln p(t) - ln p(a), in nats.
	LogProbDiff Metric = "logprob_diff"
	// KLReverse is KL(p ‖ q), the state's distribution against the final one, in
	// nats; a row has it only where LensOptions.Divergences asks.
	KLReverse Metric = "kl_reverse"
	// JS is ½ KL(p ‖ m) + ½ KL(q ‖ m) with m = (p+q)/2, in nats, 0..ln 2; as above.
	JS Metric = "js"
)

// Metrics lists the metrics that every row has, in the order in which a switch
// shows them.
var Metrics = [...]Metric{Probability, Logit, Rank, Entropy, KL, LogProbDiff}

// reference is what every row is compared with: the final distribution and
// the tokens that are followed.
type reference struct {
	target, anti []int
	// logq holds ln q, [T,V] in float64.
	logq [][]float64
}

func newReference(final *tensor.Dense, target, anti []int) *reference {
	r := &reference{target: target, anti: anti}
	for p := range final.Dim(0) {
		r.logq = append(r.logq, models.LogProbs(final.Sub(p).Data))
	}
	return r
}

// read computes the top tokens and every metric of one state's logits [T,V],
// in float64.
func (r *reference) read(logits *tensor.Dense, opt LensOptions) LensRow {
	n := logits.Dim(0)
	row := LensRow{Logits: logits, Values: map[Metric][]float64{}}
	for _, m := range Metrics {
		row.Values[m] = make([]float64, n)
	}
	for p := range n {
		z := logits.Sub(p).Data
		logp := models.LogProbs(z)
		t, a := stand(z, logp, r.target[p]), r.anti[p]
		entropy, kl := 0.0, 0.0
		for v := range z {
			if prob := math.Exp(logp[v]); prob > 0 {
				entropy -= prob * logp[v]
			}
			if q := math.Exp(r.logq[p][v]); q > 0 {
				kl += q * (r.logq[p][v] - logp[v])
			}
		}
		row.Values[Probability][p] = t.Probability()
		row.Values[Logit][p] = t.Logit
		row.Values[Rank][p] = float64(t.Rank)
		row.Values[Entropy][p] = entropy
		row.Values[KL][p] = math.Max(kl, 0)
		row.Values[LogProbDiff][p] = t.LogProb - logp[a]
		if opt.Divergences {
			reverse, js := divergences(logp, r.logq[p])
			row.Values[KLReverse] = append(row.Values[KLReverse], reverse)
			row.Values[JS] = append(row.Values[JS], js)
		}
		ids := topIDs(z, opt.top())
		probs := make([]float64, len(ids))
		for i, id := range ids {
			probs[i] = math.Exp(logp[id])
		}
		row.TopIDs = append(row.TopIDs, ids)
		row.TopProbs = append(row.TopProbs, probs)
	}
	return row
}

// divergences are KL(p ‖ q) and the Jensen-Shannon divergence of two
// distributions, given by their logarithms.
func divergences(logp, logq []float64) (kl, js float64) {
	for v, lp := range logp {
		p, q := math.Exp(lp), math.Exp(logq[v])
		mean := math.Log((p + q) / 2)
		if p > 0 {
			kl += p * (lp - logq[v])
			js += p * (lp - mean) / 2
		}
		if q > 0 {
			js += q * (logq[v] - mean) / 2
		}
	}
	return math.Max(kl, 0), math.Max(js, 0)
}

// topIDs returns the k largest, largest first, the lower id of equals first.
func topIDs(z []float32, k int) []int {
	k = min(k, len(z))
	ids := make([]int, 0, k+1)
	for v := range z {
		if len(ids) == k && !(z[v] > z[ids[k-1]]) {
			continue
		}
		at := sort.Search(len(ids), func(i int) bool { return z[ids[i]] < z[v] })
		ids = append(ids, 0)
		copy(ids[at+1:], ids[at:])
		ids[at] = v
		if len(ids) > k {
			ids = ids[:k]
		}
	}
	return ids
}
