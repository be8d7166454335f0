package models

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"orrery/models/internal/kernel"
	"orrery/models/tensor"
	"orrery/models/weights"
)

// WriteSynthetic writes a model directory with random weights in a family's real
// layout and size: config is its config.json, in the family's spelling, which
// stands for the shapes. What is written is every tensor that Load would read,
// in the type dtype (F32, F16 or BF16), tensor by tensor: a file may be larger
// than memory. The same arguments give the same bytes.
//
// Matrices have the spread of InitParams, gains lie near 1, biases near 0. A
// directory that holds weights already is an error, and so is a config that
// Load refuses.
func WriteSynthetic(dir string, config []byte, dtype weights.DType, seed uint64) error {
	fail := func(err error) error { return fmt.Errorf("write synthetic model %s: %w", dir, err) }
	if dtype != weights.F32 && dtype != weights.F16 && dtype != weights.BF16 {
		return fail(fmt.Errorf("dtype is %q, want %s, %s or %s", dtype, weights.F32, weights.F16, weights.BF16))
	}
	ts, err := syntheticTensors(config)
	if err != nil {
		return fail(err)
	}
	path := filepath.Join(dir, weightsFile)
	if _, err := os.Stat(path); err == nil {
		return fail(fmt.Errorf("%s exists already", path))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fail(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fail(err)
	}
	if err := os.WriteFile(filepath.Join(dir, configFile), config, 0o644); err != nil {
		return fail(err)
	}
	infos := make([]weights.Info, len(ts))
	for i, t := range ts {
		infos[i] = weights.Info{Name: t.name, DType: dtype, Shape: t.shape}
	}
	next := 0
	err = weights.StreamFile(path, infos, map[string]string{"format": "pt"}, func(_ weights.Info, w io.Writer) error {
		next++
		return ts[next-1].write(w, dtype, seed)
	})
	if err != nil {
		return fail(err)
	}
	return nil
}

// synthetic is a tensor of random numbers, even between centre ± reach.
type synthetic struct {
	name          string
	shape         []int
	centre, reach float64
}

// syntheticTensors lists what a family reads for a config, each tensor once, in
// the order of its first use.
func syntheticTensors(config []byte) ([]synthetic, error) {
	cfg, _, params, err := readConfig(config)
	if err != nil {
		return nil, err
	}
	asked := &checkpoint{}
	p, err := params(asked, cfg)
	if err != nil {
		return nil, err
	}
	names := make(map[**tensor.Dense]string)
	p.walk(func(layer int, name string, at **tensor.Dense) { names[at] = weightName(layer, name) })
	var ts []synthetic
	seen := make(map[string]bool)
	for _, w := range asked.wishes {
		if !seen[w.name] {
			seen[w.name] = true
			ts = append(ts, w.synthetic(names[w.at], cfg.Layers))
		}
	}
	return ts, nil
}

// synthetic chooses the numbers of a tensor by the weight that it becomes.
func (w wish) synthetic(weight string, layers int) synthetic {
	sd, centre := 0.02, 0.0
	switch {
	case strings.HasSuffix(weight, ".bias"):
	case len(w.shape) == 1: // a gain of about 1, which some families store less 1
		if centre = 1; w.make != nil && w.make(tensor.New(w.shape...)).Data[0] == 1 {
			centre = 0
		}
	case strings.HasSuffix(weight, "attn.o.weight"), strings.HasSuffix(weight, "mlp.out.weight"):
		sd /= math.Sqrt(float64(2 * layers))
	}
	return synthetic{w.name, w.shape, centre, sd * math.Sqrt(3)}
}

// write writes the tensor's numbers. Four of them come from the hash of their
// place, so that the tensor is the same in whatever order it is made.
func (t synthetic) write(w io.Writer, dtype weights.DType, seed uint64) error {
	n := (&wish{shape: t.shape}).size()
	name := fnv.New64a()
	name.Write([]byte(t.name))
	start := mix(seed) ^ name.Sum64()
	scale, size := float32(t.reach/(1<<15)), dtype.Size()
	const block = 1 << 20 // numbers; a multiple of four
	buffer := make([]byte, min(n+3, block)*size)
	for lo := 0; lo < n; lo += block {
		count := min(block, n-lo)
		kernel.Do((count+3)/4, 1<<12, func(a, b int) {
			for q := a; q < b; q++ {
				bits := mix(start + uint64(lo/4+q))
				for i := 4 * q; i < min(4*q+4, count); i++ {
					v := float32(t.centre) + scale*(float32(bits&0xffff)-(1<<15)+0.5)
					bits >>= 16
					store16or32(buffer[i*size:], dtype, v)
				}
			}
		})
		if _, err := w.Write(buffer[:count*size]); err != nil {
			return err
		}
	}
	return nil
}

// mix is the output function of SplitMix64 (Steele, Lea and Flood, "Fast
// Splittable Pseudorandom Number Generators", OOPSLA 2014), at state x.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// store16or32 writes v, of a magnitude below 65504, in the type dtype, rounded
// to the nearest.
func store16or32(dst []byte, dtype weights.DType, v float32) {
	u := math.Float32bits(v)
	switch dtype {
	case weights.F32:
		binary.LittleEndian.PutUint32(dst, u)
	case weights.BF16:
		binary.LittleEndian.PutUint16(dst, uint16((u+0x7fff+u>>16&1)>>16))
	case weights.F16:
		binary.LittleEndian.PutUint16(dst, roundF16(u))
	}
}

// roundF16 rounds the float32 with bits u to the nearest binary16, to the even
// one between two.
func roundF16(u uint32) uint16 {
	sign, size := uint16(u>>16&0x8000), u&0x7fffffff
	if size < 113<<23 { // subnormal: whole multiples of 2^-24
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(size))*0x1p24))
	}
	return sign | uint16((size+0xfff+size>>13&1-112<<23)>>13)
}
