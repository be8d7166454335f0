#!/bin/sh
# Writes the generated files of package kernel: the assembly, its declarations
# and tables, and the checksums that the package's freshness test compares.
set -eu
cd "$(dirname "$0")"
go run . -out ../avx2_amd64.s -stubs ../avx2_amd64.go -table ../avx2_table_amd64.go -pkg kernel
go run . -wide -out ../avx512_amd64.s -stubs ../avx512_amd64.go -table ../avx512_table_amd64.go -pkg kernel
gofmt -w ../avx*.go
sha256sum ./*.go go.mod ../avx*_amd64.s ../avx*_amd64.go >generated.sum
