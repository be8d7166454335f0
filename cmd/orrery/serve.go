package main

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"orrery/server"
	"orrery/server/analysis"
	"orrery/web"
)

// serveCommand is the notebook.
type serveCommand struct {
	Dir       string `help:"Folder of notebooks. Default: Orrery in the home folder." placeholder:"DIR"`
	Addr      string `default:"127.0.0.1" help:"Loopback address to listen on."`
	Port      int    `default:"0" help:"Port to listen on; 0 takes the one of the last time, if it is free, else another free one."`
	NoBrowser bool   `help:"Print the address only."`
	Web       string `help:"Serve the page from this folder instead of the built one, for work on the page." type:"existingdir" placeholder:"DIR"`
	Verbose   bool   `help:"Log requests."`
}

func (c *serveCommand) Run(ctx context.Context, con *console) error {
	dir, err := notebookDir(c.Dir)
	if err != nil {
		return err
	}
	assets, err := fs.Sub(web.Dist, "dist")
	if err != nil {
		return err
	}
	if c.Web != "" {
		assets = os.DirFS(c.Web)
	}
	level := slog.LevelWarn
	if c.Verbose {
		level = slog.LevelDebug
	}
	first := isEmpty(dir)
	s, err := server.New(server.Options{
		Dir: dir, Addr: c.Addr, Port: c.Port, Assets: assets, Examples: exampleFiles(), Version: analysis.Version,
		Log: slog.New(slog.NewTextHandler(con.err, &slog.HandlerOptions{Level: level})),
	})
	if err != nil {
		return err
	}
	address := s.URL()
	if first {
		if address, err = firstPage(address); err != nil {
			return err
		}
	}
	fmt.Fprintf(con.out, "Orrery serves %s at\n%s\nCtrl+C stops it.\n", dir, address)
	if !c.NoBrowser {
		openBrowser(con, address)
	}
	return s.Start(ctx)
}

// notebookDir is the folder asked for, or Orrery in the home folder.
func notebookDir(dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no home folder for the notebooks: %w; name one with --dir", err)
	}
	return filepath.Join(home, "Orrery"), nil
}

// isEmpty reports whether a folder has no notebook yet.
func isEmpty(dir string) bool {
	files, err := filepath.Glob(filepath.Join(dir, "*.md"))
	return err == nil && len(files) == 0
}

// firstPage is the address of the first notebook, which a first visit opens.
func firstPage(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	u.Path = "/n/" + firstExample
	return u.String(), nil
}

// openBrowser shows an address in the user's browser; where that fails the
// printed address remains.
func openBrowser(con *console, address string) {
	name, args := "xdg-open", []string{address}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", address}
	}
	cmd := exec.Command(name, args...)
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(con.out, "No browser was found; open the address above.")
		return
	}
	go func() {
		if err := cmd.Wait(); err != nil {
			fmt.Fprintln(con.out, "The browser did not open; open the address above.")
		}
	}()
}
