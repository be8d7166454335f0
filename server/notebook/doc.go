// Package notebook is the document: cells in order, the Markdown file that
// holds them, the edits that change them and the undo history.
//
// It is not the session: outputs, the run queue and the store are the
// server's, and nothing here runs a cell or touches a disk.
//
// # The file
//
// A notebook is one ordinary Markdown file.
//
//	# Logit lens
//
//	The first Markdown cell needs no mark; its id is "top".
//
//	```python {#k3f9a2bq}
//	m = load("mental-2op")
//	```
//
//	<!-- cell w81b2dxe -->
//
//	Every other Markdown cell starts with a comment that holds its id,
//	which no forge shows.
//
// A code cell is a fence of backticks at the start of a line whose info string
// is "python" or "python {#ID}"; its fence is longer than any run of backticks
// that starts a line of its source. Everything else is Markdown and kept byte
// for byte: front matter, fences of other languages, fences of tildes or inside
// lists, raw HTML. A Markdown cell that would itself read as cell marks, or
// that leaves a fence open, is written between its comment and an end line of
// its own:
//
//	<!-- cell w81b2dxe until end1 -->
//
//	```python
//	this is Markdown that shows code
//	```
//	<!-- end1 -->
//
// One blank line stands after a mark and between cells; those are the file's,
// all others the cell's. For every notebook n, Parse(n.Markdown()) holds the
// same cells with the same ids, kinds and bytes.
//
// A file that was written by hand needs no ids: a cell without one gets an id
// made from its kind and text, so the same file always opens with the same
// ids, and the next save writes them down. A repeated id is replaced in the
// same way. A file whose every line ends in CRLF is read as if it ended in LF.
//
// # Errors
//
// What the outside can get wrong is returned as *api.Error: invalid (unknown
// operation, kind, id or bytes), not_found (no such cell), conflict (another
// page changed the text), too_large (a limit). A failed Apply changes nothing.
//
// Start reading at Notebook, then Parse, Notebook.Markdown and Notebook.Apply.
package notebook
