// Command gen writes web/src/api/types.gen.ts, the page's view of the wire,
// from the Go types of package api and those of package viz that they reach.
// It is run by
//
//	go generate ./server/api
//
// It reads source, not reflection, because the comments travel too. It is not
// a general Go-to-TypeScript translator: it knows the forms that the wire uses
// and refuses any other by name and position, so that a new form is a decision
// and not an accident.
//
// Reading order: load (what is read), emit (what is written).
//
// The translation:
//
//	string type with constants   union of the constants' values
//	struct                       interface; omitempty or omitzero makes a field optional
//	*T                           T
//	[]T, [n]T                    T[]
//	map[string]T                 Record<string, T>
//	any                          unknown
//	integers and floats          number
//	viz.Array                    WireArray, its wire form (see its MarshalJSON)
//	viz.Kind                     FigureKind
//	var X = [...]string{...}     const X = [...] as const
package main
