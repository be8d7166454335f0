package viz_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"orrery/viz"
)

var update = flag.Bool("update", false, "rewrite the snapshots in testdata")

func export(t testing.TB, f *viz.Figure, format string, o viz.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := viz.Export(&b, f, format, o); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.Bytes()
}

// golden compares with a snapshot of our own output; -update rewrites it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
		for i := range min(len(g), len(w)) {
			if g[i] != w[i] {
				t.Fatalf("%s line %d:\n got %.300s\nwant %.300s\nlook at the picture, then go test ./viz -update", path, i+1, g[i], w[i])
			}
		}
		t.Fatalf("%s: %d lines, want %d; look at the picture, then go test ./viz -update", path, len(g), len(w))
	}
}

var decimals = regexp.MustCompile(`\d+\.\d+`)

func TestSVGSnapshots(t *testing.T) {
	for name, f := range samples() {
		t.Run(name, func(t *testing.T) {
			svg := export(t, f, "svg", viz.Options{})
			golden(t, name+".svg", decimals.ReplaceAllFunc(svg, func(n []byte) []byte {
				v, err := strconv.ParseFloat(string(n), 64)
				if err != nil {
					t.Fatal(err)
				}
				return strconv.AppendFloat(nil, v, 'f', 1, 64)
			}))
		})
	}
}

func TestJSONSnapshots(t *testing.T) {
	for name, f := range samples() {
		t.Run(name, func(t *testing.T) {
			raw := export(t, f, "json", viz.Options{})
			var back viz.Figure
			if err := json.Unmarshal(raw, &back); err != nil {
				t.Fatal(err)
			}
			if again := export(t, &back, "json", viz.Options{}); !bytes.Equal(raw, again) {
				t.Error("reading the figure back changes it")
			}
			if svg := export(t, &back, "svg", viz.Options{}); !bytes.Equal(svg, export(t, f, "svg", viz.Options{})) {
				t.Error("the figure read back draws another picture")
			}
			if !strings.HasSuffix(name, "-odd") {
				golden(t, name+".json", raw)
			}
		})
	}
}

// TestSVGSound checks what lets pictures stand in any page: XML, a namespace
// and a view box, title and description, ids of their own, nothing that acts.
func TestSVGSound(t *testing.T) {
	ids := map[string]string{}
	for name, f := range samples() {
		for _, o := range []viz.Options{{}, {Theme: "dark"}, {Width: 390}, {Width: 1600, Theme: "dark"}} {
			svg := export(t, f, "svg", o)
			d := xml.NewDecoder(bytes.NewReader(svg))
			elements := map[string]int{}
			for {
				tok, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				start, ok := tok.(xml.StartElement)
				if !ok {
					continue
				}
				elements[start.Name.Local]++
				for _, a := range start.Attr {
					if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Value, "http") && a.Name.Local != "xmlns" {
						t.Errorf("%s: attribute %s=%q", name, a.Name.Local, a.Value)
					}
					if a.Name.Local == "id" {
						if before, seen := ids[a.Value]; seen {
							t.Errorf("%s: id %s is in %s too", name, a.Value, before)
						}
						ids[a.Value] = name
					}
				}
			}
			if elements["title"] != 1 || elements["desc"] != 1 || elements["script"]+elements["style"] != 0 {
				t.Errorf("%s: elements %v", name, elements)
			}
			if !regexp.MustCompile(`^<svg xmlns="http://www.w3.org/2000/svg" width="\d+" height="\d+" viewBox="0 0 \d+ \d+" role="img" aria-labelledby="`).Match(svg) {
				t.Errorf("%s: begins %.200s", name, svg)
			}
		}
	}
}

// TestSameBytes draws every figure in every format twice, the second time all
// at once, and checks that no clock, path or order of a map shows.
func TestSameBytes(t *testing.T) {
	var wait sync.WaitGroup
	for name, f := range samples() {
		for _, format := range viz.Formats {
			want := export(t, f, format.Name, viz.Options{Scale: 0.5})
			wait.Go(func() {
				var b bytes.Buffer
				if err := viz.Export(&b, samples()[name], format.Name, viz.Options{Scale: 0.5}); err != nil || !bytes.Equal(b.Bytes(), want) {
					t.Errorf("%s as %s: other bytes (%d, %d) or an error: %v", name, format.Name, b.Len(), len(want), err)
				}
			})
		}
	}
	wait.Wait()
}

func picture(t *testing.T, f *viz.Figure, o viz.Options) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(export(t, f, "png", o)))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// difference is the box around all dots that differ.
func difference(a, b image.Image) image.Rectangle {
	var box image.Rectangle
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			if a.At(x, y) != b.At(x, y) {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return box
}

// TestPNGDiffers changes one cell and finds it, and it alone, in the picture.
func TestPNGDiffers(t *testing.T) {
	before := picture(t, sampleHeatmap(), viz.Options{Scale: 1})
	change := func(fn func(a *viz.Array, i int)) image.Rectangle {
		f := sampleHeatmap()
		fn(f.Arrays["attn"], 23) // the last layer and the last token: top right
		after := picture(t, f, viz.Options{Scale: 1})
		if before.Bounds() == after.Bounds() {
			return difference(before, after)
		}
		// The key has a new line; the grid is above it.
		return difference(before.(interface {
			SubImage(image.Rectangle) image.Image
		}).SubImage(image.Rect(0, 0, before.Bounds().Dx(), 270)), after)
	}
	w := before.Bounds().Dx()
	cell := image.Rect(w-20-90, 64, w-20, 64+36)
	for _, c := range []struct {
		name string
		fn   func(a *viz.Array, i int)
	}{
		{"another value", func(a *viz.Array, i int) { a.Data[i] = 2.2 }},
		{"zero", func(a *viz.Array, i int) { a.Data[i] = 0 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if box := change(c.fn); box.Empty() || !box.In(cell) {
				t.Errorf("dots in %v differ, the cell is within %v", box, cell)
			}
		})
	}
	// Each way of being no number looks different from 0 and from the others.
	looks := map[string]string{}
	for name, fn := range map[string]func(a *viz.Array, i int){
		"zero": func(*viz.Array, int) {},
		"nan":  func(a *viz.Array, i int) { a.Data[i] = nan },
		"inf":  func(a *viz.Array, i int) { a.Data[i] = inf },
		"-inf": func(a *viz.Array, i int) { a.Data[i] = -inf },
		"pending": func(a *viz.Array, i int) {
			a.State = allDone(24)
			a.State[i] = viz.Pending
		},
		"blank": func(a *viz.Array, i int) {
			a.State = allDone(24)
			a.State[i] = viz.Blank
		},
	} {
		f := sampleHeatmap()
		f.Arrays["attn"].Data[23] = 0 // what stands there before it is computed
		fn(f.Arrays["attn"], 23)
		img := picture(t, f, viz.Options{Scale: 1})
		var dots strings.Builder
		for y := cell.Min.Y; y < cell.Max.Y; y++ {
			for x := cell.Min.X; x < cell.Max.X; x++ {
				r, g, b, _ := img.At(x, y).RGBA()
				dots.Write([]byte{byte(r), byte(g), byte(b)})
			}
		}
		if other, seen := looks[dots.String()]; seen {
			t.Errorf("%s looks like %s", name, other)
		}
		looks[dots.String()] = name
	}
}

func allDone(n int) []viz.State {
	s := make([]viz.State, n)
	for i := range s {
		s[i] = viz.Done
	}
	return s
}

func TestPDFHasNoClock(t *testing.T) {
	raw := export(t, sampleLines(), "pdf", viz.Options{})
	dates := regexp.MustCompile(`/(Creation|Mod)Date \(([^)]*)\)`).FindAllSubmatch(raw, -1)
	if len(dates) != 2 {
		t.Errorf("%d dates, want 2", len(dates))
	}
	for _, d := range dates {
		if string(d[2]) != "D:20000101000000" {
			t.Errorf("%sDate is %s", d[1], d[2])
		}
	}
}

func TestPNGCarriesOnlyDots(t *testing.T) {
	raw := export(t, sampleTable(), "png", viz.Options{})
	for at := 8; at < len(raw); {
		n := int(binary.BigEndian.Uint32(raw[at:]))
		switch kind := string(raw[at+4 : at+8]); kind {
		case "IHDR", "IDAT", "IEND":
		default:
			t.Errorf("chunk %s", kind)
		}
		at += 12 + n
	}
}

func TestRenderSizes(t *testing.T) {
	for name, f := range samples() {
		t.Run(name, func(t *testing.T) {
			if !strings.HasSuffix(name, "-odd") {
				one := picture(t, f, viz.Options{Scale: 1}).Bounds()
				two := picture(t, f, viz.Options{}).Bounds()
				if two.Dx() != 2*one.Dx() || two.Dy() != 2*one.Dy() {
					t.Errorf("%v at scale 1, %v by default", one, two)
				}
			}
			for _, width := range []int{390, 700, 1200} {
				if got := picture(t, f, viz.Options{Scale: 0.5, Width: width}).Bounds().Dx(); 2*got != width {
					t.Errorf("%d wide, asked for half of %d", got, width)
				}
			}
			for theme, card := range map[string]color.RGBA{"light": {255, 255, 255, 255}, "dark": {0x1b, 0x1e, 0x24, 255}} {
				if got := color.RGBAModel.Convert(picture(t, f, viz.Options{Scale: 0.5, Theme: theme}).At(3, 3)); got != card {
					t.Errorf("%s: corner is %v", theme, got)
				}
			}
		})
	}
}

func TestRenderErrors(t *testing.T) {
	f := sampleTokens()
	for _, c := range []struct {
		name, format string
		o            viz.Options
		want         string
	}{
		{"format", "gif", viz.Options{}, `unknown figure format "gif"`},
		{"theme", "svg", viz.Options{Theme: "sepia"}, `unknown theme "sepia" (themes are ["dark" "light"])`},
		{"metric", "png", viz.Options{Show: "loss"}, `unknown metric "loss" (metrics are ["prob"`},
		{"too many dots", "png", viz.Options{Scale: 400}, "too many dots"},
		{"a scale that is no number", "png", viz.Options{Scale: float64(nan)}, "too many dots"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := viz.Export(io.Discard, f, c.format, c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// TestMetrics draws each metric of a token grid: another picture, that
// metric's limits and words.
func TestMetrics(t *testing.T) {
	seen := map[string]bool{}
	for metric, want := range map[string]string{"prob": "colour = probability", "rank": "rank of the target, 1 is best", "kl": "in nats", "logprob_diff": "centred at 0", "entropy": "entropy, nats", "logit": "+6"} {
		svg := string(export(t, sampleTokens(), "svg", viz.Options{Show: metric}))
		if !strings.Contains(svg, want) {
			t.Errorf("%s: does not say %q", metric, want)
		}
		if seen[svg] {
			t.Errorf("%s: looks like another metric", metric)
		}
		seen[svg] = true
	}
}

// TestNothingDropped squeezes a wide grid and finds the last layer, the last
// token and every cell.
func TestNothingDropped(t *testing.T) {
	f := wideHeatmap(30, 60)
	for _, width := range []int{0, 390, 1000} {
		svg := string(export(t, f, "svg", viz.Options{Width: width}))
		for _, label := range []string{">L29<", ">t59<"} {
			if !strings.Contains(svg, label) {
				t.Errorf("width %d: %s is not there", width, label)
			}
		}
		if n := strings.Count(svg, "fill:#"); n < 30*60 {
			t.Errorf("width %d: %d filled shapes for %d cells", width, n, 30*60)
		}
	}
}
