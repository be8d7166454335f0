package server

import (
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/labstack/echo/v4"

	"orrery/server/api"
)

// The close codes of the websocket of events:
//
//	1000, 1001  the page went away
//	1003        the page sent a message; commands go over HTTP
//	1009        the page sent a message that is too large
//	1011        a fault of the server; the log has it
//	1012        the server stops; come back
//	1013        too many pages have this notebook open; come back later
//
// A page that does not read, or does not answer pings, is cut off without a
// close frame (1006). In every case it may connect again and names the last
// event that it saw.
const (
	closeUnsupported = websocket.CloseUnsupportedData
	closeFault       = websocket.CloseInternalServerErr
	closeRestart     = websocket.CloseServiceRestart
	closeTryLater    = websocket.CloseTryAgainLater
)

// maxSessions is how many pages may watch one notebook.
const maxSessions = 32

// pace holds the times of the server's clocks.
type pace struct {
	write time.Duration // how long a page may take to read an event
	ping  time.Duration // between pings
	pong  time.Duration // without any sign of life, a page is gone
	watch time.Duration // between looks at the files
}

// usualPace is the pace outside tests.
var usualPace = pace{write: 10 * time.Second, ping: 30 * time.Second, pong: 75 * time.Second, watch: time.Second}

// session is one page's websocket. One goroutine writes, one reads; a page
// that does not keep up never holds the hub.
type session struct {
	conn *websocket.Conn
	hub  *hub
	feed *feed
	pace pace
	log  *slog.Logger

	once  sync.Once
	done  chan struct{} // closed when the session is to end
	close []byte        // the close frame to send, set before done is closed
}

// events is GET /api/notebooks/:id/events?since=SEQ.
func (s *Server) events(c echo.Context) error {
	h, err := s.notebook(c)
	if err != nil {
		return err
	}
	since, err := sequence(c.QueryParam("since"))
	if err != nil {
		return err
	}
	if !websocket.IsWebSocketUpgrade(c.Request()) {
		return &api.Error{Code: api.Invalid, Message: "this address is a websocket's"}
	}
	up := websocket.Upgrader{HandshakeTimeout: 10 * time.Second, ReadBufferSize: 1024, WriteBufferSize: 16 << 10,
		// The guard has compared Origin and Host before.
		CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(c.Response(), c.Request(), nil)
	if err != nil {
		s.log.Debug("a websocket was not opened", "error", err)
		return nil // the upgrader has answered
	}
	sess := &session{conn: conn, hub: h, pace: s.pace, log: s.log, done: make(chan struct{})}
	if !s.join(sess) {
		sess.end(closeRestart, "the server stops")
	} else if h.subscribers() >= maxSessions {
		sess.end(closeTryLater, "too many pages have this notebook open")
	}
	sess.feed = h.subscribe(since)
	defer s.leave(sess)
	sess.serve()
	return nil
}

// join notes a session, so that Close ends it; false when the server stops.
func (s *Server) join(sess *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.sessions[sess] = true
	s.pages.Add(1)
	return true
}

func (s *Server) leave(sess *session) {
	sess.hub.unsubscribe(sess.feed)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions[sess] {
		delete(s.sessions, sess)
		s.pages.Done()
	}
}

// serve runs the session until one side ends it.
func (s *session) serve() {
	read := make(chan struct{})
	go func() {
		defer close(read)
		s.read()
	}()
	s.write()
	s.conn.Close() // ends read; a second close does nothing
	<-read
}

// end asks the session to end with a close code.
func (s *session) end(code int, why string) {
	s.once.Do(func() {
		s.close = websocket.FormatCloseMessage(code, why)
		close(s.done)
	})
}

// read waits for pongs and for the end; a page has nothing to say here.
func (s *session) read() {
	s.conn.SetReadLimit(1024)
	alive := func(string) error { return s.conn.SetReadDeadline(time.Now().Add(s.pace.pong)) }
	s.conn.SetPongHandler(alive)
	err := alive("")
	if err == nil {
		_, _, err = s.conn.NextReader()
	}
	if err == nil {
		s.end(closeUnsupported, "commands go over HTTP")
		return
	}
	var closed *websocket.CloseError
	if !errors.As(err, &closed) {
		s.log.Debug("a page's websocket ended", "error", err)
	}
	s.end(websocket.CloseNormalClosure, "")
}

// write sends events as they come, and pings.
func (s *session) write() {
	ping := time.NewTicker(s.pace.ping)
	defer ping.Stop()
	for {
		var err error
		select {
		case <-s.done: // what a stopping server still had to say goes first
			err = s.flush()
			if err == nil {
				err = s.conn.WriteControl(websocket.CloseMessage, s.close, time.Now().Add(s.pace.write))
			}
			if err != nil {
				s.log.Debug("a page's websocket did not end in order", "error", err)
			}
			return
		case <-s.feed.wake:
			err = s.flush()
		case <-ping.C:
			err = s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(s.pace.write))
		}
		if err != nil {
			s.log.Debug("a page's websocket was cut off", "error", err)
			return
		}
	}
}

// flush sends everything that waits.
func (s *session) flush() error {
	for {
		events, behind := s.feed.take()
		if behind {
			data, err := s.hub.snapshotEvent(s.feed)
			if err != nil {
				s.log.Error("a snapshot cannot be made", "notebook", s.hub.id, "error", err)
				s.end(closeFault, "the snapshot cannot be made")
				return err
			}
			events = append(events[:0], record{data: data})
		}
		if len(events) == 0 {
			return nil
		}
		for _, e := range events {
			if err := s.conn.SetWriteDeadline(time.Now().Add(s.pace.write)); err != nil {
				return err
			}
			if err := s.conn.WriteMessage(websocket.TextMessage, e.data); err != nil {
				return err
			}
		}
	}
}
