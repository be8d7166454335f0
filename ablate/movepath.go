package ablate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"orrery/models"
	"orrery/models/nearest"
)

// String is such as "q 1.2", "mlp 3" or "logits".
func (r Receiver) String() string {
	switch r.Input {
	case LogitsInput:
		return string(LogitsInput)
	case MLPInput:
		return fmt.Sprintf("%s %d", r.Input, r.Layer)
	}
	return fmt.Sprintf("%s %d.%d", r.Input, r.Layer, r.Index)
}

// PathSenders are the components of a model at which paths begin: its heads, then
// its MLPs.
func PathSenders(m *models.Model) ([]Node, error) {
	nodes, err := Nodes(m, HeadPart)
	if err != nil || m.Config.AttnOnly {
		return nodes, err
	}
	mlps, err := Nodes(m, MLPPart)
	return append(nodes, mlps...), err
}

// PathReceivers are the places of a model at which paths end: the logits first,
// then block by block its queries, keys, values and heads, and its MLP. Keys and
// values are counted by key-value heads.
func PathReceivers(m *models.Model) []Receiver {
	out := []Receiver{{Input: LogitsInput, Layer: m.Config.Layers}}
	for l := range m.Config.Layers {
		for _, in := range []Input{QueryInput, KeyInput, ValueInput, HeadInput} {
			n := m.Config.Heads
			if in == KeyInput || in == ValueInput {
				n = m.Config.KVHeads
			}
			for i := range n {
				out = append(out, Receiver{in, l, i})
			}
		}
		if !m.Config.AttnOnly {
			out = append(out, Receiver{Input: MLPInput, Layer: l})
		}
	}
	return out
}

// Path says whether a move is made along a path, and then the path's two ends in
// words.
func (v Move) Path(m *models.Model) (from, to string, ok bool) {
	sender, receiver, ok, err := v.path(m)
	if !ok || err != nil {
		return "", "", false
	}
	return sender.String(), receiver.String(), true
}

// path is the path that a move is made along; ok is false where nothing is frozen,
// so that its site is an edge or one of the model's own.
func (v Move) path(m *models.Model) (from Node, to Receiver, ok bool, err error) {
	if v.Freeze == "" {
		return from, to, false, nil
	}
	ends := v.ends()
	if len(ends) != 2 {
		return from, to, true, fmt.Errorf("%q with freeze %q is no path: write its two ends, \"head 0.1 → q 1.2\"", v.Site, v.Freeze)
	}
	senders, err := PathSenders(m)
	if err != nil {
		return from, to, true, err
	}
	receivers := PathReceivers(m)
	s := slices.IndexFunc(senders, func(n Node) bool { return n.String() == ends[0] })
	d := slices.IndexFunc(receivers, func(r Receiver) bool { return r.String() == ends[1] })
	switch {
	case s < 0:
		return from, to, true, fmt.Errorf("no path begins at %q: there are %s", ends[0], nearestOf(ends[0], senders))
	case d < 0:
		return from, to, true, fmt.Errorf("no path ends at %q: there are %s", ends[1], nearestOf(ends[1], receivers))
	case !receivers[d].Behind(m, senders[s]):
		return from, to, true, fmt.Errorf("%q is no path: its end is not computed behind its beginning", v.Site)
	case v.Into != "" || v.To != nil || v.Heads != nil || v.Neurons != nil || v.Queries != nil || v.Keys != nil:
		return from, to, true, fmt.Errorf("%q says itself where it begins and ends: give at and freeze alone", v.Site)
	case v.Giver() != FromClean && v.Giver() != FromCorrupted:
		return from, to, true, fmt.Errorf("run is %q: along a path travels the clean run's value", v.Run)
	}
	return senders[s], receivers[d], true, nil
}

// nearestOf lists the names that are nearest to what was asked for.
func nearestOf[T fmt.Stringer](asked string, list []T) string {
	names := make([]string, len(list))
	for i, x := range list {
		names[i] = x.String()
	}
	return strings.Join(nearest.Names(asked, names, 4), ", ")
}

// pathEdits are what path patching does to the corrupted run of a move along a path:
// the sender's own edit and what is frozen where the logits receive, else what the
// receiver takes of a run with those edits, at the receiver alone.
func (v *Moved) pathEdits(ctx context.Context, mv Move, from Node, to Receiver) ([]models.Edit, error) {
	T := len(v.Corrupted.IDs)
	at, err := resolveIndex("at", mv.At, T)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", mv.Site, err)
	}
	opt := PathOptions{Senders: []Node{from}, Freeze: mv.Freeze, Last: slices.Equal(at, []int{T - 1})}
	if mv.At != nil && !opt.Last {
		return nil, fmt.Errorf("%s: a path begins at the last token (at=-1) or at all of them, not at %v", mv.Site, mv.At)
	}
	if mv.Freeze == FreezeOutputs && !opt.Last {
		return nil, fmt.Errorf("%s: freeze %q is one of the last token: give at=-1", mv.Site, mv.Freeze)
	}
	if to.Input != LogitsInput {
		opt.Receivers = []Receiver{to}
	}
	if err := opt.check(v.m); err != nil {
		return nil, fmt.Errorf("%s: %w", mv.Site, err)
	}
	source := v.Clean.IDs
	if mv.Giver() == FromCorrupted {
		source = v.Corrupted.IDs
	}
	p, err := newPaths(ctx, v.m, []Pair{{Base: v.Corrupted.IDs, Source: source, BaseAnswer: -1, SourceAnswer: -1}}, opt)
	if err != nil {
		return nil, err
	}
	if opt.Receivers == nil {
		return p.toLogits(0, 0, 0)
	}
	if err := p.record(ctx); err != nil {
		return nil, err
	}
	return p.toReceiver(0, 0, 0)
}
