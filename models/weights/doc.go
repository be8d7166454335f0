// Package weights reads and writes checkpoint files: named tensors in the
// safetensors format, in one file or in several shards with an index.
//
// It is not a model loader: it knows names, element types and shapes, but not
// what a tensor means. Package models maps the names of a checkpoint layout to
// parameters. Pickle files are not read, ever.
//
// Read on from Open (a file, an index or a directory) and Parse (bytes in
// memory), then File.Check, with which a loader states what it needs before it
// reads a value, and File.Float32. Write and WriteFile are the way back.
//
// The format is eight bytes with the length N of the header (little-endian),
// N bytes of JSON, and the tensors' bytes:
//
//	{"__metadata__": {"k": "v"}, "NAME": {"dtype": "F32", "shape": [2,3], "data_offsets": [0,24]}, ...}
//
// Offsets count from the end of the header. See https://github.com/huggingface/safetensors.
//
// # Memory
//
// Files are mapped, not read: opening one costs its header. Float32 and Halves
// alias the mapping where they can; Read copies a part. Release lets pages go
// that have been used. Only the name of a file may be given to another one while
// it is open; one that is written to in place is noticed by Unchanged, and a page
// that is gone, because the file was cut, is a *ChangedError in the functions
// that read here and under Guard. Elsewhere such a page ends the process.
//
// # Trust
//
// Files come from outside. Everything the header says is checked against the
// file's real size before any tensor is looked at: the header's length, every
// shape's product (in 64 bits with overflow checks) against its byte range, and
// the ranges against each other: no overlap, no hole, nothing behind the last.
// The cost of refusing a file is bounded by the size of its header, at most
// MaxHeader bytes.
//
// # Errors
//
// A file that breaks the format is refused with a *FormatError that names file
// and tensor. A tensor that is missing or has another shape than asked is a
// *MismatchError. Errors of the file system are passed on wrapped.
package weights
