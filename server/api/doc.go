// Package api holds every type that travels between the server and a page.
// The Go structs are the contract; web/src/api/types.gen.ts is generated from
// them (go generate ./server/api) and a test keeps it fresh.
//
// The package holds types and nothing else: no handler, no state. Figures
// travel as viz.Figure, which documents its own wire form.
//
// Reading order: Snapshot (what a page needs to draw a notebook), Event (what
// changes it), Op (what a page may ask to change), Error (what may go wrong).
//
// Absent, null and value: a pointer or omitempty field that is absent means
// "not so" as its comment says; no field distinguishes null from absent.
package api

//go:generate go run ./gen
