package probe_test

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/mat"

	"orrery/models/modeltest"
)

// golden is one case of another implementation: a json of scalars and a
// safetensors of arrays, read in float64 (package weights reads float32).
// testdata/README.md says where the copied cases come from.
type golden struct {
	t      testing.TB
	file   string
	arrays map[string]goldenArray
}

type goldenArray struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
	data    []byte
}

// readGolden reads dir/name.json into meta and dir/name.safetensors if it is
// there.
func readGolden(t testing.TB, dir, name string, meta any) golden {
	t.Helper()
	modeltest.ReadJSON(t, filepath.Join(dir, name+".json"), meta)
	g := golden{t: t, file: filepath.Join(dir, name+".safetensors")}
	if exists(g.file) {
		g.arrays = readSafetensors(t, g.file)
	}
	return g
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func readSafetensors(t testing.TB, file string) map[string]goldenArray {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	n := int(binary.LittleEndian.Uint64(raw))
	header := map[string]json.RawMessage{}
	if err := json.Unmarshal(raw[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	arrays := map[string]goldenArray{}
	for name, text := range header {
		if name == "__metadata__" {
			continue
		}
		var a goldenArray
		if err := json.Unmarshal(text, &a); err != nil {
			t.Fatal(err)
		}
		a.data = raw[8+n+a.Offsets[0] : 8+n+a.Offsets[1]]
		arrays[name] = a
	}
	return arrays
}

func (a goldenArray) values(t testing.TB) []float64 {
	t.Helper()
	size := map[string]int{"F64": 8, "F32": 4, "I64": 8, "U8": 1}[a.DType]
	if size == 0 {
		t.Fatalf("dtype %s", a.DType)
	}
	out := make([]float64, len(a.data)/size)
	for i := range out {
		b := a.data[i*size:]
		switch a.DType {
		case "F64":
			out[i] = math.Float64frombits(binary.LittleEndian.Uint64(b))
		case "F32":
			out[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
		case "I64":
			out[i] = float64(int64(binary.LittleEndian.Uint64(b)))
		default:
			out[i] = float64(b[0])
		}
	}
	return out
}

func (g golden) array(name string) goldenArray {
	g.t.Helper()
	a, ok := g.arrays[name]
	if !ok {
		g.t.Fatalf("the golden has no array %q", name)
	}
	modeltest.NoteRead(g.file, name)
	return a
}

// vector is an array of any shape, flat.
func (g golden) vector(name string) []float64 {
	g.t.Helper()
	return g.array(name).values(g.t)
}

// matrix is an array whose leading axes are joined.
func (g golden) matrix(name string) *mat.Dense {
	g.t.Helper()
	a := g.array(name)
	c := a.Shape[len(a.Shape)-1]
	v := a.values(g.t)
	return mat.NewDense(len(v)/c, c, v)
}

func (g golden) ints(name string) []int {
	g.t.Helper()
	return ints(g.vector(name))
}

func ints(v []float64) []int {
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(x)
	}
	return out
}

// probesCase reads a case of the reference folder, and skips without it.
func probesCase(t testing.TB, folder, name string, meta any) golden {
	t.Helper()
	return readGolden(t, modeltest.Reference(t, "probes", folder), name, meta)
}

// within fails unless |got - want| ≤ abs + rel·|want|; a NaN fails.
func within(t testing.TB, what string, got, want, abs, rel float64) {
	t.Helper()
	if !(math.Abs(got-want) <= abs+rel*math.Abs(want)) {
		t.Errorf("%s: %.12g, want %.12g (off by %.3g)", what, got, want, got-want)
	}
}

// allWithin compares two lists and reports the worst pair.
func allWithin(t testing.TB, what string, got, want []float64, abs, rel float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	worst, at, off := -1.0, 0, 0
	for i := range want {
		d := math.Abs(got[i]-want[i]) - abs - rel*math.Abs(want[i])
		if !(d <= 0) {
			off++
			if math.IsNaN(d) || d > worst {
				worst, at = d, i
			}
		}
	}
	if off > 0 {
		t.Errorf("%s: %d of %d values off, worst [%d]: %.12g, want %.12g", what, off, len(want), at, got[at], want[at])
	}
}

func matrixWithin(t testing.TB, what string, got, want mat.Matrix, abs, rel float64) {
	t.Helper()
	gr, gc := got.Dims()
	wr, wc := want.Dims()
	if gr != wr || gc != wc {
		t.Errorf("%s: [%d,%d], want [%d,%d]", what, gr, gc, wr, wc)
		return
	}
	allWithin(t, what, mat.DenseCopyOf(got).RawMatrix().Data, mat.DenseCopyOf(want).RawMatrix().Data, abs, rel)
}
