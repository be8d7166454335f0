#!/bin/sh
# Writes the generated files of package kernel: the assembly, its declarations,
# the declarations that other processors compile against, and the checksums
# that the package's freshness test compares.
set -eu
cd "$(dirname "$0")"
go run . -out ../avx2_amd64.s -stubs ../avx2_amd64.go -pkg kernel
sed -e '/^\/\/go:noescape/d' -e 's/^\/\/go:build amd64/\/\/go:build !amd64/' \
	-e 's/^func .*/& { panic(absent) }/' ../avx2_amd64.go >../avx2_other.go
cat >>../avx2_other.go <<'END'

// absent is what the functions of this file panic with: avx2 is false on this
// processor, so none of them is ever called.
const absent = "kernel: avx2 code called on a processor without it"
END
gofmt -w ../avx2_amd64.go ../avx2_other.go
sha256sum ./*.go go.mod ../avx2_amd64.s ../avx2_amd64.go ../avx2_other.go >generated.sum
