package probe

import (
	"orrery/models"
	"orrery/models/tensor"
)

// WeightSize is the sum of the squares of one weight.
type WeightSize struct {
	Name  string
	Value float64
}

// SquaredWeights sums the squares of every weight, in the order of
// models.Params.Each, and of all together: what weight decay pulls at. It falls
// while a grokking network cleans up (arXiv:2301.05217, section 5.2).
func SquaredWeights(p *models.Params) (each []WeightSize, total float64) {
	p.Each(func(name string, t *tensor.Dense) {
		sum := 0.0
		for _, v := range t.Data {
			sum += float64(v) * float64(v)
		}
		each = append(each, WeightSize{Name: name, Value: sum})
		total += sum
	})
	return each, total
}
