// Package server serves a folder of notebooks to the browser of this machine:
// the page and its commands over HTTP, and what happens over one websocket a
// page. It owns documents, outputs and run queues; a page is a view that may
// close at any time and loses nothing.
//
// It is not the document (package notebook), not the cell language (script),
// not the analyses (analysis), and knows no figure from another (viz). It
// serves one person on one machine: it listens on loopback only.
//
// # Where to start reading
//
// Server and Options, then routes.go for every address. hub.go is an open
// notebook: hub_edit.go changes it, hub_run.go runs its cells, host.go is what
// a running cell sees, plan.go its graph, feed.go and session.go its way to the
// pages. vault.go keeps it on the disk, with folder.go and store.go below.
// guard.go and pass.go decide who may ask. Execute runs a notebook without
// any of the HTTP, by the same hub.
//
// # What is on the disk
//
// A notebook is the file NAME.md. Beside it .orrery holds store.sqlite with
// revisions, undo histories, outputs and results, and a lock that keeps a second server
// out. An edit is acknowledged when file and store are synced; what another
// program writes into a file is never overwritten without asking.
//
// A cell's outputs are fresh while the hash of its source and of all that it
// depends on is that of the run, so that undoing an edit makes them fresh
// again, and a restart changes nothing. Values of cells live in memory only:
// after a restart a cell runs again those that it needs. Opening a notebook
// runs nothing and writes nothing.
//
// # The result cache
//
// Results (results.go, store_result.go) keeps the finished figures of analyses in
// the same store, under the program (program.go) and what the call computes from
// (analysis.Key). The rule that all of it serves: what is recalled is what would be
// computed, to the byte, or it is computed. Hence whatever is not known by content
// has no key, a row carries the sum of all that it says, and a figure is kept only
// when what comes back from its encoding is written alike. A run looks into the
// cache unless it was asked for as fresh (api.RunRequest); Execute does only when it
// is given one, so that checks, recordings and measurements compute everything.
// Rows hold 256 MiB together at most, each at most an eighth of it; those that were
// asked for longest ago go first, and all of them before a full disk costs what
// cells left. The file does not shrink; SQLite uses freed pages again.
//
// A result is written when its analysis has ended. Until then the finished runs of its
// sweeps are kept under the same key (unfinished.go, store_part.go), as the bits of the
// numbers that the sweep reads off them: gathered for half a second, and written when
// the cell is stopped, so that an interrupted, closed or killed call goes on. Each row
// carries its sum and its place in the order of the sweep; what does not follow on is
// not taken, and of what is, a few runs are computed again and compared
// (ablate.Resume). They go when the call ends, or is asked for as fresh; 64 MiB hold
// all of them, a quarter of it one call's, those that wrote longest ago go first.
//
// # Errors
//
// Whatever goes wrong becomes an *api.Error; writeError alone turns its code
// into a status. A fault of ours is internal: a general text for the page, the
// detail for the log. Canceling is not a failure. New returns errors for the
// person at the terminal, such as *LockedError.
//
// # Tests
//
// They talk to the real handler and wait for states. TestFullDisk and
// TestReadOnlyFolder mount a small file system and are skipped where only root
// may; TestFileRefused and TestStoreRefused need no rights.
package server
