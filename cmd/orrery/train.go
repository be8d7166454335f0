package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"orrery/models/train"
)

// trainCommand trains a model from a recipe.
type trainCommand struct {
	Recipe string `arg:"" help:"The recipe's name; see orrery models."`
	Dir    string `help:"Where checkpoints and the finished model go; a stopped training there goes on. Default: RECIPE.train in this folder."`
}

func (c *trainCommand) Run(ctx context.Context, con *console) error {
	recipe, err := train.Find(c.Recipe)
	if err != nil {
		return err
	}
	dir := c.Dir
	if dir == "" {
		dir = c.Recipe + ".train"
	}
	fmt.Fprintf(con.out, "%s: %s; %d steps of %d prompts, seed %d, in %s\n", recipe.Name, recipe.About, recipe.Steps, recipe.Batch, recipe.Seed, dir)
	shown := time.Time{}
	err = train.Run(ctx, recipe, dir, func(p train.Progress) {
		if math.IsNaN(p.Loss) {
			fmt.Fprintf(con.out, "goes on from step %d\n", p.Step)
			return
		}
		measured := !math.IsNaN(p.HeldOutAccuracy)
		if !measured && p.Step < p.Steps && time.Since(shown) < 2*time.Second {
			return
		}
		shown = time.Now()
		fmt.Fprintf(con.out, "step %5d/%d  loss %9.3g", p.Step, p.Steps, p.Loss)
		if measured {
			fmt.Fprintf(con.out, "  train %6.2f %%  held-out %6.2f %%", 100*p.TrainAccuracy, 100*p.HeldOutAccuracy)
		}
		fmt.Fprintf(con.out, "  %s left\n", p.ETA.Round(time.Second))
	})
	if errors.Is(err, context.Canceled) {
		fmt.Fprintf(con.err, "stopped; the same command goes on from %s\n", dir)
	}
	return err
}
