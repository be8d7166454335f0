package viz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// WriteNPZ writes the numbers of a figure as a NumPy archive that numpy.load
// reads without pickles. Every array stands under its name as float32; where
// some of it is not there, those numbers are NaN and NAME.state (uint8: 0
// pending, 1 done, 2 blank) tells them from a computed NaN. Every text stands
// under its name as a Unicode array. Labels of the axes are axis.rows and
// axis.columns (heatmap: panel0.title, panel0.rows, ...; lines: axis.series,
// axis.x_labels, guides.x, guides.labels; bars: axis.categories, axis.series; scatter: view0.name and
// view0.arrays, the names of its coordinates' arrays, ...; dials: dial0.title,
// dial0.arrays, ...; multiples: all of these with item0. and so on in front),
// token ids axis.columns.ids as int64, a slider's labels axis.slider; its
// arrays are whole. figure.provenance is JSON in a Unicode scalar. Where the
// figure has intervals, NAME.interval_95_low and NAME.interval_95_high are the
// ends of those of the means NAME, and figure.interval says of which kind they
// are and over how many numbers. A text
// whose name an array has too is NAME.text. NumPy drops NUL characters at the
// end of a string. The same figure gives the same bytes.
func WriteNPZ(w io.Writer, f *Figure) error {
	if err := f.Validate(); err != nil {
		return err
	}
	z := &npz{zip: zip.NewWriter(w), seen: map[string]bool{}}
	for _, name := range sortedKeys(f.Arrays) {
		z.array(name, f.Arrays[name])
	}
	for _, name := range sortedKeys(f.Texts) {
		t, as := f.Texts[name], name
		if z.seen[name] {
			as += ".text"
		}
		z.strings(as, t.Values, t.Shape...)
	}
	if f.Interval != nil {
		for _, m := range f.means() {
			lo, hi := f.ends(m)
			z.array(m.values+intervalLow, lo)
			z.array(m.values+intervalHigh, hi)
		}
		z.strings("figure.interval", []string{f.Interval.String()})
	}
	if sl := f.Slider; sl != nil {
		z.strings("axis.slider", sl.Labels, len(sl.Labels))
	}
	z.axes(f, "")
	made, err := json.Marshal(f.Provenance)
	if err != nil {
		return err
	}
	z.strings("figure.provenance", []string{string(made)})
	if z.err != nil {
		return z.err
	}
	return z.zip.Close()
}

// What stands behind a name for the ends of its means' intervals.
const (
	intervalLow  = ".interval_95_low"
	intervalHigh = ".interval_95_high"
)

// axes writes the labels of a figure's axes.
func (z *npz) axes(f *Figure, prefix string) {
	switch f.Kind {
	case KindTokens:
		z.axis(prefix+"axis.rows", f.Tokens.Rows)
		z.axis(prefix+"axis.columns", f.Tokens.Columns)
	case KindHeatmap:
		for i, p := range f.Heatmap.Panels {
			panel := fmt.Sprintf("%spanel%d.", prefix, i)
			z.strings(panel+"title", []string{p.Title})
			z.axis(panel+"rows", p.Rows)
			z.axis(panel+"columns", p.Columns)
		}
	case KindLines:
		z.series(prefix, f.Lines.Series)
		if l := f.Lines.XLabels; len(l) > 0 {
			z.strings(prefix+"axis.x_labels", l, len(l))
		}
		z.guides(prefix, f.Lines.Guides)
	case KindScatter:
		for i, v := range f.Scatter.Views {
			var names []string
			for _, c := range v.coordinates() {
				names = append(names, c.Values)
			}
			view := fmt.Sprintf("%sview%d.", prefix, i)
			z.strings(view+"name", []string{v.Name})
			z.strings(view+"arrays", names, len(names))
		}
	case KindBars:
		z.axis(prefix+"axis.categories", f.Bars.Categories)
		z.series(prefix, f.Bars.Series)
	case KindDials:
		for i, d := range f.Dials.Items {
			dial := fmt.Sprintf("%sdial%d.", prefix, i)
			z.strings(dial+"title", []string{d.Title})
			z.strings(dial+"arrays", []string{d.X, d.Y}, 2)
		}
	case KindMultiples:
		for i, item := range f.Multiples.Items {
			panel := fmt.Sprintf("%sitem%d.", prefix, i)
			z.strings(panel+"title", []string{item.Title})
			z.axes(f.item(item), panel)
		}
	}
}

// guides writes guides as their places and labels.
func (z *npz) guides(prefix string, guides []Guide) {
	if len(guides) == 0 {
		return
	}
	x, labels := make([]float32, len(guides)), make([]string, len(guides))
	for i, g := range guides {
		x[i], labels[i] = float32(g.X), g.Label
	}
	z.array(prefix+"guides.x", Values(x, []string{"guide"}, len(x)))
	z.strings(prefix+"guides.labels", labels, len(labels))
}

func (z *npz) series(prefix string, series []Series) {
	names := make([]string, len(series))
	for i, s := range series {
		names[i] = s.Name
	}
	z.strings(prefix+"axis.series", names, len(names))
}

// npz writes .npy members and keeps the first error.
type npz struct {
	zip  *zip.Writer
	seen map[string]bool
	err  error
}

// member writes one array in format 1.0 of NEP 1, or 2.0 where the header is long.
func (z *npz) member(name, descr string, shape []int, data []byte) {
	if z.err != nil {
		return
	}
	if z.seen[name] {
		z.err = fmt.Errorf("npz: two arrays are called %q; rename one in the figure", name)
		return
	}
	z.seen[name] = true
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = fmt.Sprintf("%d,", d)
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, strings.Join(dims, " "))
	major, lead := byte(1), 10
	if len(header)+64 > math.MaxUint16 {
		major, lead = 2, 12
	}
	header += strings.Repeat(" ", 63-(lead+len(header))%64) + "\n"
	var b bytes.Buffer
	b.WriteString("\x93NUMPY")
	b.Write([]byte{major, 0})
	if major == 1 {
		b.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(header))))
	} else {
		b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(header))))
	}
	b.WriteString(header)
	b.Write(data)
	m, err := z.zip.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err == nil {
		_, err = m.Write(b.Bytes())
	}
	z.err = err
}

func (z *npz) array(name string, a *Array) {
	data := make([]byte, 0, 4*len(a.Data))
	states := make([]byte, len(a.Data))
	missing := false
	for i := range a.Data {
		v, state := a.At(i)
		states[i] = byte(state)
		if state != Done {
			v, missing = float32(math.NaN()), true
		}
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	z.member(name, "<f4", a.Shape, data)
	if missing {
		z.member(name+".state", "|u1", a.Shape, states)
	}
}

func (z *npz) strings(name string, values []string, shape ...int) {
	width := 1
	for _, v := range values {
		width = max(width, utf8.RuneCountInString(v))
	}
	if width*len(values) > 1<<26 {
		z.err = fmt.Errorf("npz: text %q needs %d characters of %d strings, more than an array of equal widths should hold", name, width, len(values))
		return
	}
	data := make([]byte, 4*width*len(values))
	for i, v := range values {
		at := 4 * width * i
		for _, r := range v {
			binary.LittleEndian.PutUint32(data[at:], uint32(r))
			at += 4
		}
	}
	z.member(name, fmt.Sprintf("<U%d", width), shape, data)
}

func (z *npz) axis(name string, x Axis) {
	z.strings(name, x.Labels, len(x.Labels))
	if len(x.IDs) > 0 {
		data := make([]byte, 0, 8*len(x.IDs))
		for _, id := range x.IDs {
			data = binary.LittleEndian.AppendUint64(data, uint64(id))
		}
		z.member(name+".ids", "<i8", []int{len(x.IDs)}, data)
	}
}
