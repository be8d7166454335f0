//go:build unix

package weights_test

import (
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"orrery/models/tensor"
	"orrery/models/weights"
)

// mapped writes one tensor of n ascending numbers and opens the file.
func mapped(t *testing.T, n int) (string, *weights.File) {
	t.Helper()
	x := tensor.New(n)
	for i := range x.Data {
		x.Data[i] = float32(i)
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := weights.WriteFile(path, []weights.Tensor{{Name: "w", Dense: x}}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return path, f
}

func TestReleasedPagesComeBack(t *testing.T) {
	const n = 1 << 16
	_, f := mapped(t, n)
	x, err := f.Float32("w")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		f.ReleasePart("w", 100, n-77)
		f.Release("w")
		for i, v := range x.Data {
			if v != float32(i) {
				t.Fatalf("number %d is %g after its page was let go", i, v)
			}
		}
	}
	f.Release("other")
	f.ReleasePart("w", 5, n+1)
}

func TestReadParts(t *testing.T) {
	const n = 5000
	_, f := mapped(t, n)
	dst := make([]float32, 7)
	for _, at := range []int{0, 1, 2500, n - 7} {
		if err := f.Read(dst, "w", at); err != nil || dst[0] != float32(at) || dst[6] != float32(at+6) {
			t.Errorf("from %d: %v (%v)", at, dst, err)
		}
	}
	for _, at := range []int{-1, n - 6, math.MaxInt} {
		if err := f.Read(dst, "w", at); err == nil {
			t.Errorf("read 7 numbers from %d of %d", at, n)
		}
	}
	if err := f.Read(dst, "other", 0); err == nil {
		t.Error("read a tensor that is not there")
	}
}

// TestChangedFiles holds that a file that was written to in place is refused,
// and one that was replaced goes on as it was.
func TestChangedFiles(t *testing.T) {
	path, f := mapped(t, 100)
	if err := f.Unchanged(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Unchanged(); err != nil {
		t.Errorf("another file took the name: %v", err)
	}
	var changed *weights.ChangedError
	if err := os.Chtimes(path+".old", time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := f.Unchanged(); !errors.As(err, &changed) || !strings.Contains(err.Error(), "written to") || !strings.Contains(err.Error(), path) {
		t.Errorf("written to: %v", err)
	}
	if err := os.Truncate(path+".old", 300); err != nil {
		t.Fatal(err)
	}
	if err := f.Unchanged(); !errors.As(err, &changed) || !strings.Contains(err.Error(), "and has 300 now") {
		t.Errorf("cut: %v", err)
	}
}

// TestCutFilesDoNotEndTheProcess reads pages that a cut file no longer has.
func TestCutFilesDoNotEndTheProcess(t *testing.T) {
	path, f := mapped(t, 1<<16)
	x, err := f.Float32("w")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<12); err != nil {
		t.Fatal(err)
	}
	var changed *weights.ChangedError
	if _, _, _, err := f.NonFinite("w"); !errors.As(err, &changed) {
		t.Errorf("looked for NaN: %v", err)
	}
	if err := f.Read(make([]float32, 10), "w", 1<<15); !errors.As(err, &changed) {
		t.Errorf("read: %v", err)
	}
	if err := f.Guard(func() { x = x.Clone() }); !errors.As(err, &changed) {
		t.Errorf("copied: %v", err)
	}
	defer func() {
		if r := recover(); r != "mistake" {
			t.Errorf("another panic came back as %v", r)
		}
	}()
	_ = f.Guard(func() { panic("mistake") })
}

func TestHalves(t *testing.T) {
	data := []byte{1, 0, 2, 0x80, 0xff, 0x7f, 0, 0x3c}
	for _, dtype := range []string{"F16", "BF16", "I16"} {
		bits, ok := one(t, dtype, "[2,2]", data).Halves("w")
		if want := dtype != "I16"; ok != want || ok && !slices.Equal(bits, []uint16{1, 0x8002, 0x7fff, 0x3c00}) {
			t.Errorf("%s: %x, %v", dtype, bits, ok)
		}
	}
	if _, ok := one(t, "F16", "[2,2]", data).Halves("other"); ok {
		t.Error("a tensor that is not there has halves")
	}
}

// TestNonFiniteParts plants one NaN at every place of a tensor, in parts that
// hold it and parts that do not.
func TestNonFiniteParts(t *testing.T) {
	const n = 2100 // more than a block of the search
	for _, at := range []int{0, 1, 5, 1023, 1024, 2048, n - 1} {
		values := make([]float32, n)
		values[at] = float32(math.NaN())
		f := one(t, "F32", "[2100]", floats(values...))
		for _, part := range [][2]int{{0, n}, {at, at + 1}, {max(0, at-3), min(n, at+6)}} {
			if i, _, found, err := f.NonFinitePart("w", part[0], part[1]); i != at || !found || err != nil {
				t.Errorf("NaN at %d: found %v at %d of %v (%v)", at, found, i, part, err)
			}
		}
		for _, part := range [][2]int{{0, at}, {at + 1, n}, {at, at}} {
			if i, _, found, err := f.NonFinitePart("w", part[0], part[1]); found || err != nil {
				t.Errorf("NaN at %d: found at %d of %v (%v)", at, i, part, err)
			}
		}
	}
}

func TestStreamFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.safetensors")
	infos := []weights.Info{{Name: "a", DType: weights.BF16, Shape: []int{2, 3}}, {Name: "b", DType: weights.F32, Shape: []int{5000}}}
	numbers := make([]float32, 5000)
	for i := range numbers {
		numbers[i] = float32(i)
	}
	fill := func(short int) func(weights.Info, io.Writer) error {
		return func(i weights.Info, w io.Writer) error {
			if i.Name == "b" {
				return weights.WriteFloats(w, numbers[short:])
			}
			_, err := w.Write([]byte{0, 0, 0x80, 0x3f, 0, 0x40, 0x40, 0x40, 0x80, 0x40, 0xa0, 0x40})
			return err
		}
	}
	err := weights.StreamFile(path, infos, map[string]string{"k": "v"}, fill(1))
	if err == nil || !strings.Contains(err.Error(), `"b"`) || !strings.Contains(err.Error(), "20000 bytes, and 19996") {
		t.Errorf("a tensor that is too short: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a broken file was left")
	}
	if err := weights.StreamFile(path, infos, map[string]string{"k": "v"}, fill(0)); err != nil {
		t.Fatal(err)
	}
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a, err := f.Float32("a")
	if err != nil || !slices.Equal(a.Data, []float32{0, 1, 2, 3, 4, 5}) {
		t.Errorf("a is %v (%v)", a, err)
	}
	if b, err := f.Float32("b"); err != nil || !slices.Equal(b.Data, numbers) {
		t.Errorf("b does not read back (%v)", err)
	}
	bad := []weights.Info{{Name: "a", DType: "F8", Shape: []int{1}}}
	if err := weights.StreamFile(path, bad, nil, fill(0)); err == nil || !strings.Contains(err.Error(), "F8") {
		t.Errorf("an unknown type: %v", err)
	}
}
