package server_test

import (
	"fmt"
	"net/http"
	"testing"

	"orrery/server"
	"orrery/server/api"
	"orrery/server/notebook"
)

// BenchmarkReady is from New to the first answer of a server, in a folder
// that it has served before.
func BenchmarkReady(b *testing.B) {
	dir := b.TempDir()
	o := server.Options{Dir: dir, Assets: assets}
	b.ReportAllocs()
	for b.Loop() {
		s, err := server.New(o)
		if err != nil {
			b.Fatal(err)
		}
		ended := make(chan error)
		go func() { ended <- s.Start(b.Context()) }()
		r, err := http.Get(s.URL())
		if err != nil {
			b.Fatal(err)
		}
		r.Body.Close()
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkEdit is an edit of one cell, until it is acknowledged and durable.
func BenchmarkEdit(b *testing.B) {
	for _, cells := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("cells=%d", cells), func(b *testing.B) {
			h, err := server.OpenForBenchmark(b.TempDir(), text(cells))
			if err != nil {
				b.Fatal(err)
			}
			defer h.Close()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				if err := h.Edit(api.Op{Op: api.OpSource, Cell: "c0", Source: fmt.Sprintf("x0 = %d", i)}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// text is a notebook of as many cells, each of which uses the one before.
func text(cells int) []byte {
	n := &notebook.Notebook{}
	for i := range cells {
		source := "x0 = 1"
		if i > 0 {
			source = fmt.Sprintf("x%d = x%d + 1", i, i-1)
		}
		n.Cells = append(n.Cells, notebook.Cell{ID: fmt.Sprint("c", i), Kind: api.CellCode, Source: source})
	}
	return n.Markdown()
}
