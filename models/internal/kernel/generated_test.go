package kernel_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// wideCode finds what processors without AVX-512 cannot run: registers above 15,
// vectors of 512 bits, masks, and suffixes that only its encoding has.
var wideCode = regexp.MustCompile(`\b(Z[0-9]+|K[0-7]|[XY](1[6-9]|2[0-9]|3[01]))\b|` +
	`^\s*(V[A-Z0-9]+\.\S+|VRNDSCALE\S*|VP(AND|OR|XOR|ANDN|TERNLOG)[DQ]|VPMOV\S*2M|VPMOVM2\S*|V(BLENDM|PBLENDM)\S*|V\S*(32|64)X[248])\b`)

// TestNoWideCode refuses code that dies on processors without AVX-512: the
// generator hands out its registers without a word when it runs short.
func TestNoWideCode(t *testing.T) {
	names, err := filepath.Glob("avx*_amd64.s")
	if err != nil || len(names) != 6 {
		t.Fatalf("found assembly %v: %v", names, err)
	}
	wide := 0
	for _, name := range names {
		narrow := strings.HasPrefix(name, "avx2_")
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			code, _, _ := strings.Cut(line, "//")
			if at := wideCode.FindString(code); at != "" {
				wide++
				if narrow {
					t.Errorf("%s:%d: %s needs AVX-512: %s", name, i+1, at, line)
				}
			}
		}
	}
	if wide < 1000 {
		t.Errorf("only %d lines need AVX-512: the check is blind", wide)
	}
}

func TestWideCodeIsFound(t *testing.T) {
	for _, line := range []string{
		"	VMOVUPS (AX), Y16", "	VADDPS X31, X1, X2", "	VXORPS Z0, Z0, Z0", "	KMOVW AX, K1", "	VMOVUPS.Z (AX), K3, Y0",
		"	VADDPS.BCST (AX), Y1, Y2", "	VPANDD Y0, Y1, Y2", "	VRNDSCALEPS $0x00, Y0, Y1", "	VPTERNLOGD $0x01, Y0, Y1, Y2",
		"	VEXTRACTF32X4 $0x01, Y0, X1", "	VBLENDMPS Y0, Y1, Y2",
	} {
		if !wideCode.MatchString(line) {
			t.Errorf("passed: %s", line)
		}
	}
	for _, line := range []string{
		"	VMOVUPS (AX), Y15", "	VXORPS Y0, Y0, Y0", "	VPAND Y0, Y1, Y2", "	VEXTRACTF128 $0x01, Y0, X1", "	VFMADD231PS 32(R10)(R11*2), Y10, Y2",
	} {
		if wideCode.MatchString(line) {
			t.Errorf("refused: %s", line)
		}
	}
}

// TestGenerated holds that the committed assembly came from the generator as
// it is: both are in one list of checksums, written when it runs.
func TestGenerated(t *testing.T) {
	list, err := os.ReadFile("asm/generated.sum")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(list)), "\n") {
		sum, name, _ := strings.Cut(line, "  ")
		listed[filepath.Join("asm", name)] = sum
	}
	sources, err := filepath.Glob("asm/*.go")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no generator found: %v", err)
	}
	generated, err := filepath.Glob("avx*_amd64.*")
	if err != nil || len(generated) != 14 {
		t.Fatalf("found generated files %v: %v", generated, err)
	}
	for _, name := range append(append(sources, "asm/go.mod"), generated...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(text)); sum != listed[name] {
			t.Errorf("%s changed since the assembly was generated: run go generate ./models/internal/kernel", name)
		}
	}
}
