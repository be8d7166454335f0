package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"orrery/models"
)

// Directory is the suite of a model that lies in a directory, of any family and
// size: loading it, the lens of a prompt, a sweep over all layers and positions,
// generation. Notes say how its memory compares with its files'.
func Directory(dir string) *Suite {
	size := Size{
		Name: filepath.Base(dir), Pairs: 1, Tokens: 16, Differ: 10, IDs: [2]int{1, 0},
		Lens: []int{64}, Prompt: 16, New: 16,
	}
	s := &Suite{Name: size.Name, About: "the model in " + dir}
	s.load = func() (*subject, error) {
		m, err := models.Load(dir)
		if err != nil {
			return nil, err
		}
		size.Config = m.Config
		on := &subject{Size: size, m: m, close: func() error { return nil }}
		if on.file, err = weightBytes(dir); err != nil {
			return nil, err
		}
		a, c := count(m.Config), m.Config
		weights := a.bytesPerBlock*int64(c.Layers) + int64(c.Vocab*c.Width)
		if !c.Tied {
			weights += int64(c.Vocab * c.Width)
		}
		on.bytes = max(1, int(math.Round(float64(on.file)/float64(weights))))
		return on, nil
	}
	s.add("load", func(_ context.Context, on *subject) (*task, error) {
		t := &task{note: fmt.Sprintf("%.2f GB of weights", float64(on.file)/1e9)}
		t.run = func(context.Context) error {
			_, err := models.Load(dir)
			return err
		}
		return t, nil
	})
	s.add("lens/1x64", lens(64, false))
	s.add("resid_pre/1x16", residPre(apart))
	s.add("generate/16+16", generate)
	return s
}

// weightBytes is the size of a directory's files of weights.
func weightBytes(dir string) (int64, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	var sum int64
	for _, f := range files {
		st, failed := os.Stat(f)
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		sum += st.Size()
	}
	return sum, err
}
