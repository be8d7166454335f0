package probe_test

import (
	"reflect"
	"strings"
	"testing"

	"orrery/probe"
)

// TestAdditionFormatsGolden compares sums as text, and digits in groups of three.
func TestAdditionFormatsGolden(t *testing.T) {
	var want struct {
		Expect struct {
			Addition []struct {
				A, B                           int
				Plain, Reverse, Padded, Spaced string
				All                            string `json:"reverse_all_operands_too"`
			}
			Chunks []struct {
				Number     string
				CommaLeft  string `json:"comma_l2r"`
				CommaRight string `json:"comma_r2l"`
				Space      string `json:"space_r2l"`
				Foo        string `json:"foo_r2l"`
			}
		}
	}
	probesCase(t, "09-digits", "formats", &want)
	for _, w := range want.Expect.Addition {
		for f, text := range map[probe.AdditionFormat]string{
			probe.PlainSum: w.Plain, probe.ReversedSum: w.Reverse, probe.PaddedSum: w.Padded, probe.SpacedSum: w.Spaced, probe.AllReversed: w.All,
		} {
			if got := must(probe.FormatAddition(w.A, w.B, f))(t); got != text {
				t.Errorf("%s: %q, want %q", f, got, text)
			}
		}
	}
	for _, w := range want.Expect.Chunks {
		got := []string{probe.ChunkDigits(w.Number, ",", false), probe.ChunkDigits(w.Number, ",", true), probe.ChunkDigits(w.Number, " ", true), probe.ChunkDigits(w.Number, " foo ", true)}
		if want := []string{w.CommaLeft, w.CommaRight, w.Space, w.Foo}; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", w.Number, got, want)
		}
	}
	for _, bad := range []error{second(probe.FormatAddition(-1, 2, probe.PlainSum)), second(probe.FormatAddition(1, 2, "roman"))} {
		if bad == nil {
			t.Error("a bad sum passes")
		}
	}
}

// TestDigitPositionsGolden compares the positions of abacus embeddings and of
// position coupling.
func TestDigitPositionsGolden(t *testing.T) {
	var want struct {
		Expect struct {
			Abacus []struct {
				Text string
				IDs  []int
				Far  []int `json:"ids_offset_17"`
			}
			Coupling []struct {
				A, B         string
				Start        int
				Reverse, Pad bool
				Tokens       []string
				IDs          []int
			} `json:"position_coupling"`
		}
	}
	probesCase(t, "10-embeddings", "positions", &want)
	for _, w := range want.Expect.Abacus {
		if near, far := probe.AbacusPositions(w.Text, 0), probe.AbacusPositions(w.Text, 17); !reflect.DeepEqual(near, w.IDs) || !reflect.DeepEqual(far, w.Far) {
			t.Errorf("%q: %v and %v, want %v and %v", w.Text, near, far, w.IDs, w.Far)
		}
	}
	for _, w := range want.Expect.Coupling {
		tokens, ids, err := probe.CoupledPositions(w.A, w.B, probe.CoupledOptions{Start: w.Start, Reverse: w.Reverse, Pad: w.Pad})
		if err != nil || !reflect.DeepEqual(tokens, w.Tokens) || !reflect.DeepEqual(ids, w.IDs) {
			t.Errorf("%s+%s: %q at %v, %v; want %q at %v", w.A, w.B, tokens, ids, err, w.Tokens, w.IDs)
		}
	}
	for _, bad := range []struct{ a, b string }{{"", "1"}, {"1", "x"}, {"-1", "2"}, {"+1", "2"}, {strings.Repeat("9", 19), "1"}} {
		if _, _, err := probe.CoupledPositions(bad.a, bad.b, probe.CoupledOptions{Start: 1}); err == nil {
			t.Errorf("%q+%q passes", bad.a, bad.b)
		}
	}
	if _, _, err := probe.CoupledPositions("1", "2", probe.CoupledOptions{}); err == nil {
		t.Error("start 0 passes")
	}
}
