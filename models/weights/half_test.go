package weights

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
)

// Every half is its own rounding, every midpoint between two goes to the even
// one, and what lies a float32 beside the midpoint to the nearer.
func TestHalfRounding(t *testing.T) {
	for h := uint16(0); h < 0x7c00; h++ {
		v := float32FromHalf(h)
		for _, s := range []struct {
			x    float32
			want uint16
		}{{v, h}, {-v, h | 0x8000}} {
			if got := halfFromFloat32(s.x); got != s.want {
				t.Fatalf("%v becomes %#x, want %#x", s.x, got, s.want)
			}
		}
		if h == 0x7bff {
			break
		}
		middle := (v + float32FromHalf(h+1)) / 2 // exact in float32
		even := h + h&1
		for _, s := range []struct {
			x    float32
			want uint16
		}{
			{middle, even},
			{math.Nextafter32(middle, 0), h},
			{math.Nextafter32(middle, 1e6), h + 1},
		} {
			if got := halfFromFloat32(s.x); got != s.want {
				t.Fatalf("%v between %#x and %#x becomes %#x, want %#x", s.x, h, h+1, got, s.want)
			}
		}
	}
	for v, want := range map[float32]uint16{65504: 0x7bff, 65519.996: 0x7bff, 65520: 0x7c00, 1e-30: 0, 2.9802322e-08: 0, 2.9802326e-08: 1} {
		if got := halfFromFloat32(v); got != want {
			t.Errorf("%v becomes %#x, want %#x", v, got, want)
		}
	}
}

func TestWriteHalves(t *testing.T) {
	values := make([]float32, 5000)
	for i := range values {
		values[i] = float32(i) / 7
	}
	var b bytes.Buffer
	if err := WriteHalves(&b, values); err != nil || b.Len() != 2*len(values) {
		t.Fatalf("%d bytes (%v), want %d", b.Len(), err, 2*len(values))
	}
	for i, v := range values {
		got := float32FromHalf(binary.LittleEndian.Uint16(b.Bytes()[2*i:]))
		if !(math.Abs(float64(got-v)) <= float64(v)/2048) {
			t.Fatalf("value %d: %v, want %v to 11 bits", i, got, v)
		}
	}
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(-1)), 70000} {
		if err := WriteHalves(&b, []float32{1, bad}); err == nil {
			t.Errorf("%v was written", bad)
		}
	}
}
