package script

import (
	"go.starlark.net/starlark"

	"orrery/models"
)

// process is the method m.process: the same model with rewritten weights. A
// step that is not named is done where the model allows it.
func (m *Model) process(c call) (starlark.Value, error) {
	p := m.model.Config.Allowed()
	if err := c.unpack("fold_ln?", &p.FoldLN, "center_writing_weights?", &p.CenterWritingWeights,
		"center_unembed?", &p.CenterUnembed, "fold_value_biases?", &p.FoldValueBiases); err != nil {
		return nil, err
	}
	if p == (models.Processing{}) {
		return m, nil
	}
	if err := c.memory.reserve("the processed model", 8*float64(m.model.Config.WeightCount())); err != nil {
		return nil, err
	}
	n, err := m.model.Process(p)
	if err != nil {
		return nil, &hinted{err.Error(), "leave an argument out to do what the model allows; a raw model is opened with load(name)"}
	}
	return &Model{n}, nil
}
