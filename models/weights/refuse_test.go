package weights_test

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"orrery/models/tensor"
	"orrery/models/weights"
)

// corruptions are files that must be refused, with words that the message must
// hold: the tensor, what was expected and what was found.
var corruptions = []struct {
	name string
	file []byte
	says []string
}{
	{"empty", nil, []string{"at least 8 bytes", "found 0"}},
	{"seven bytes", make([]byte, 7), []string{"found 7"}},
	{"no header", make([]byte, 8), []string{"not complete JSON"}},
	{"header beyond the file", binary.LittleEndian.AppendUint64(nil, 1000), []string{"1000 bytes", "only 0 bytes follow"}},
	{"header beyond the limit", binary.LittleEndian.AppendUint64(nil, weights.MaxHeader+1), []string{"100000001", "100000000"}},
	{"header length overflows", binary.LittleEndian.AppendUint64(nil, math.MaxUint64), []string{"18446744073709551615"}},
	{"pickle", []byte("PK\x03\x04 archive of something else entirely"), []string{"safetensors"}},
	{"not an object", shard(`[1]`, nil), []string{"JSON object", "["}},
	{"header cut in a key", shard(`{"w":{"dty`, nil), []string{"not complete JSON"}},
	{"second object", shard(`{}{}`, nil), []string{"only spaces"}},
	{"not UTF-8", shard("{\"\xff\":1}", nil), []string{"UTF-8"}},
	{"duplicate tensor", shard(headerOf(field{"w", "F32", "[1]", 0, 4}, field{"w", "F32", "[1]", 4, 8}), make([]byte, 8)), []string{`"w"`, "twice"}},
	{"duplicate tensor spelled with an escape", shard(strings.Replace(headerOf(field{"w", "F32", "[1]", 0, 4}, field{"@", "F32", "[1]", 4, 8}), "@", `\u0077`, 1), make([]byte, 8)), []string{"twice"}},
	{"duplicate field", shard(`{"w":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, make([]byte, 4)), []string{`tensor "w"`, `"dtype"`, "twice"}},
	{"duplicate metadata", shard(`{"__metadata__":{"k":"1","k":"2"}}`, nil), []string{`"k"`, "twice"}},
	{"metadata not strings", shard(`{"__metadata__":{"k":1}}`, nil), []string{"__metadata__", `"k"`, "string"}},
	{"missing shape", shard(`{"w":{"dtype":"F32","data_offsets":[0,4]}}`, make([]byte, 4)), []string{`tensor "w"`, "found 2"}},
	{"unknown field", shard(`{"w":{"dtype":"F32","stride":[1],"shape":[1],"data_offsets":[0,4]}}`, make([]byte, 4)), []string{`tensor "w"`, "stride"}},
	{"unknown type", shard(headerOf(field{"w", "F8_E5M2", "[4]", 0, 4}), make([]byte, 4)), []string{`tensor "w"`, "F8_E5M2", "BF16"}},
	{"type not a string", shard(`{"w":{"dtype":3,"shape":[1],"data_offsets":[0,4]}}`, make([]byte, 4)), []string{`tensor "w"`, "dtype 3"}},
	{"three offsets", shard(`{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}`, make([]byte, 4)), []string{`tensor "w"`, "data_offsets", "more than 2"}},
	{"one offset", shard(`{"w":{"dtype":"F32","shape":[1],"data_offsets":[4]}}`, make([]byte, 4)), []string{`tensor "w"`, "[4]", "a begin and an end"}},
	{"offsets backwards", shard(`{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, make([]byte, 4)), []string{`tensor "w"`, "[4 0]"}},
	{"negative shape", shard(headerOf(field{"w", "F32", "[-1]", 0, 4}), make([]byte, 4)), []string{`tensor "w"`, "shape", "-1"}},
	{"fractional shape", shard(headerOf(field{"w", "F32", "[1.0]", 0, 4}), make([]byte, 4)), []string{`tensor "w"`, "1.0"}},
	{"shape product overflows to the right size", shard(headerOf(field{"w", "F32", "[4294967296,4294967296,1]", 0, 0}), nil), []string{`tensor "w"`, "4294967296", "overflows"}},
	{"byte length overflows", shard(headerOf(field{"w", "F64", "[2305843009213693952]", 0, 0}), nil), []string{`tensor "w"`, "overflows"}},
	{"dimension beyond 63 bits", shard(headerOf(field{"w", "F32", "[18446744073709551616]", 0, 4}), make([]byte, 4)), []string{`tensor "w"`, "18446744073709551616"}},
	{"shape is not the byte length", shard(headerOf(field{"w", "F32", "[2,3]", 0, 20}), make([]byte, 20)), []string{`tensor "w"`, "[2 3]", "expects 24 bytes", "of 20"}},
	{"data cut short", shard(headerOf(field{"a", "F32", "[1]", 0, 4}, field{"w", "F32", "[2]", 4, 12}), make([]byte, 10)), []string{`tensor "w"`, "expected 12 bytes", "found 10"}},
	{"offsets far behind the end", shard(headerOf(field{"w", "U8", "[4000000000000]", 0, 4000000000000}), make([]byte, 4)), []string{`tensor "w"`, "4000000000000", "found 4"}},
	{"overlap", shard(headerOf(field{"a", "F32", "[2]", 0, 8}, field{"w", "F32", "[2]", 4, 12}), make([]byte, 12)), []string{`tensor "w"`, "[4,12)", `"a"`}},
	{"two tensors on the same bytes", shard(headerOf(field{"a", "F32", "[1]", 0, 4}, field{"w", "F32", "[1]", 0, 4}), make([]byte, 4)), []string{"overlap"}},
	{"hole", shard(headerOf(field{"a", "F32", "[1]", 0, 4}, field{"w", "F32", "[1]", 8, 12}), make([]byte, 12)), []string{`tensor "w"`, "hole", `"a"`}},
	{"hole in front", shard(headerOf(field{"w", "F32", "[1]", 4, 8}), make([]byte, 8)), []string{`tensor "w"`, "hole", "header"}},
	{"bytes behind the last", shard(headerOf(field{"w", "F32", "[1]", 0, 4}), make([]byte, 9)), []string{"expected 4 bytes", "found 9", `"w"`}},
	{"empty tensor within another", shard(headerOf(field{"a", "F32", "[2]", 0, 8}, field{"w", "F32", "[0]", 4, 4}), make([]byte, 8)), []string{`tensor "w"`, "[4,4)", `"a"`}},
	{"empty tensor behind the end", shard(headerOf(field{"a", "F32", "[2]", 0, 8}, field{"w", "F32", "[0]", 12, 12}), make([]byte, 8)), []string{`tensor "w"`, "expected 12 bytes", "found 8"}},
	{"empty tensor with bytes", shard(headerOf(field{"w", "F32", "[0,4]", 0, 16}), make([]byte, 16)), []string{`tensor "w"`, "[0 4]", "expects 0 bytes", "of 16"}},
	{"a very long type", shard(headerOf(field{"w", strings.Repeat("F32", 1000), "[1]", 0, 4}), make([]byte, 4)), []string{`tensor "w"`, "F32F32", "..."}},
	{"a very long shape", shard(headerOf(field{"w", "F32", "[" + strings.Repeat("2,", 5000) + "2]", 0, 4}), make([]byte, 4)), []string{`tensor "w"`, "shape: more than 64 numbers"}},
	{"very many offsets", shard(`{"w":{"dtype":"F32","shape":[1],"data_offsets":[`+strings.Repeat("0,", 5000)+`4]}}`, make([]byte, 4)), []string{`tensor "w"`, "data_offsets: more than 2 numbers"}},
	{"a shape of 64 that overflows", shard(headerOf(field{"w", "F32", "[" + strings.Repeat("2,", 63) + "2]", 0, 4}), make([]byte, 4)), []string{`tensor "w"`, "[2 2 2", "...", "overflows"}},
	{"a number as shape", shard(`{"w":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}`, make([]byte, 4)), []string{`tensor "w"`, "a list as shape", "found 1"}},
	{"shape within shape", shard(`{"w":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}`, make([]byte, 4)), []string{`tensor "w"`, "shape", "["}},
	{"deep nesting", shard(strings.Repeat(`{"w":`, 20000), nil), []string{`tensor "w"`, "unknown key"}},
	{"null as tensor", shard(`{"w":null}`, nil), []string{`tensor "w"`, "dtype, shape and data_offsets"}},
	{"bytes without a tensor", shard(`{}`, make([]byte, 1)), []string{"found 1"}},
}

func TestParseRefuses(t *testing.T) {
	for _, c := range corruptions {
		t.Run(c.name, func(t *testing.T) {
			_, err := weights.Parse("x.safetensors", c.file)
			var fe *weights.FormatError
			if !errors.As(err, &fe) {
				t.Fatalf("got %v, want a FormatError", err)
			}
			if n := len(err.Error()); n > 600 {
				t.Errorf("a message of %d bytes: %.100s", n, err)
			}
			for _, word := range append(c.says, "x.safetensors") {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("message %q does not say %q", err, word)
				}
			}
		})
	}
}

// A header that claims much must cost no more than its own size: 40 bytes of
// header that name terabytes must not make the reader allocate them. No other test runs at the same time.
func TestRefusingIsCheap(t *testing.T) {
	for _, c := range corruptions {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, err := weights.Parse("x", c.file); err == nil {
				t.Error("accepted")
			}
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > 64<<10 {
				t.Errorf("allocated %d bytes to refuse %d", got, len(c.file))
			}
		})
	}
}

// The order of the header need not be that of the data.
func TestUnsortedOffsets(t *testing.T) {
	f, err := weights.Parse("x", shard(headerOf(field{"b", "F32", "[1]", 8, 12}, field{"e", "F32", "[0]", 8, 8}, field{"a", "F32", "[2]", 0, 8}), floats(1, 2, 3)))
	if err != nil {
		t.Fatal(err)
	}
	a, errA := f.Float32("a")
	b, errB := f.Float32("b")
	e, errE := f.Float32("e")
	if errA != nil || errB != nil || errE != nil || a.Data[0] != 1 || a.Data[1] != 2 || b.Data[0] != 3 || e.Len() != 0 {
		t.Errorf("a %v (%v), b %v (%v), e %v (%v)", a, errA, b, errB, e, errE)
	}
}

// Every prefix of a good file is refused.
func TestEveryTruncationIsRefused(t *testing.T) {
	good := shard(headerOf(field{"a", "F32", "[2]", 0, 8}, field{"b", "I16", "[3]", 8, 14}), make([]byte, 14))
	if _, err := weights.Parse("whole", good); err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if _, err := weights.Parse("cut", good[:n]); err == nil {
			t.Errorf("prefix of %d of %d bytes accepted", n, len(good))
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range corruptions {
		f.Add(c.file)
	}
	f.Add(shard(headerOf(field{"a", "F32", "[2]", 0, 8}, field{"e", "BF16", "[0,3]", 8, 8}, field{"s", "I64", "[]", 8, 16}), make([]byte, 16)))
	f.Add(shard(`{"__metadata__":{"format":"pt"},"h":{"shape":[2],"dtype":"F16","data_offsets":[0,4]}}  `, make([]byte, 4)))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := weights.Parse("fuzz", b)
		if err != nil {
			return
		}
		// What is accepted must hold together: every value readable, the sizes
		// of all tensors adding up to the file's.
		total := 0
		for _, name := range file.Names() {
			info, ok := file.Info(name)
			if !ok {
				t.Fatalf("listed tensor %q has no info", name)
			}
			n := info.DType.Size()
			for _, s := range info.Shape {
				n *= s
			}
			total += n
			if _, _, _, err := file.NonFinite(name); err != nil {
				t.Fatal(err)
			}
			if info.DType.Float() {
				if d, err := file.Float32(name); err != nil || d.Len()*info.DType.Size() != n {
					t.Fatalf("tensor %q: %v", name, err)
				}
			} else if v, _, err := file.Int64s(name); err == nil && len(v)*info.DType.Size() != n {
				t.Fatalf("tensor %q: %d values for %d bytes", name, len(v), n)
			}
		}
		if head := 8 + int(binary.LittleEndian.Uint64(b)); head+total != len(b) {
			t.Fatalf("header %d and tensors %d are not the file's %d bytes", head, total, len(b))
		}
	})
}

// FuzzIndex feeds the index beside two good shards: it is refused, or every
// tensor that it lists can be read.
func FuzzIndex(f *testing.F) {
	dir := f.TempDir()
	for i, name := range []string{"m-1.safetensors", "m-2.safetensors"} {
		tensors := []weights.Tensor{{Name: string(rune('a' + i)), Dense: tensor.From([]float32{float32(i)}, 1)}}
		if err := weights.WriteFile(filepath.Join(dir, name), tensors, nil); err != nil {
			f.Fatal(err)
		}
	}
	for _, text := range []string{
		`{"metadata":{"total_size":8},"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}}`,
		`{"weight_map":{"a":"m-1.safetensors"}}`, `{"weight_map":{"a":"m-2.safetensors","b":"m-1.safetensors"}}`,
		`{"weight_map":{"a":"../m-1.safetensors"}}`, `{"weight_map":{"a":"m-9.safetensors"}}`, `{"weight_map":{"a":null}}`,
		`{"weight_map":{},"weight_map":{}}`, `{"weight_map":[]}`, `[]`, ``, `{"weight_map":{"a":"m-1.safetensors"}} x`,
		`{"weight_map":{"` + strings.Repeat("\x7f", 500) + `":"` + strings.Repeat("\x7f", 500) + `"}}`,
	} {
		f.Add([]byte(text))
	}
	path := filepath.Join(dir, "model.safetensors.index.json")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := weights.Open(path)
		if err != nil {
			if _, shardsErr := weights.Shards(path); shardsErr != nil && len(shardsErr.Error()) > 1000 {
				t.Errorf("a message of %d bytes", len(shardsErr.Error()))
			}
			return
		}
		defer file.Close()
		for _, name := range file.Names() {
			if _, err := file.Float32(name); err != nil {
				t.Error(err)
			}
		}
	})
}
