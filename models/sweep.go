package models
type sweep struct{ states []state }
type state struct{ row int }
func (w *sweep) enter(p *pass, l int, s stream) stream {return s}
func (w *sweep) reach(p *pass, l int, s stream, t *blockTrace) stream {return s}
func (w *sweep) middle(p *pass, l int, s stream, a []float32) (stream,[]float32) {return s,a}
func (w *sweep) changed(p *pass, l int, s stream) stream {return s}
func (w *sweep) leave(p *pass, l int, s stream, a []float32) (stream,[]float32) {return s,a}
func (w *sweep) hooked(s Site) bool {return false}
func (w *sweep) visit(p *pass, s Site, rows *rowSet, x []float32) {}
type past struct{}
func (w *past) extend(p *pass, l int, t *blockTrace) [][]keyRun { return nil}
