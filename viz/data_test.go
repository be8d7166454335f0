package viz_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"orrery/viz"
)

// readCSV returns a figure's CSV as one map a row.
func readCSV(t *testing.T, f *viz.Figure) (header []string, rows []map[string]string) {
	t.Helper()
	raw := export(t, f, "csv", viz.Options{})
	if !bytes.Contains(raw, []byte("\r\n")) {
		t.Error("lines do not end in CRLF")
	}
	all, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all[1:] {
		m := map[string]string{}
		for i, field := range r {
			m[all[0][i]] = field
		}
		rows = append(rows, m)
	}
	return all[0], rows
}

// same reports whether a CSV field is an array's number: its exact float32,
// or empty where it is not there.
func same(field string, a *viz.Array, i int) bool {
	v, state := a.At(i)
	if state != viz.Done {
		return field == ""
	}
	got, err := strconv.ParseFloat(field, 32)
	return err == nil && (float32(got) == v || math.IsNaN(got) && math.IsNaN(float64(v)))
}

func TestCSVTokens(t *testing.T) {
	for name, f := range map[string]*viz.Figure{"sample": sampleTokens(), "odd": oddTokens()} {
		t.Run(name, func(t *testing.T) {
			header, rows := readCSV(t, f)
			want := strings.Fields("layer_index layer position_index position position_id cell prob logit rank entropy kl logprob_diff target top_1 top_1_value top_2 top_2_value top_3 top_3_value state")
			if !slices.Equal(header, want) {
				t.Errorf("header %q, want %q", header, want)
			}
			if len(rows) != 35 {
				t.Fatalf("%d rows, want 35", len(rows))
			}
			for i, r := range rows {
				for _, m := range f.Tokens.Metrics {
					if !same(r[m.Name], f.Arrays[m.Values], i) {
						t.Errorf("row %d %s: %q, want %v", i, m.Name, r[m.Name], f.Arrays[m.Values].Data[i])
					}
				}
				if r["layer"] != f.Tokens.Rows.Labels[i/5] || r["position"] != f.Tokens.Columns.Labels[i%5] || r["cell"] != f.Texts["cell"].Values[i] {
					t.Errorf("row %d: %v", i, r)
				}
				if !same(r["top_2_value"], f.Arrays["top_prob"], 3*i+1) || r["target"] != f.Tokens.Target[i%5] {
					t.Errorf("row %d: %v", i, r)
				}
				state := "done"
				if name == "odd" && i == 3 {
					state = "blank"
				} else if name == "odd" && i >= 25 {
					state = "pending"
				}
				if r["state"] != state {
					t.Errorf("row %d: state %q, want %q", i, r["state"], state)
				}
			}
		})
	}
}

func TestCSVHeatmap(t *testing.T) {
	f := oddHeatmap()
	f.Heatmap.Panels[1].Errors = "mlp"
	_, rows := readCSV(t, f)
	if len(rows) != 48 {
		t.Fatalf("%d rows, want 48", len(rows))
	}
	for i, r := range rows {
		p := f.Heatmap.Panels[i/24]
		at := i % 24
		if !same(r["value"], f.Arrays[p.Values], at) || r["panel"] != p.Title || r["layer"] != p.Rows.Labels[at/4] || r["position"] != p.Columns.Labels[at%4] {
			t.Errorf("row %d: %v", i, r)
		}
		if i < 24 && r["standard_error"] != "" || i >= 24 && !same(r["standard_error"], f.Arrays["mlp"], at) {
			t.Errorf("row %d: standard error %q", i, r["standard_error"])
		}
	}
	if got := rows[24+5]["value"] + " " + rows[24+6]["value"]; got != "NaN +Inf" {
		t.Errorf("values that are not finite: %q", got)
	}
}

func TestCSVLines(t *testing.T) {
	f := oddLines()
	_, rows := readCSV(t, f)
	if len(rows) != 5*13 {
		t.Fatalf("%d rows, want 65", len(rows))
	}
	for i, r := range rows {
		s := f.Lines.Series[i/13]
		if r["series"] != s.Name || r["control"] != strconv.FormatBool(s.Control) || !same(r["x"], f.Arrays["x"], i%13) || !same(r["y"], f.Arrays[s.Y], i%13) {
			t.Errorf("row %d: %v", i, r)
		}
	}
}

func TestCSVTable(t *testing.T) {
	f := oddTable()
	header, rows := readCSV(t, f)
	if want := []string{"cell", "P(91)", "restored [%]", "logit change", "state"}; !slices.Equal(header, want) {
		t.Errorf("header %q, want %q", header, want)
	}
	for i, r := range rows {
		if r["cell"] != f.Texts["cell"].Values[i] || !same(r["P(91)"], f.Arrays["p"], i) || !same(r["restored [%]"], f.Arrays["restored"], i) {
			t.Errorf("row %d: %v", i, r)
		}
	}
}

var npyHeader = regexp.MustCompile(`^\{'descr': '([^']+)', 'fortran_order': False, 'shape': \(([0-9, ]*)\), \} *\n$`)

// readNPY takes one member apart by the letter of the format.
func readNPY(t *testing.T, raw []byte) (descr, shape string, data []byte) {
	t.Helper()
	if !bytes.HasPrefix(raw, []byte("\x93NUMPY\x01\x00")) {
		t.Fatalf("member begins %q", raw[:8])
	}
	end := 10 + int(binary.LittleEndian.Uint16(raw[8:]))
	if end%64 != 0 {
		t.Errorf("data begins at %d, not at a multiple of 64", end)
	}
	m := npyHeader.FindSubmatch(raw[10:end])
	if m == nil {
		t.Fatalf("header %q", raw[10:end])
	}
	return string(m[1]), string(m[2]), raw[end:]
}

func TestNPZ(t *testing.T) {
	for name, f := range samples() {
		t.Run(name, func(t *testing.T) {
			raw := export(t, f, "npz", viz.Options{})
			z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
			if err != nil {
				t.Fatal(err)
			}
			members := map[string][]byte{}
			for _, m := range z.File {
				r, err := m.Open()
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(r)
				if err != nil {
					t.Fatal(err)
				}
				members[strings.TrimSuffix(m.Name, ".npy")] = b
			}
			for name, a := range f.Arrays {
				descr, shape, data := readNPY(t, members[name])
				want := ""
				for i, d := range a.Shape {
					if i > 0 {
						want += " "
					}
					want += fmt.Sprintf("%d,", d)
				}
				if descr != "<f4" || shape != want || len(data) != 4*len(a.Data) {
					t.Errorf("%s: %s %s %d bytes, want <f4 %s", name, descr, shape, len(data), want)
				}
				_, _, states := readNPYOrNil(t, members[name+".state"])
				for i := range a.Data {
					v, state := a.At(i)
					if state != viz.Done {
						v = nan
						if states[i] != byte(state) {
							t.Errorf("%s %d: state %d, want %d", name, i, states[i], state)
						}
					}
					if got := math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])); got != v && !(got != got && v != v) {
						t.Errorf("%s %d: %v, want %v", name, i, got, v)
					}
				}
			}
			for name, text := range f.Texts {
				descr, _, data := readNPY(t, members[name])
				width, err := strconv.Atoi(strings.TrimPrefix(descr, "<U"))
				if err != nil {
					t.Fatalf("%s: %s", name, descr)
				}
				for i, want := range text.Values {
					var got []rune
					for k := range width {
						if r := rune(binary.LittleEndian.Uint32(data[4*(i*width+k):])); r != 0 {
							got = append(got, r)
						}
					}
					if string(got) != want {
						t.Errorf("%s %d: %q, want %q", name, i, string(got), want)
					}
				}
			}
			if members["figure.provenance"] == nil {
				t.Error("no provenance")
			}
		})
	}
}

func readNPYOrNil(t *testing.T, raw []byte) (descr, shape string, data []byte) {
	if raw == nil {
		return "", "", nil
	}
	return readNPY(t, raw)
}

// TestNPZInNumPy lets NumPy itself read the archive.
func TestNPZInNumPy(t *testing.T) {
	python := os.Getenv("PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.Command(python, "-c", "import numpy").Run(); err != nil {
		t.Skipf("%s with numpy is not here (%v); TestNPZ reads the format by its letter", python, err)
	}
	path := filepath.Join(t.TempDir(), "figure.npz")
	if err := os.WriteFile(path, export(t, oddTokens(), "npz", viz.Options{}), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, "-c", `
import sys, json, numpy
z = numpy.load(sys.argv[1], allow_pickle=False)
p = z["prob"]
print(p.dtype, p.shape, round(float(p[4, 4]), 4), z["prob.state"].tolist()[0], bool(numpy.isnan(p[6]).all()), z["cell"].dtype.kind, z["cell"].shape, repr(z["cell"][1, 0]), z["axis.columns"][1], z["axis.columns.ids"].tolist(), z["top"].shape, json.loads(str(z["figure.provenance"]))["model"])
`, path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := "float32 (7, 5) 0.31 [1, 1, 1, 2, 1] True U (7, 5) '中文'  34 [1, 36, 102, 59, 104] (7, 5, 3) mental-2op"
	got := regexp.MustCompile(`np\.str_\('([^']*)'\)`).ReplaceAllString(strings.TrimSpace(string(out)), "'$1'")
	if got != want {
		t.Errorf("numpy reads\n%s\nwant\n%s", got, want)
	}
}
