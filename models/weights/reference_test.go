package weights_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"orrery/models/modeltest"
	"orrery/models/tensor"
	"orrery/models/weights"
)

// open opens a checkpoint of the reference folder.
func open(t *testing.T, family string) *weights.File {
	t.Helper()
	f, err := weights.Open(modeltest.Reference(t, "architectures", family))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// The same checkpoint in one file and in five.
func TestShardedEqualsSingle(t *testing.T) {
	single, sharded := open(t, "llama3"), open(t, "llama3-sharded")
	if len(single.Names()) != len(sharded.Names()) {
		t.Fatalf("%d tensors in one file, %d in shards", len(single.Names()), len(sharded.Names()))
	}
	for _, name := range single.Names() {
		a, errA := single.Float32(name)
		b, errB := sharded.Float32(name)
		if errA != nil || errB != nil || !a.EqualBits(b) {
			t.Errorf("%s differs (%v, %v)", name, errA, errB)
		}
	}
	if got := sharded.Metadata()["format"]; got != "pt" {
		t.Errorf("metadata format %q, want pt", got)
	}
}

// The bf16 and f16 checkpoints are the float32 one rounded to nearest even.
// Rounding is done here from the definition, in float64.
func TestNarrowCheckpoints(t *testing.T) {
	full := open(t, "llama3")
	for _, c := range []struct {
		family string
		dtype  weights.DType
		bits   int // of the significand, the leading one included
		lowest int // exponent of the smallest normal number, as Frexp counts it
	}{
		{"llama3-bf16", weights.BF16, 8, -125},
		{"llama3-f16", weights.F16, 11, -13},
	} {
		t.Run(c.family, func(t *testing.T) {
			narrow := open(t, c.family)
			for _, name := range full.Names() {
				if info, _ := narrow.Info(name); info.DType != c.dtype {
					t.Fatalf("%s is %s, want %s", name, info.DType, c.dtype)
				}
				a, errA := full.Float32(name)
				b, errB := narrow.Float32(name)
				if errA != nil || errB != nil || !tensor.SameShape(a.Shape, b.Shape) {
					t.Fatalf("%s: %v %v (%v, %v)", name, a, b, errA, errB)
				}
				for i, v := range a.Data {
					_, exp := math.Frexp(float64(v))
					unit := math.Ldexp(1, max(exp, c.lowest)-c.bits)
					if want := math.RoundToEven(float64(v)/unit) * unit; float64(b.Data[i]) != want {
						t.Fatalf("%s[%d]: %g of %g, want %g", name, i, b.Data[i], v, want)
					}
				}
			}
		})
	}
}

// golden.json lists the SHA-256 of each file, computed by Python's hashlib.
func TestHashesOfReference(t *testing.T) {
	for _, family := range []string{"llama3", "llama3-bf16", "llama3-f16", "gpt2"} {
		dir := modeltest.Reference(t, "architectures", family)
		text, err := os.ReadFile(filepath.Join(dir, "golden.json"))
		if err != nil {
			t.Fatal(err)
		}
		var golden struct{ SHA256 map[string]string }
		if err := json.Unmarshal(text, &golden); err != nil {
			t.Fatal(err)
		}
		if got, want := open(t, family).Hash(), golden.SHA256["model.safetensors"]; got != want {
			t.Errorf("%s: hash %s, want %s", family, got, want)
		}
	}
}

// Every safetensors file of the reference folder opens, whoever wrote it.
func TestReferenceFilesOpen(t *testing.T) {
	files := 0
	err := filepath.WalkDir(modeltest.Reference(t), func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".safetensors" {
			return err
		}
		f, err := weights.Open(path)
		if err != nil {
			t.Error(err)
			return nil
		}
		files++
		return f.Close()
	})
	if err != nil || files < 100 {
		t.Errorf("opened %d files (%v), want at least 100", files, err)
	}
}

// A checkpoint of 128 MiB must open in about a millisecond: only the header is read.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "big.safetensors")
	if err := weights.WriteFile(path, []weights.Tensor{{Name: "w", Dense: tensor.New(32 << 20)}}, nil); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		f, err := weights.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Float32("w"); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}
