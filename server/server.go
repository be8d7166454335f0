package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"orrery/server/api"
)

// Server serves one notebook folder to the browser of this machine.
type Server struct {
	options  Options
	log      *slog.Logger
	models   Models
	folder   *folder
	lock     *lock
	store    *store
	results  *Results
	shipped  *examples
	listing  listing
	listener net.Listener
	pass     *pass
	guard    *guard
	echo     *echo.Echo
	http     *http.Server
	pace     pace

	closing sync.Once
	closed  error
	stop    chan struct{} // closed when the server stops

	mu       sync.Mutex // guards all below
	hubs     map[string]*opening
	sessions map[*session]bool
	stopped  bool
	pages    sync.WaitGroup // of sessions
}

// opening is a hub that is being opened or has been.
type opening struct {
	once sync.Once
	hub  *hub
	err  error
	done atomic.Bool // set when hub and err are
}

// get opens the hub when it is not open yet.
func (o *opening) get(open func() (*hub, error)) (*hub, error) {
	o.once.Do(func() {
		o.hub, o.err = open()
		o.done.Store(true)
	})
	return o.hub, o.err
}

// New takes the folder, opens its store and the port, and reads no notebook
// and no model. A folder that another server has open is a *LockedError.
func New(o Options) (*Server, error) {
	s := &Server{options: o, log: o.Log, models: o.Models, stop: make(chan struct{}), pace: usualPace,
		shipped: &examples{fsys: o.Examples, made: time.Now().UTC().Format(time.RFC3339)},
		hubs:    map[string]*opening{}, sessions: map[*session]bool{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.models == nil {
		s.models = NewCatalog(o.Dir)
	}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.release())
	}
	port := s.listener.Addr().(*net.TCPAddr).Port
	s.pass = newPass(o.Token, port)
	s.guard = newGuard(s.pass, port)
	s.echo = s.routes()
	s.http = &http.Server{Handler: s.echo, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)}
	return s, nil
}

// open takes what a server holds: folder, lock, store and port.
func (s *Server) open() (err error) {
	if s.folder, err = openFolder(s.options.Dir); err != nil {
		return err
	}
	if s.lock, err = lockFolder(s.folder); err != nil {
		return err
	}
	if s.store, err = openStore(s.folder); err != nil {
		return err
	}
	s.results = newResults(s.store, s.log)
	if s.listener, err = s.options.listen(s.lock.port()); err != nil {
		return err
	}
	return s.lock.sign(s.address())
}

// release gives back what open took.
func (s *Server) release() error {
	var errs []error
	if s.listener != nil {
		if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if s.store != nil {
		errs = append(errs, s.store.close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.release())
	}
	if s.folder != nil {
		errs = append(errs, s.folder.root.Close())
	}
	return errors.Join(errs...)
}

// address is where the server listens, without the token.
func (s *Server) address() string {
	return (&url.URL{Scheme: "http", Host: s.listener.Addr().String(), Path: "/"}).String()
}

// URL is the address to open in a browser. It contains the token: show it to
// the user and to nobody else.
func (s *Server) URL() string {
	u := url.URL{Scheme: "http", Host: s.listener.Addr().String(), Path: "/",
		RawQuery: url.Values{"token": {s.pass.token}}.Encode()}
	return u.String()
}

// Start serves until ctx is done and then closes the server.
func (s *Server) Start(ctx context.Context) error {
	go s.watch()
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(s.listener) }()
	var err error
	select {
	case <-ctx.Done():
	case <-s.stop:
	case err = <-failed:
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, s.Close())
}

// Close stops: pages are told to come back later (close code 1012), running
// cells are canceled and what they left is stored, requests end. What was
// acknowledged is on the disk in any case. It may be called more than once.
func (s *Server) Close() error {
	s.closing.Do(func() {
		close(s.stop)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		s.mu.Lock()
		s.stopped = true
		sessions, hubs := maps.Clone(s.sessions), maps.Clone(s.hubs)
		s.mu.Unlock()
		var errs []error
		for _, o := range hubs {
			if h, err := o.get(func() (*hub, error) { return nil, stopping() }); err == nil {
				errs = append(errs, h.queue.Close(ctx))
			}
		}
		for sess := range sessions {
			sess.end(closeRestart, "the server stops")
		}
		s.pages.Wait() // each ends within its write deadline
		if err := s.http.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("requests did not end: %w", err), s.http.Close())
		}
		s.closed = errors.Join(append(errs, s.release())...)
	})
	return s.closed
}

func stopping() error {
	return &api.Error{Code: api.Busy, Message: "the server is stopping", Hint: "start it again"}
}

// hub returns the hub of a notebook, opened when it is not open yet.
func (s *Server) hub(id string) (*hub, error) {
	s.mu.Lock()
	if s.stopped {
		s.mu.Unlock()
		return nil, stopping()
	}
	o := s.hubs[id]
	if o == nil {
		o = &opening{}
		s.hubs[id] = o
	}
	s.mu.Unlock()
	h, err := o.get(func() (*hub, error) {
		found, err := openVault(s.folder, s.store, s.shipped, id)
		if err != nil {
			return nil, err
		}
		return newHub(hubConfig{id: id, models: s.models, log: s.log, limits: s.options.Limits, results: s.results}, found), nil
	})
	if err != nil { // the file may appear or be mended: do not keep the failure
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.hubs[id] == o && !s.stopped {
			delete(s.hubs, id)
		}
	}
	return h, err
}

// watch looks once a second whether another program has changed an open file.
func (s *Server) watch() {
	tick := time.NewTicker(s.pace.watch)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		s.mu.Lock()
		var hubs []*hub
		for _, o := range s.hubs {
			if o.done.Load() && o.hub != nil {
				hubs = append(hubs, o.hub)
			}
		}
		s.mu.Unlock()
		for _, h := range hubs {
			h.poll()
		}
	}
}
