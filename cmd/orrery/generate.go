package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"orrery/models"
	"orrery/models/zoo"
)

// generateCommand continues a prompt, token by token as they come.
type generateCommand struct {
	Model       string   `arg:"" help:"A shipped model's name, a model directory, or the OWNER/NAME of a pulled model."`
	Prompt      string   `xor:"input" required:"" help:"The text to continue; empty starts from BOS."`
	IDs         string   `name:"ids" xor:"input" required:"" help:"The prompt as token ids, separated by commas; works without a tokenizer."`
	N           int      `name:"n" default:"20" help:"The most tokens to add."`
	Temperature float64  `help:"Divides the logits before a token is drawn; 0 takes the likeliest token."`
	TopK        int      `name:"top-k" help:"Draw from the K likeliest tokens; 0 for all."`
	TopP        float64  `name:"top-p" default:"1" help:"Draw from the likeliest tokens that hold this much of the probability."`
	Repetition  float64  `name:"repetition-penalty" default:"1" help:"Makes tokens that are there already less likely; 1 does not."`
	Seed        uint64   `help:"Fixes what is drawn."`
	Stop        []string `sep:"none" help:"Ends at this text, which is left out; may be given more than once."`
	Edits       string   `help:"A JSON file of edits that hold at every step." type:"existingfile"`
	JSON        bool     `name:"json" help:"Write {\"ids\": [...], \"text\": \"...\", \"reason\": \"...\"} with the prompt's ids first, and why it ended; without a tokenizer there is no text."`
}

func (c *generateCommand) Run(ctx context.Context, con *console) error {
	if c.N < 1 {
		return fmt.Errorf("--n %d: at least 1 token", c.N)
	}
	if c.Temperature == 0 && (c.TopK != 0 || c.TopP != 1) {
		return fmt.Errorf("--top-k and --top-p choose what is drawn from, and nothing is drawn with --temperature 0, which takes the likeliest token: say --temperature 1")
	}
	m, err := zoo.Open(c.Model)
	if err != nil {
		return err
	}
	prompt, err := c.prompt(m)
	if err != nil {
		return err
	}
	opt := models.GenerateOptions{Tokens: c.N, Stop: c.Stop, Sampling: models.Sampling{
		Temperature: c.Temperature, TopK: c.TopK, TopP: c.TopP, Repetition: c.Repetition, Seed: c.Seed,
	}}
	if c.Edits != "" {
		if opt.Edits, err = readEdits(c.Edits); err != nil {
			return err
		}
	}
	if m.Tokenizer == nil {
		out, err := m.Generate(ctx, [][]int{prompt}, opt, nil)
		if err != nil {
			return err
		}
		c.warn(con, m, len(prompt), out[0])
		return json.NewEncoder(con.out).Encode(struct {
			IDs    []int  `json:"ids"`
			Reason string `json:"reason"`
		}{append(append([]int{}, prompt...), out[0].IDs...), out[0].Reason})
	}
	var whole strings.Builder
	w := &textWriter{to: con.out, m: m, ids: append([]int{}, prompt...), stop: c.Stop}
	if c.JSON {
		w.to = &whole
	}
	if err := w.add(); err != nil {
		return err
	}
	w.prompt = len(w.text)
	out, err := m.Generate(ctx, [][]int{prompt}, opt, w.step)
	if err != nil {
		return err
	}
	defer c.warn(con, m, len(prompt), out[0])
	if err := w.end(); err != nil || !c.JSON {
		return err
	}
	return json.NewEncoder(con.out).Encode(struct {
		IDs    []int  `json:"ids"`
		Text   string `json:"text"`
		Reason string `json:"reason"`
	}{w.ids, whole.String(), out[0].Reason})
}

// warn says where the model went beyond what it was trained on: it has read the
// prompt and all that it added but the last token.
func (c *generateCommand) warn(con *console, m *models.Model, prompt int, out models.Generated) {
	for _, w := range m.Warnings(models.Batch{B: 1, T: prompt + len(out.IDs) - 1}) {
		fmt.Fprintln(con.err, "warning:", w)
	}
}

// prompt reads the prompt as ids.
func (c *generateCommand) prompt(m *models.Model) ([]int, error) {
	if c.IDs == "" {
		return m.Encode(c.Prompt)
	}
	rows, err := parseIDs(c.IDs)
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 {
		return nil, fmt.Errorf("--ids: %d prompts given, generate continues one", len(rows))
	}
	return rows[0], nil
}

// textWriter writes the text of a growing list of ids as far as it is certain:
// neither half of a character nor what may become a stop string.
type textWriter struct {
	to      io.Writer
	m       *models.Model
	ids     []int
	stop    []string
	prompt  int // bytes of the prompt's text
	written int
	text    string
}

func (w *textWriter) step(s models.Step) error {
	w.ids = append(w.ids, s.ID)
	return w.add()
}

// add decodes the ids and writes what is new and certain.
func (w *textWriter) add() error {
	text, err := w.m.Tokenizer.Decode(w.ids, true)
	if err != nil {
		return err
	}
	w.text = text
	end := len(strings.TrimRight(text, "\uFFFD"))
	for _, stop := range w.stop {
		from := min(w.prompt, len(text))
		if at := strings.Index(text[from:], stop); at >= 0 {
			end = min(end, from+at)
			continue
		}
		for n := min(len(stop)-1, len(text)-from); n > 0; n-- {
			if strings.HasSuffix(text, stop[:n]) {
				end = min(end, len(text)-n)
				break
			}
		}
	}
	if end <= w.written {
		return nil
	}
	_, err = io.WriteString(w.to, text[w.written:end])
	w.written = end
	return err
}

// end writes the rest, exactly as decoded, and a newline on a terminal only.
func (w *textWriter) end() error {
	rest := w.text[w.written:]
	for _, stop := range w.stop {
		from := min(w.prompt, len(w.text))
		if at := strings.Index(w.text[from:], stop); at >= 0 {
			rest = w.text[w.written:max(w.written, from+at)]
		}
	}
	if f, ok := w.to.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			rest += "\n"
		}
	}
	_, err := io.WriteString(w.to, rest)
	return err
}
