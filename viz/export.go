package viz

import (
	"encoding/json"
	"fmt"
	"io"
)

// Format is a file format of a figure.
type Format struct {
	// Name is what a caller asks for, "svg"; it is the file's extension too.
	Name string `json:"name"`
	// MIME is the media type.
	MIME string `json:"mime"`
	// Title is what a button shows, "SVG".
	Title string `json:"title"`
}

// Formats lists every format of Export, pictures first.
var Formats = [...]Format{
	{"png", "image/png", "PNG"},
	{"svg", "image/svg+xml", "SVG"},
	{"pdf", "application/pdf", "PDF"},
	{"csv", "text/csv; charset=utf-8", "CSV"},
	{"npz", "application/zip", "npz"},
	{"json", "application/json", "JSON"},
}

// FindFormat returns a format by name.
func FindFormat(name string) (Format, error) {
	names := make([]string, len(Formats))
	for i, f := range Formats {
		if f.Name == name {
			return f, nil
		}
		names[i] = f.Name
	}
	return Format{}, fmt.Errorf("unknown figure format %q (formats are %q)", name, names)
}

// Export writes a figure in any of Formats. Options are for pictures; their
// Format is ignored. Errors are those of Validate, of unknown formats and
// options, and of the writer.
func Export(w io.Writer, f *Figure, format string, o Options) error {
	if _, err := FindFormat(format); err != nil {
		return err
	}
	switch format {
	case "csv":
		return WriteCSV(w, f)
	case "json":
		return WriteJSON(w, f)
	case "npz":
		return WriteNPZ(w, f)
	}
	o.Format = format
	return Render(w, f, o)
}

// WriteJSON writes the figure itself, one line, keys in a fixed order. Reading
// it back gives an equal figure.
func WriteJSON(w io.Writer, f *Figure) error {
	if err := f.Validate(); err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(f)
}
