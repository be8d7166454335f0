package train

import (
	"context"
	"path/filepath"
	"runtime"

	"orrery/models"
	"orrery/models/weights"
)

// Card describes a trained model: what it learned from, how, and how well.
// card.json in a model's directory holds it.
type Card struct {
	Name       string  `json:"name"`
	About      string  `json:"about"`      // one sentence
	Data       string  `json:"data"`       // what the prompts are
	Split      string  `json:"split"`      // what is held out together
	HeldShare  float64 `json:"held_share"` // share of the groups that was held out
	Parameters int     `json:"parameters"` // number of weights
	Steps      int     `json:"steps"`
	Batch      int     `json:"batch"` // prompts a step
	Seed       uint64  `json:"seed"`

	Train   Score `json:"train"`    // on the prompts learned from, or up to 20,000 spread over them, after the last step
	HeldOut Score `json:"held_out"` // on all prompts held out, after the last step

	// HeldOutEdited is HeldOut under the recipe's edits, where it has any.
	HeldOutEdited *Score `json:"held_out_edited,omitempty"`

	Minutes float64 `json:"minutes"` // of training, on Threads threads
	Threads int     `json:"threads"`
	SHA256  string  `json:"sha256"` // of model.safetensors, hexadecimal
	Curve   []Point `json:"curve"`
}

// cardPrompts is the most prompts learned from that a card measures.
const cardPrompts = 20_000

// card measures the finished model and describes it. The directory holds its weights.
func (r *run) card(ctx context.Context) (Card, error) {
	c := Card{
		Name: r.recipe.Name, About: r.recipe.About, Data: r.task.Data, Split: r.task.Split,
		HeldShare: r.recipe.HeldOut, Parameters: r.params.Count(),
		Steps: r.recipe.Steps, Batch: r.recipe.Batch, Seed: r.recipe.Seed,
		Minutes: r.spent.Minutes(), Threads: runtime.GOMAXPROCS(0), Curve: r.curve,
	}
	model, err := models.Load(r.dir)
	if err != nil {
		return Card{}, err
	}
	if c.Train, err = Measure(ctx, model, Spread(r.learn, cardPrompts)); err != nil {
		return Card{}, err
	}
	if c.HeldOut, err = Measure(ctx, model, r.held); err != nil {
		return Card{}, err
	}
	if r.recipe.Edits != nil {
		edited, err := Measure(ctx, model, r.held, r.recipe.Edits...)
		if err != nil {
			return Card{}, err
		}
		c.HeldOutEdited = &edited
	}
	f, err := weights.Open(filepath.Join(r.dir, "model.safetensors"))
	if err != nil {
		return Card{}, err
	}
	c.SHA256 = f.Hash()
	return c, f.Close()
}
