package weights

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"unicode/utf8"

	"orrery/models/tensor"
)

// Tensor is one tensor to write: Dense as F32, or Ints with Shape as I64.
type Tensor struct {
	Name  string
	Dense *tensor.Dense
	Ints  []int64
	Shape []int // of Ints; Dense carries its own
}

// describe returns type and shape of t.
func (t Tensor) describe() (DType, []int, error) {
	d, shape, have := I64, t.Shape, len(t.Ints)
	if t.Dense != nil {
		d, shape, have = F32, t.Dense.Shape, len(t.Dense.Data)
		if t.Ints != nil || t.Shape != nil {
			return "", nil, fmt.Errorf("write tensor %q: give Dense or Ints, not both", t.Name)
		}
	}
	if n, ok := elements(shape); !ok || n != have {
		return "", nil, fmt.Errorf("write tensor %q: shape %v does not hold %d values", t.Name, shape, have)
	}
	return d, shape, nil
}

// Write writes a safetensors file with the tensors in the given order. The same
// arguments give the same bytes. NaN and infinities are written as they are.
func Write(w io.Writer, ts []Tensor, metadata map[string]string) error {
	infos := make([]Info, len(ts))
	for i, t := range ts {
		d, shape, err := t.describe()
		if err != nil {
			return err
		}
		infos[i] = Info{Name: t.Name, DType: d, Shape: shape}
	}
	i := -1
	return stream(w, infos, metadata, func(_ Info, b *bufio.Writer) error {
		i++
		if t := ts[i].Dense; t != nil {
			return WriteFloats(b, t.Data)
		}
		var word [8]byte
		for _, v := range ts[i].Ints {
			binary.LittleEndian.PutUint64(word[:], uint64(v))
			b.Write(word[:])
		}
		return nil // the writer keeps its first error
	})
}

// stream writes the header and then each tensor as fill writes it.
func stream(w io.Writer, ts []Info, metadata map[string]string, fill func(t Info, b *bufio.Writer) error) error {
	head, err := encodeHeader(ts, metadata)
	if err != nil {
		return err
	}
	counted := &counter{w: w}
	b := bufio.NewWriterSize(counted, 1<<16)
	b.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(head))))
	b.Write(head)
	for _, t := range ts {
		size, _ := byteLength(t.DType, t.Shape) // checked by encodeHeader
		before := counted.n + int64(b.Buffered())
		if err := fill(t, b); err != nil {
			return fmt.Errorf("write tensor %q: %w", t.Name, err)
		}
		if n := counted.n + int64(b.Buffered()) - before; counted.err == nil && n != int64(size) {
			return fmt.Errorf("write tensor %q: %s%v takes %d bytes, and %d were written", t.Name, t.DType, t.Shape, size, n)
		}
	}
	return b.Flush() // the first error of any write above
}

// counter counts the bytes that went through to w.
type counter struct {
	w   io.Writer
	n   int64
	err error
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	if err != nil {
		c.err = err
	}
	return n, err
}

// encodeHeader returns the JSON header, padded with spaces so that the data
// behind it start at a multiple of eight bytes.
func encodeHeader(ts []Info, metadata map[string]string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	if len(metadata) > 0 {
		text, err := marshal(metadata)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%q:%s", metadataKey, text)
	}
	seen := make(map[string]bool, len(ts))
	offset := 0
	for _, t := range ts {
		if seen[t.Name] || t.Name == metadataKey || !utf8.ValidString(t.Name) {
			return nil, fmt.Errorf("write tensor %q: the name is reserved, not UTF-8 or given twice", t.Name)
		}
		seen[t.Name] = true
		size, ok := byteLength(t.DType, t.Shape)
		if !ok || t.DType.Size() == 0 {
			return nil, fmt.Errorf("write tensor %q: %s%v is no tensor that can be stored", t.Name, t.DType, t.Shape)
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		name, err := marshal(t.Name)
		if err != nil {
			return nil, err
		}
		dims, err := marshal(append([]int{}, t.Shape...))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, `%s:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, name, t.DType, dims, offset, offset+size)
		offset += size
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len() > MaxHeader {
		return nil, fmt.Errorf("write: header of %d bytes, at most %d can be read", b.Len(), MaxHeader)
	}
	return b.Bytes(), nil
}

// marshal is json.Marshal without the escaping of <, > and &.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// WriteFile writes a safetensors file so that path holds the old content or the
// whole new one, whatever happens: temporary file beside it, fsync, rename.
func WriteFile(path string, ts []Tensor, metadata map[string]string) error {
	return replace(path, func(w io.Writer) error { return Write(w, ts, metadata) })
}

// WriteFloats writes values as F32, the type of a tensor that StreamFile streams.
func WriteFloats(w io.Writer, values []float32) error {
	var block [4096]byte
	for len(values) > 0 {
		n := min(len(values), len(block)/4)
		for i, v := range values[:n] {
			binary.LittleEndian.PutUint32(block[4*i:], math.Float32bits(v))
		}
		if _, err := w.Write(block[:4*n]); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// StreamFile is WriteFile for tensors that need not be in memory together: fill
// is called with each in order and writes its bytes, little-endian and
// row-major, as many as type and shape say. Errors of w need not be looked at.
func StreamFile(path string, ts []Info, metadata map[string]string, fill func(t Info, w io.Writer) error) error {
	return replace(path, func(w io.Writer) error {
		return stream(w, ts, metadata, func(t Info, b *bufio.Writer) error { return fill(t, b) })
	})
}

// replace writes the file at path as a whole or not at all.
func replace(path string, write func(w io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(file.Name()))
		}
	}()
	err = errors.Join(write(file), file.Chmod(0o644))
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
