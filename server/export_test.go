package server

import "time"

// Routes lists every route as "METHOD PATH".
func (s *Server) Routes() []string {
	var list []string
	for _, r := range s.echo.Routes() {
		list = append(list, r.Method+" "+r.Path)
	}
	return list
}

// Hurry makes the server look at files often and cut off slow pages soon. It
// must be called before Start.
func (s *Server) Hurry() {
	s.pace = pace{write: 200 * time.Millisecond, ping: 50 * time.Millisecond, pong: 2 * time.Second, watch: 10 * time.Millisecond}
}

// BreakStore makes every later access of the store fail.
func (s *Server) BreakStore() error { return s.store.close() }
