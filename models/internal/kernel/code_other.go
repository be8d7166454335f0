//go:build !amd64

package kernel

// There is no generated code for this processor.
var codeAVX2, codeAVX512 *code
