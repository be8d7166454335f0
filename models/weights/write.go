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

// describe returns type, shape and bytes of t.
func (t Tensor) describe() (DType, []int, int, error) {
	d, shape, have := I64, t.Shape, len(t.Ints)
	if t.Dense != nil {
		d, shape, have = F32, t.Dense.Shape, len(t.Dense.Data)
		if t.Ints != nil || t.Shape != nil {
			return "", nil, 0, fmt.Errorf("write tensor %q: give Dense or Ints, not both", t.Name)
		}
	}
	if n, ok := elements(shape); !ok || n != have {
		return "", nil, 0, fmt.Errorf("write tensor %q: shape %v does not hold %d values", t.Name, shape, have)
	}
	return d, shape, have * d.Size(), nil
}

// Write writes a safetensors file with the tensors in the given order. The same
// arguments give the same bytes. NaN and infinities are written as they are.
func Write(w io.Writer, ts []Tensor, metadata map[string]string) error {
	head, err := encodeHeader(ts, metadata)
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(w, 1<<16)
	var word [8]byte
	binary.LittleEndian.PutUint64(word[:], uint64(len(head)))
	b.Write(word[:])
	b.Write(head)
	for _, t := range ts {
		if t.Dense != nil {
			for _, v := range t.Dense.Data {
				binary.LittleEndian.PutUint32(word[:], math.Float32bits(v))
				b.Write(word[:4])
			}
			continue
		}
		for _, v := range t.Ints {
			binary.LittleEndian.PutUint64(word[:], uint64(v))
			b.Write(word[:])
		}
	}
	return b.Flush() // the first error of any Write above
}

// encodeHeader returns the JSON header, padded with spaces so that the data
// behind it start at a multiple of eight bytes.
func encodeHeader(ts []Tensor, metadata map[string]string) ([]byte, error) {
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
		d, shape, size, err := t.describe()
		if err != nil {
			return nil, err
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		name, err := marshal(t.Name)
		if err != nil {
			return nil, err
		}
		dims, err := marshal(append([]int{}, shape...))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, `%s:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, name, d, dims, offset, offset+size)
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
func WriteFile(path string, ts []Tensor, metadata map[string]string) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(file.Name()))
		}
	}()
	err = errors.Join(Write(file, ts, metadata), file.Chmod(0o644))
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
