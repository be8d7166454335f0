// Package hub downloads a model directory from a hub over HTTP, as Hugging Face
// serves them, into a cache on this machine.
//
// Start reading at pull.go: Hub.Pull lists a revision (listing.go), chooses the
// files of a model (plan.go: safetensors with their index, configuration,
// tokenizer; never a pickle), and brings one after the other (download.go).
// client.go is the only place that speaks HTTP: it follows redirects itself, to
// https alone, and shows the token to no host but the endpoint. cache.go lays
// the cache out and finds models in it again, without the network:
//
//	CACHE/OWNER/NAME/COMMIT/        a complete model directory
//	CACHE/OWNER/NAME/COMMIT.part/   one that is on its way
//	CACHE/OWNER/NAME/refs/REV       the commit that a branch or tag was at
//	CACHE/OWNER/NAME/lock           held while one is pulled
//
// A directory takes its final name when all its files are there and each has
// the length and the checksum of the listing, so that what is found is whole.
// What was cut goes on where it stopped.
//
// What it is not: it uploads nothing, reads no weights and runs no code of a
// repository. Nothing else in models speaks HTTP.
//
// Errors: an *Error says what the hub did and, as its Hint, what to try next; a
// *NotPulledError says that the cache has no such model. A done context is
// returned as such, and what has come so far stays.
package hub
