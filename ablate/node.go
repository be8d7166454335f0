package ablate

import (
	"fmt"

	"orrery/models"
	"orrery/models/tensor"
)

// Part is the kind of component that a Node is.
type Part string

// The parts.
const (
	StreamPart    Part = "resid_post" // the whole stream behind a layer
	AttentionPart Part = "attn"       // all heads of a layer
	HeadPart      Part = "head"
	MLPPart       Part = "mlp"
	NeuronPart    Part = "neuron" // a hidden number of an MLP, behind the nonlinearity
)

// Parts lists the parts.
var Parts = [...]Part{StreamPart, AttentionPart, HeadPart, MLPPart, NeuronPart}

// Node is one component.
type Node struct {
	Part  Part
	Layer int
	Index int // the head or neuron; 0 for the others
}

// String is such as head 3.1, mlp 2, neuron 2.117.
func (n Node) String() string {
	if n.Part == HeadPart || n.Part == NeuronPart {
		return fmt.Sprintf("%s %d.%d", n.Part, n.Layer, n.Index)
	}
	return fmt.Sprintf("%s %d", n.Part, n.Layer)
}

// Nodes lists all components of a kind in a model.
func Nodes(m *models.Model, part Part) ([]Node, error) {
	per := 1
	switch part {
	case HeadPart:
		per = m.Config.Heads
	case NeuronPart:
		per = m.Config.MLPWidth
	}
	var nodes []Node
	for l := range m.Config.Layers {
		for i := range per {
			nodes = append(nodes, Node{part, l, i})
		}
	}
	return nodes, Node{Part: part}.check(m)
}

// site is where the node's output stands.
func (n Node) site() models.Site {
	kind := map[Part]models.Kind{StreamPart: models.ResidPost, AttentionPart: models.Z, HeadPart: models.Z, MLPPart: models.MLPOut, NeuronPart: models.Post}[n.Part]
	return models.Site{Layer: n.Layer, Kind: kind}
}

// check refuses nodes that the model lacks.
func (n Node) check(m *models.Model) error {
	most := 1
	switch n.Part {
	case StreamPart, AttentionPart, MLPPart:
	case HeadPart:
		most = m.Config.Heads
	case NeuronPart:
		most = m.Config.MLPWidth
	default:
		return fmt.Errorf("component is %q, want one of %v", n.Part, Parts)
	}
	if n.Layer < 0 || n.Layer >= m.Config.Layers {
		return fmt.Errorf("%s: layer %d is outside 0..%d", n, n.Layer, m.Config.Layers-1)
	}
	if n.Index < 0 || n.Index >= most {
		return fmt.Errorf("%s: the model's layers have %d of them, 0..%d", n, most, most-1)
	}
	_, err := m.Site(n.site().String())
	return err
}

// edit sets the node to a value of its site, at one position or, for -1, at all.
func (n Node) edit(m *models.Model, value *tensor.Dense, pos int) models.Edit {
	at := selection{}
	if pos >= 0 {
		at["pos"] = pos
	}
	switch n.Part {
	case HeadPart:
		at["head"] = n.Index
	case NeuronPart:
		at["d_mlp"] = n.Index
	}
	return editOf(m, n.site(), value, at)
}

// checkNodes refuses lists with nodes that are not there, or there twice.
func checkNodes(m *models.Model, nodes []Node) error {
	if len(nodes) == 0 {
		return fmt.Errorf("no components")
	}
	seen := map[Node]bool{}
	for _, n := range nodes {
		if err := n.check(m); err != nil {
			return err
		}
		if seen[n] {
			return fmt.Errorf("%s is listed twice", n)
		}
		seen[n] = true
	}
	return nil
}

// sitesOf are the sites of nodes, each once.
func sitesOf(nodes []Node) (sites []models.Site) {
	seen := map[models.Site]bool{}
	for _, n := range nodes {
		if s := n.site(); !seen[s] {
			seen[s] = true
			sites = append(sites, s)
		}
	}
	return sites
}
