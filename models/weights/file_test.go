package weights_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"orrery/models/tensor"
	"orrery/models/weights"
)

// Values of the fixture, decoded from its bytes with Python's struct module.
var fixtureIDs = []int64{35, 67, 92, 92}

const (
	fixtureFirst float32 = 1.8114796876907349
	fixtureLast  float32 = -3.139509916305542
)

func TestOpenFixture(t *testing.T) {
	f, err := weights.Open("testdata/llama3-f16-golden.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, want := f.Names(), []string{"ids", "logits"}; !reflect.DeepEqual(got, want) {
		t.Errorf("names %v, want %v", got, want)
	}
	if got, want := f.Hash(), "d756ca598236946c460e99a2a1ea92434692f0c7558f818e5c3b16c40fc94ed8"; got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
	ids, shape, err := f.Int64s("ids")
	if err != nil || !reflect.DeepEqual(shape, []int{2, 13}) || !reflect.DeepEqual(ids[:4], fixtureIDs) {
		t.Errorf("ids %v of shape %v (%v), want %v...", ids, shape, err, fixtureIDs)
	}
	logits, err := f.Float32("logits")
	if err != nil {
		t.Fatal(err)
	}
	if !tensor.SameShape(logits.Shape, []int{2, 13, 101}) || logits.Data[0] != fixtureFirst || logits.At(1, 12, 100) != fixtureLast {
		t.Errorf("logits %v, first %v, last %v; want %v, %v", logits.Shape, logits.Data[0], logits.At(1, 12, 100), fixtureFirst, fixtureLast)
	}
	if i, v, found, err := f.NonFinite("logits"); found || err != nil {
		t.Errorf("logits hold %v at %d (%v)", v, i, err)
	}
}

func TestWriteReadsBack(t *testing.T) {
	ts := []weights.Tensor{
		{Name: "b <&> \"é\"", Dense: tensor.From([]float32{1, -2, 3.5, 0, 1e-40, 7}, 2, 3)},
		{Name: "ids", Ints: []int64{-1, 1 << 40}, Shape: []int{2}},
		{Name: "scalar", Dense: tensor.From([]float32{4})},
		{Name: "empty", Dense: tensor.New(0, 3)},
		{Name: "a", Dense: tensor.From([]float32{9}, 1)},
	}
	meta := map[string]string{"z": "last", "a": "<first>"}
	var first, second bytes.Buffer
	if err := errors.Join(weights.Write(&first, ts, meta), weights.Write(&second, ts, meta)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two writes of the same tensors differ")
	}
	f, err := weights.Parse("written", first.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range f.Names() {
		if name != ts[i].Name {
			t.Errorf("tensor %d is %q, want %q", i, name, ts[i].Name)
		}
		if ts[i].Dense == nil {
			continue
		}
		d, err := f.Float32(name)
		if err != nil || !d.EqualBits(ts[i].Dense) {
			t.Errorf("%q: got %v (%v), want %v", name, d, err, ts[i].Dense)
		}
	}
	ids, shape, err := f.Int64s("ids")
	if err != nil || !reflect.DeepEqual(ids, ts[1].Ints) || !reflect.DeepEqual(shape, []int{2}) {
		t.Errorf("ids %v %v (%v)", ids, shape, err)
	}
	if !reflect.DeepEqual(f.Metadata(), meta) {
		t.Errorf("metadata %v, want %v", f.Metadata(), meta)
	}
}

func TestWriteRefuses(t *testing.T) {
	x := tensor.New(1)
	for _, c := range []struct {
		name string
		ts   []weights.Tensor
	}{
		{"name twice", []weights.Tensor{{Name: "w", Dense: x}, {Name: "w", Dense: x}}},
		{"reserved name", []weights.Tensor{{Name: "__metadata__", Dense: x}}},
		{"name not UTF-8", []weights.Tensor{{Name: "\xff", Dense: x}}},
		{"dense and ints", []weights.Tensor{{Name: "w", Dense: x, Ints: []int64{1}, Shape: []int{1}}}},
		{"ints of another shape", []weights.Tensor{{Name: "w", Ints: []int64{1}, Shape: []int{2}}}},
		{"dense of another shape", []weights.Tensor{{Name: "w", Dense: &tensor.Dense{Shape: []int{2}, Data: []float32{1}}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "w.safetensors")
			if err := weights.WriteFile(path, c.ts, nil); err == nil {
				t.Error("accepted")
			}
			if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
				t.Errorf("left %v behind", left)
			}
		})
	}
}

// A failed write leaves the old file as it was.
func TestWriteFileKeepsTheOld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.safetensors")
	good := []weights.Tensor{{Name: "w", Dense: tensor.From([]float32{1, 2}, 2)}}
	if err := weights.WriteFile(path, good, nil); err != nil {
		t.Fatal(err)
	}
	if err := weights.WriteFile(path, append(good, good...), nil); err == nil {
		t.Fatal("a name given twice was accepted")
	}
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if d, err := f.Float32("w"); err != nil || !d.EqualBits(good[0].Dense) {
		t.Errorf("got %v (%v)", d, err)
	}
}

// shards writes a directory with an index and files of one F32 element each.
func shards(t *testing.T, index map[string]string, files map[string][]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, tensors := range files {
		var ts []weights.Tensor
		for i, tn := range tensors {
			ts = append(ts, weights.Tensor{Name: tn, Dense: tensor.From([]float32{float32(i)}, 1)})
		}
		if err := weights.WriteFile(filepath.Join(dir, name), ts, nil); err != nil {
			t.Fatal(err)
		}
	}
	text := `{"metadata":{"total_size":8},"weight_map":{`
	sep := ""
	for k, v := range index {
		text += fmt.Sprintf("%s%q:%q", sep, k, v)
		sep = ","
	}
	if err := os.WriteFile(filepath.Join(dir, "model.safetensors.index.json"), []byte(text+"}}"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestShards(t *testing.T) {
	const one, two = "m-1.safetensors", "m-2.safetensors"
	for _, c := range []struct {
		name  string
		index map[string]string
		files map[string][]string
		says  []string // nil when it must open
	}{
		{"good", map[string]string{"a": one, "b": two}, map[string][]string{one: {"a"}, two: {"b"}}, nil},
		{"missing shard", map[string]string{"a": one, "b": two}, map[string][]string{one: {"a"}}, []string{two, "missing", `"b"`}},
		{"absent tensor", map[string]string{"a": one, "b": two}, map[string][]string{one: {"a"}, two: {}}, []string{`"b"`, two}},
		{"other shard", map[string]string{"a": one, "b": two}, map[string][]string{one: {"a", "b"}, two: {}}, []string{`"b"`, one, two}},
		{"in two shards", map[string]string{"a": one, "b": two}, map[string][]string{one: {"a"}, two: {"b", "a"}}, []string{`"a"`, one, two}},
		{"not listed", map[string]string{"a": one}, map[string][]string{one: {"a", "b"}}, []string{`"b"`, "not listed"}},
		{"path upward", map[string]string{"a": "../m.safetensors"}, nil, []string{`"a"`, "../m.safetensors", "plain name"}},
		{"absolute path", map[string]string{"a": "/etc/m.safetensors"}, nil, []string{"/etc/m.safetensors", "plain name"}},
		{"another format", map[string]string{"a": "pytorch_model.bin"}, nil, []string{"pytorch_model.bin"}},
		{"nothing", nil, nil, []string{"weight_map"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := weights.Open(shards(t, c.index, c.files))
			if c.says == nil {
				if err != nil {
					t.Fatal(err)
				}
				if got := f.Names(); !reflect.DeepEqual(got, []string{"a", "b"}) {
					t.Errorf("names %v", got)
				}
				if err := f.Close(); err != nil {
					t.Error(err)
				}
				return
			}
			var fe *weights.FormatError
			if !errors.As(err, &fe) {
				t.Fatalf("got %v, want a FormatError", err)
			}
			for _, word := range c.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("message %q does not say %q", err, word)
				}
			}
		})
	}
}

func TestIndexRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, says string }{
		{"cut short", `{"weight_map":{"a":"m.safe`, "JSON"},
		{"tensor twice", `{"weight_map":{"a":"m.safetensors","a":"n.safetensors"}}`, "twice"},
		{"list", `["a"]`, "["},
		{"number as shard", `{"weight_map":{"a":1}}`, `"a"`},
		{"more behind", `{"weight_map":{"a":"m.safetensors"}} x`, "only spaces"},
		{"no map", `{"metadata":{}}`, "no weight_map"},
		{"map twice", `{"weight_map":{"a":"m.safetensors"},"weight_map":{}}`, "twice"},
		{"backslash", `{"weight_map":{"a":"..\\m.safetensors"}}`, "plain name"},
		{"dots", `{"weight_map":{"a":".."}}`, "plain name"},
		{"deep nesting", `{"x":` + strings.Repeat("[", 20000) + `}`, "JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.index.json")
			if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := weights.Open(path); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an error that says %q", err, c.says)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := weights.Open(filepath.Join(dir, "none.safetensors")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: got %v, want fs.ErrNotExist", err)
	}
	if _, err := weights.Open(dir); err == nil || !strings.Contains(err.Error(), "neither model.safetensors") {
		t.Errorf("empty directory: got %v", err)
	}
	empty := filepath.Join(dir, "other.safetensors")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := weights.Open(dir); err == nil || !strings.Contains(err.Error(), "other.safetensors") {
		t.Errorf("directory with another file: got %v", err)
	}
	if _, err := weights.Open(empty); err == nil || !strings.Contains(err.Error(), "found 0") {
		t.Errorf("empty file: got %v", err)
	}
	if _, err := weights.Open(os.DevNull); err == nil || !strings.Contains(err.Error(), "regular file") {
		t.Errorf("device: got %v", err)
	}
}

func TestCheck(t *testing.T) {
	f, err := weights.Parse("m", shard(headerOf(
		field{"blocks.0.attn.W_Q", "F32", "[2,3]", 0, 24},
		field{"embed.W_E", "F32", "[1]", 24, 28},
	), make([]byte, 28)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		want []weights.Expect
		says []string
	}{
		{"all there", []weights.Expect{{Name: "embed.W_E", Shape: []int{1}}, {Name: "blocks.0.attn.W_Q"}}, nil},
		{"optional missing", []weights.Expect{{Name: "b", Shape: []int{1}, Optional: true}}, nil},
		{"optional of another shape", []weights.Expect{{Name: "embed.W_E", Shape: []int{2}, Optional: true}}, []string{`"embed.W_E"`, "[2]", "[1]"}},
		{"transposed", []weights.Expect{{Name: "blocks.0.attn.W_Q", Shape: []int{3, 2}}}, []string{"expected shape [3 2]", "found [2 3]"}},
		{"missing", []weights.Expect{{Name: "blocks.0.attn.W_K", Shape: []int{2, 3}}}, []string{`"blocks.0.attn.W_K"`, "[2 3]", `nearest: "blocks.0.attn.W_Q"`}},
		{"two at once", []weights.Expect{{Name: "x", Shape: []int{1}}, {Name: "embed.W_E", Shape: []int{7}}}, []string{`"x"`, "[7]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := f.Check(c.want)
			if c.says == nil {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			var me *weights.MismatchError
			if !errors.As(err, &me) {
				t.Fatalf("got %v, want a MismatchError", err)
			}
			for _, word := range c.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("message %q does not say %q", err, word)
				}
			}
		})
	}
	if _, err := f.Float32("embed.W_U"); err == nil || !strings.Contains(err.Error(), "embed.W_E") {
		t.Errorf("reading a missing tensor: got %v, want the nearest name", err)
	}
}
