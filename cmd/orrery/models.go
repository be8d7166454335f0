package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"orrery/models/zoo"
)

// modelsCommand lists the shipped models.
type modelsCommand struct {
	JSON bool `name:"json" help:"Write the cards as a JSON list."`
}

func (c *modelsCommand) Run(con *console) error {
	cards := []zoo.Card{}
	var kept []int // checkpoints of each, the finished model among them
	for _, name := range zoo.Names() {
		card, err := zoo.CardOf(name)
		if err != nil {
			return err
		}
		steps, err := zoo.Checkpoints(name)
		if err != nil {
			return err
		}
		cards, kept = append(cards, card), append(kept, len(steps))
	}
	if c.JSON {
		e := json.NewEncoder(con.out)
		e.SetIndent("", "  ")
		return e.Encode(cards)
	}
	w := tabwriter.NewWriter(con.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tPARAMETERS\tHELD-OUT\tCHECKPOINTS\tWHAT IT DOES")
	for i, c := range cards {
		fmt.Fprintf(w, "%s\t%d\t%.2f %%\t%d\t%s\n", c.Name, c.Parameters, 100*c.HeldOut.Accuracy, kept[i], c.About)
	}
	return w.Flush()
}
