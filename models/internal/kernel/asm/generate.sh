#!/bin/sh
# Writes the generated files of package kernel: the assembly, its declarations
# and tables, and the checksums that the package's freshness test compares.
set -eu
cd "$(dirname "$0")"
for path in avx2 avx512; do
	wide=false
	[ $path = avx2 ] || wide=true
	for part in tiles back loops; do
		table=
		[ $part != loops ] || table=../${path}_table_amd64.go
		file=../${path}_${part}_amd64
		go run . -wide=$wide -part $part -table "$table" -out $file.s -stubs $file.go -pkg kernel
	done
done
gofmt -w ../avx*.go
sha256sum ./*.go go.mod ../avx*_amd64.s ../avx*_amd64.go >generated.sum
