// Command orrery is the notebook and its plain tools. Without a command it
// serves the notebook and opens the browser; `orrery --help` lists the rest.
//
// This package holds flags, signals and wiring, one file a command; what the
// commands do lives in the packages below.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"orrery/models"
	"orrery/server/analysis"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// cli is the command line.
type cli struct {
	Version kong.VersionFlag `help:"Show the version, which every figure and checkpoint names, and end."`

	Serve    serveCommand    `cmd:"" default:"withargs" help:"Serve the notebook on this machine and open the browser (the default)."`
	Run      runCommand      `cmd:"" help:"Execute a notebook without a browser and write its figures."`
	Train    trainCommand    `cmd:"" help:"Train a shipped model from its recipe; stops and resumes."`
	Models   modelsCommand   `cmd:"" help:"List the shipped models."`
	Pull     pullCommand     `cmd:"" help:"Fetch a model from a hub into the cache; stops and goes on."`
	Dump     dumpCommand     `cmd:"" help:"Write logits, activations and gradients to a safetensors file."`
	Bench    benchCommand    `cmd:"" help:"Measure the engine, as the README's table does."`
	Tokenize tokenizeCommand `cmd:"" help:"Read a JSON list of strings, write a JSON list of id lists."`
	Prompts  promptsCommand  `cmd:"" help:"Check a file of prompts or pairs, say what a model drops of it, and convert it."`
	Generate generateCommand `cmd:"" help:"Continue a prompt: greedily, or with tokens drawn by temperature, top-k and top-p."`
}

// console is where a command reads and writes.
type console struct {
	in       io.Reader
	out, err io.Writer
}

// Main runs one command line and returns the exit status: 0, 1 for a failure
// (said on stderr, with the next step), 2 for a wrong command line, 130 when
// it was interrupted.
func Main(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	if err := models.KernelSetting(); err != nil {
		fmt.Fprintln(errOut, "orrery:", err)
		return 2
	}
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("orrery"), kong.Writers(out, errOut),
		kong.Description("An interactive notebook for mechanistic interpretability of small transformers."),
		kong.Vars{"version": "orrery " + analysis.Version, "synth_families": synthFamilies(), "synth_sizes": synthSizeNames()},
		kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(&console{in, out, errOut}))
	if err != nil {
		fmt.Fprintln(errOut, "orrery:", err)
		return 2
	}
	kctx, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		var commands []string
		for _, c := range parser.Model.Children {
			commands = append(commands, c.Name)
		}
		if word := unknownCommand(commands, args); word != "" {
			err = fmt.Errorf("unknown command %q; there is %s", word, strings.Join(commands, ", "))
		}
		fmt.Fprintf(errOut, "orrery: %v\nSee: orrery --help\n", err)
		return 2
	}
	if err := kctx.Run(); err != nil {
		if errors.Is(err, context.Canceled) {
			fmt.Fprintln(errOut, "orrery: interrupted")
			return 130
		}
		fmt.Fprintln(errOut, "orrery:", err)
		var hinted interface{ Hint() string }
		if errors.As(err, &hinted) && hinted.Hint() != "" {
			fmt.Fprintln(errOut, "  "+hinted.Hint())
		}
		return 1
	}
	return 0
}

// unknownCommand is the first word of a command line if that is none of the
// commands; kong takes it for an argument of the default one.
func unknownCommand(commands, args []string) string {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") || slices.Contains(commands, args[0]) {
		return ""
	}
	return args[0]
}
