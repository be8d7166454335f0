package models

type past struct{}

func (w *past) extend(p *pass, l int, t *blockTrace) [][]keyRun { return nil }
