// Package web carries the browser page: the files that Vite builds from src,
// committed under dist so that the program builds and runs without Node.
//
// It holds files and nothing else: the server decides how they are served.
// index.html contains the placeholder {{nonce}}, which the server replaces by
// the nonce of the response's Content-Security-Policy. Every other file is
// served as it is, at the path it has below dist.
//
// To change the page: npm ci, then npm run dev, which builds dist again at
// each change, beside orrery --web web/dist, which serves it from disk; npm run
// build before the commit. A test fails when dist was not built from the src
// beside it.
//
// Start reading at src/main.ts.
package web

import "embed"

// Dist holds the built page below "dist".
//
//go:embed all:dist
var Dist embed.FS
