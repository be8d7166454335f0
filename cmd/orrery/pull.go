package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"orrery/models/hub"
)

// pullCommand fetches a model directory from a hub.
type pullCommand struct {
	Repo     string `arg:"" name:"owner/name[@rev]" help:"The repository, and a branch, tag or commit; main without one."`
	Dir      string `help:"Folder of pulled models. Default: $$ORRERY_MODELS, else orrery/models in the user's folder of caches. Cells and commands look there." placeholder:"CACHE"`
	Endpoint string `help:"Address of the hub." default:"https://huggingface.co" env:"HF_ENDPOINT" placeholder:"URL"`
	LimitGB  int64  `name:"limit-gb" default:"64" help:"Refuse a model with more than so many GB (2^30 bytes) of files."`
}

// Help says what a pull does.
func (c *pullCommand) Help() string {
	return "Only safetensors, their index, configuration and tokenizer files are fetched, and each is checked against the hub's checksum. " +
		"For private and gated repositories set HF_TOKEN. The directory is printed; load(\"OWNER/NAME\") opens the model in a cell."
}

func (c *pullCommand) Run(ctx context.Context, con *console) error {
	repo, err := hub.ParseRepo(c.Repo)
	if err != nil {
		return err
	}
	if c.LimitGB < 1 || c.LimitGB > 1<<20 {
		return fmt.Errorf("--limit-gb %d: from 1 to %d are accepted", c.LimitGB, 1<<20)
	}
	cache := c.Dir
	if cache == "" {
		if cache, err = hub.CacheDir(); err != nil {
			return err
		}
	}
	report := &pullReport{con: con, every: 10 * time.Second}
	if f, ok := con.err.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			report.every, report.line = time.Second/2, true
		}
	}
	h := &hub.Hub{Cache: cache, Endpoint: c.Endpoint, Token: os.Getenv("HF_TOKEN"), Limit: c.LimitGB << 30, Progress: report.progress}
	dir, err := h.Pull(ctx, repo)
	report.end()
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(con.err, "stopped; the same command goes on from there")
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(con.out, dir)
	if c.Dir == "" {
		fmt.Fprintf(con.err, "open it with load(%q) in a cell, or as MODEL on the command line\n", repo)
	} else {
		fmt.Fprintf(con.err, "set %s=%s to open it as %q in cells and on the command line\n", hub.CacheVariable, c.Dir, repo)
	}
	return nil
}

// pullReport says on stderr how far a pull is: on a terminal in one line that
// changes, elsewhere in a line now and then.
type pullReport struct {
	con   *console
	every time.Duration
	line  bool // the last line is overwritten
	wide  int  // characters of the line that stands there
	shown time.Time
}

func (r *pullReport) progress(p hub.Progress) {
	if p.Notice != "" {
		r.end()
		fmt.Fprintln(r.con.err, p.Notice)
		return
	}
	if now := time.Now(); now.Sub(r.shown) >= r.every || p.Done == p.Total {
		r.shown = now
	} else {
		return
	}
	text := fmt.Sprintf("%s  %s of %s", p.File, bytesText(p.Done), bytesText(p.Total))
	if p.Rate > 0 {
		text += fmt.Sprintf("  %s/s", bytesText(int64(p.Rate)))
	}
	if p.ETA >= 0 {
		text += fmt.Sprintf("  %s left", p.ETA.Round(time.Second))
	}
	if !r.line {
		fmt.Fprintln(r.con.err, text)
		return
	}
	fmt.Fprintf(r.con.err, "\r%s%s", text, strings.Repeat(" ", max(0, r.wide-len(text))))
	r.wide = len(text)
}

// end leaves the line that changes.
func (r *pullReport) end() {
	if r.wide > 0 {
		fmt.Fprintln(r.con.err)
		r.wide = 0
	}
}

// bytesText writes a size as people read it.
func bytesText(n int64) string {
	switch {
	case n < 1e3:
		return fmt.Sprintf("%d B", n)
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}
