package weights_test

import (
	"encoding/binary"
	"math"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"orrery/models/weights"
)

// one opens a file with the single tensor "w".
func one(t *testing.T, dtype, shape string, data []byte) *weights.File {
	t.Helper()
	f, err := weights.Parse("one", shard(headerOf(field{"w", dtype, shape, 0, len(data)}), data))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Every one of the 65536 halves against the definition of IEEE 754 binary16.
func TestHalfWidening(t *testing.T) {
	data := make([]byte, 0, 2<<16)
	for h := range 1 << 16 {
		data = binary.LittleEndian.AppendUint16(data, uint16(h))
	}
	got, err := one(t, "F16", "[65536]", data).Float32("w")
	if err != nil {
		t.Fatal(err)
	}
	for h := range 1 << 16 {
		sign, exp, frac := 1.0, h>>10&31, float64(h&1023)
		if h>>15 == 1 {
			sign = -1
		}
		want := sign * math.Ldexp(1+frac/1024, exp-15)
		switch {
		case exp == 0:
			want = math.Copysign(math.Ldexp(frac/1024, -14), sign)
		case exp == 31 && frac == 0:
			want = math.Inf(int(sign))
		case exp == 31:
			if v := float64(got.Data[h]); !math.IsNaN(v) {
				t.Errorf("half %#04x: got %g, want NaN", h, v)
			}
			continue
		}
		if v := float64(got.Data[h]); v != want || math.Signbit(v) != math.Signbit(want) {
			t.Errorf("half %#04x: got %g, want %g", h, v, want)
		}
	}
}

// A bfloat16 is by definition the float32 whose lower sixteen bits are zero.
func TestBFloatWidening(t *testing.T) {
	got, err := one(t, "BF16", "[4]", []byte{0x80, 0x3f, 0x49, 0xc0, 0x80, 0x7f, 0x01, 0x00}).Float32("w")
	if err != nil {
		t.Fatal(err)
	}
	want := []float32{1, -3.140625, float32(math.Inf(1)), float32(math.Ldexp(1, -133))}
	if !reflect.DeepEqual(got.Data, want) {
		t.Errorf("got %v, want %v", got.Data, want)
	}
}

func TestDoubleIsRounded(t *testing.T) {
	data := binary.LittleEndian.AppendUint64(nil, math.Float64bits(0.1))
	data = binary.LittleEndian.AppendUint64(data, math.Float64bits(1+math.Ldexp(1, -24))) // a tie: to even
	got, err := one(t, "F64", "[2]", data).Float32("w")
	if err != nil {
		t.Fatal(err)
	}
	if got.Data[0] != 0.1 || got.Data[1] != 1 {
		t.Errorf("got %v, want [0.1 1]", got.Data)
	}
}

func TestIntegers(t *testing.T) {
	for _, c := range []struct {
		dtype string
		data  []byte
		want  []int64
	}{
		{"I64", []byte{0xfe, 255, 255, 255, 255, 255, 255, 255}, []int64{-2}},
		{"U64", []byte{1, 0, 0, 0, 0, 0, 0, 0x40}, []int64{1 + 1<<62}},
		{"I32", []byte{0xff, 255, 255, 255, 2, 0, 0, 0}, []int64{-1, 2}},
		{"U32", []byte{0xff, 255, 255, 255}, []int64{1<<32 - 1}},
		{"I16", []byte{0, 0x80, 5, 0}, []int64{-32768, 5}},
		{"U16", []byte{0, 0x80}, []int64{32768}},
		{"I8", []byte{0x80, 0x7f}, []int64{-128, 127}},
		{"U8", []byte{0x80, 0x7f}, []int64{128, 127}},
		{"BOOL", []byte{0, 1}, []int64{0, 1}},
	} {
		t.Run(c.dtype, func(t *testing.T) {
			n := len(c.want)
			f := one(t, c.dtype, "[1,"+string(rune('0'+n))+"]", c.data)
			got, shape, err := f.Int64s("w")
			if err != nil || !reflect.DeepEqual(got, c.want) || !reflect.DeepEqual(shape, []int{1, n}) {
				t.Errorf("got %v of shape %v (%v), want %v", got, shape, err, c.want)
			}
			if _, err := f.Float32("w"); err == nil || !strings.Contains(err.Error(), c.dtype) {
				t.Errorf("as float32: got error %v, want one that names %s", err, c.dtype)
			}
		})
	}
	big := one(t, "U64", "[1]", []byte{0, 0, 0, 0, 0, 0, 0, 0x80})
	if _, _, err := big.Int64s("w"); err == nil || !strings.Contains(err.Error(), "9223372036854775808") {
		t.Errorf("U64 of 2^63: got %v, want an error with the value", err)
	}
	if _, _, err := one(t, "F32", "[1]", floats(1)).Int64s("w"); err == nil {
		t.Error("F32 as integers accepted")
	}
}

func TestNonFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	half := func(h ...uint16) (b []byte) {
		for _, v := range h {
			b = binary.LittleEndian.AppendUint16(b, v)
		}
		return b
	}
	for _, c := range []struct {
		name, dtype, shape string
		data               []byte
		index              int
		found              bool
	}{
		{"finite", "F32", "[2,2]", floats(1, -math.MaxFloat32, 0, math.SmallestNonzeroFloat32), 0, false},
		{"nan", "F32", "[2,2]", floats(1, 2, 3, nan), 3, true},
		{"infinity first", "F32", "[2,2]", floats(1, inf, 3, nan), 1, true},
		{"half infinity", "F16", "[2]", half(0x3c00, 0x7c00), 1, true},
		{"half largest", "F16", "[2]", half(0x7bff, 0xfbff), 0, false},
		{"bfloat nan", "BF16", "[2]", half(0x7fc0, 0), 0, true},
		{"double beyond float32", "F64", "[1]", binary.LittleEndian.AppendUint64(nil, math.Float64bits(1e39)), 0, true},
		{"integers", "I32", "[1]", []byte{0, 0, 0x80, 0x7f}, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			index, value, found, err := one(t, c.dtype, c.shape, c.data).NonFinite("w")
			if index != c.index || found != c.found || err != nil {
				t.Errorf("got index %d, found %v (%v); want %d, %v", index, found, err, c.index, c.found)
			}
			if v := float64(value); found && !math.IsNaN(v) && !math.IsInf(v, 0) {
				t.Errorf("value %g is finite", value)
			}
		})
	}
	if _, _, found, _ := one(t, "F32", "[1]", floats(nan)).NonFinite("other"); found {
		t.Error("found in a tensor that is not there")
	}
}

// Data that do not lie at a multiple of four bytes are copied, not aliased.
func TestUnalignedData(t *testing.T) {
	for pad := range 5 {
		b := shard(headerOf(field{"w", "F32", "[2]", 0, 8})+strings.Repeat(" ", pad), floats(1.5, -2))
		f, err := weights.Parse("pad", b)
		if err != nil {
			t.Fatal(err)
		}
		d, err := f.Float32("w")
		if err != nil || d.Data[0] != 1.5 || d.Data[1] != -2 {
			t.Errorf("%d spaces: got %v (%v)", pad, d, err)
		}
		if at := uintptr(unsafe.Pointer(&d.Data[0])); at%4 != 0 {
			t.Errorf("%d spaces: values lie at %#x, not at a multiple of four", pad, at)
		}
	}
}
