package server

import (
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"strconv"

	"orrery/server/api"
	"orrery/server/script"
)

// Options says what to serve and where. The zero value of each field but Dir
// and Assets is usable.
type Options struct {
	// Dir is the notebook folder; it is made when it does not exist.
	Dir string
	// Addr is the loopback address to listen on, "127.0.0.1" (also when empty),
	// "localhost" or "::1". Other addresses are refused: the server is for the
	// person at this machine.
	Addr string
	// Port to listen on; 0 takes the one of the folder's last server where that is
	// free, so that pages that are still open find the new one and the browser finds
	// what it keeps for this address, else any free one.
	Port int
	// Token is the secret of this process; empty makes a random one, which is
	// what a program should do.
	Token string
	// Assets is the built page: index.html and what it refers to.
	Assets fs.FS
	// Examples holds shipped notebooks: NAME.md, and NAME.outputs.json with a
	// list of Recorded. Nil for none.
	Examples fs.FS
	// Models finds models; nil is a Catalog over the shipped ones and Dir.
	Models Models
	// Log gets what is not for the page; nil drops it. Tokens never reach it.
	Log *slog.Logger
	// Version is the program's, shown on the start page.
	Version string
	// Limits bound each run of a cell; zero fields are script's defaults.
	Limits script.Limits
}

// listen opens the port; last is that of the folder's last server, 0 for none.
func (o *Options) listen(last int) (net.Listener, error) {
	hosts := map[string]string{"": "127.0.0.1", "127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1", "::1": "::1"}
	host, ok := hosts[o.Addr]
	if !ok {
		return nil, &api.Error{Code: api.Invalid, Message: fmt.Sprintf("cannot listen on %q: it is not an address of this machine alone", o.Addr),
			Hint: "use 127.0.0.1 or ::1; to reach it from elsewhere, forward the port with ssh -L"}
	}
	if o.Port == 0 && last > 0 {
		if l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(last))); err == nil {
			return l, nil
		}
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(o.Port)))
	if err != nil {
		return nil, &api.Error{Code: api.Busy, Message: fmt.Sprintf("cannot listen: %v", err), Hint: "choose another port, or 0 for a free one"}
	}
	return l, nil
}
