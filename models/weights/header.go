package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"orrery/models/internal/clip"
)

// MaxHeader is the largest header that is read, in bytes: the limit that the
// format's reference implementation sets.
const MaxHeader = 100_000_000

// maxRank is the largest number of axes that is read: PyTorch's own limit.
const maxRank = 64

// metadataKey is the one header key that is not a tensor.
const metadataKey = "__metadata__"

// entry is one tensor of a shard. Offsets count from the start of the shard's data.
type entry struct {
	info     Info
	lo, hi   int
	shardIdx int // position in File.shards
}

// header is the checked content of one shard's header.
type header struct {
	entries  []entry // in the order of the header
	metadata map[string]string
	data     int // where the tensors' bytes start in the file
}

// parseHeader checks one file's header against the file's bytes. It reads no
// tensor and allocates no more than a multiple of the header's size.
func parseHeader(name string, file []byte) (*header, error) {
	fail := func(format string, args ...any) error {
		return &FormatError{File: name, Problem: fmt.Sprintf(format, args...)}
	}
	if len(file) < 8 {
		return nil, fail("expected at least 8 bytes with the header's length, found %d", len(file))
	}
	n := binary.LittleEndian.Uint64(file)
	if n > MaxHeader {
		return nil, fail("header of %d bytes, at most %d are read; is this a safetensors file?", n, MaxHeader)
	}
	if n > uint64(len(file)-8) {
		return nil, fail("header of %d bytes, but only %d bytes follow: cut short, or not a safetensors file", n, len(file)-8)
	}
	text := file[8 : 8+n]
	if !utf8.Valid(text) {
		return nil, fail("header is not valid UTF-8")
	}
	h := &header{data: 8 + int(n)}
	p := headerParser{file: name, dec: json.NewDecoder(bytes.NewReader(text))}
	p.dec.UseNumber()
	if err := p.object(h); err != nil {
		return nil, err
	}
	if err := checkRanges(name, h.entries, len(file)-h.data); err != nil {
		return nil, err
	}
	return h, nil
}

// checkRanges verifies that the tensors' byte ranges follow each other without
// overlap or hole and end with the file.
func checkRanges(name string, entries []entry, size int) error {
	order := make([]*entry, len(entries))
	for i := range entries {
		order[i] = &entries[i]
	}
	slices.SortFunc(order, func(a, b *entry) int {
		if a.lo != b.lo {
			return a.lo - b.lo
		}
		return a.hi - b.hi
	})
	end, before := 0, "the header"
	for _, e := range order {
		fail := func(format string, args ...any) error {
			return &FormatError{File: name, Tensor: e.info.Name, Problem: fmt.Sprintf(format, args...)}
		}
		switch {
		case e.hi > size:
			return fail("expected %d bytes of data up to its end, found %d: the file is cut short", e.hi, size)
		case e.lo < end:
			return fail("bytes [%d,%d) overlap those of %s, which end at %d", e.lo, e.hi, before, end)
		case e.lo > end:
			return fail("bytes [%d,%d) leave a hole behind %s, which ends at %d", e.lo, e.hi, before, end)
		}
		end, before = e.hi, strconv.Quote(clip.Text(e.info.Name))
	}
	if end != size {
		return &FormatError{File: name, Problem: fmt.Sprintf("expected %d bytes of data, found %d: %d bytes behind %s belong to no tensor", end, size, size-end, before)}
	}
	return nil
}

// headerParser walks the header token by token, so that a key that occurs twice
// is seen; decoding to a map would keep the last one silently.
type headerParser struct {
	file   string
	tensor string // the tensor being read, for messages
	dec    *json.Decoder
}

func (p *headerParser) fail(format string, args ...any) error {
	return &FormatError{File: p.file, Tensor: p.tensor, Problem: fmt.Sprintf(format, args...)}
}

// token returns the next JSON token.
func (p *headerParser) token() (json.Token, error) {
	t, err := p.dec.Token()
	if err != nil {
		return nil, p.fail("header is not complete JSON: %v", err)
	}
	return t, nil
}

// open consumes one delimiter.
func (p *headerParser) open(want json.Delim, what string) error {
	t, err := p.token()
	if err != nil {
		return err
	}
	if t != want {
		return p.fail("expected %s, found %s", what, show(t))
	}
	return nil
}

// each reads an object and calls fn with every key; fn reads the value.
func (p *headerParser) each(what string, fn func(key string) error) error {
	if err := p.open('{', what); err != nil {
		return err
	}
	seen := make(map[string]bool)
	for p.dec.More() {
		t, err := p.token()
		if err != nil {
			return err
		}
		key, ok := t.(string)
		if !ok {
			return p.fail("expected a key, found %s", show(t))
		}
		if seen[key] {
			return p.fail("key %q occurs twice", clip.Text(key))
		}
		seen[key] = true
		if err := fn(key); err != nil {
			return err
		}
	}
	return p.open('}', "the end of "+what)
}

// object reads the whole header into h.
func (p *headerParser) object(h *header) error {
	err := p.each("a JSON object as header", func(key string) error {
		if key == metadataKey {
			h.metadata = make(map[string]string)
			return p.each("an object of strings as "+metadataKey, func(k string) error {
				v, err := p.token()
				if err != nil {
					return err
				}
				s, ok := v.(string)
				if !ok {
					return p.fail("%s %q: expected a string, found %s", metadataKey, clip.Text(k), show(v))
				}
				h.metadata[k] = s
				return nil
			})
		}
		p.tensor = key
		e, err := p.entry()
		if err != nil {
			return err
		}
		p.tensor = ""
		h.entries = append(h.entries, e)
		return nil
	})
	if err != nil {
		return err
	}
	return p.end()
}

// end checks that nothing follows the object.
func (p *headerParser) end() error {
	if _, err := p.dec.Token(); err != io.EOF {
		return p.fail("expected only spaces behind the JSON object")
	}
	return nil
}

// entry reads one tensor's description and checks shape against byte range.
func (p *headerParser) entry() (entry, error) {
	e := entry{info: Info{Name: p.tensor}}
	var offsets []int
	fields := 0
	err := p.each("an object with dtype, shape and data_offsets", func(key string) (err error) {
		fields++
		switch key {
		case "dtype":
			t, err := p.token()
			if err != nil {
				return err
			}
			s, ok := t.(string)
			if e.info.DType = DType(s); !ok || e.info.DType.Size() == 0 {
				return p.fail("dtype %s is not one of F64 F32 F16 BF16 I64 I32 I16 I8 U64 U32 U16 U8 BOOL", show(t))
			}
		case "shape":
			e.info.Shape, err = p.ints(key, maxRank)
		case "data_offsets":
			offsets, err = p.ints(key, 2)
		default:
			return p.fail("unknown key %q; expected dtype, shape, data_offsets", clip.Text(key))
		}
		return err
	})
	if err != nil {
		return e, err
	}
	if fields != 3 {
		return e, p.fail("expected dtype, shape and data_offsets, found %d of them", fields)
	}
	if len(offsets) != 2 || offsets[0] > offsets[1] {
		return e, p.fail("data_offsets %s are not a begin and an end", show(offsets))
	}
	e.lo, e.hi = offsets[0], offsets[1]
	want, ok := byteLength(e.info.DType, e.info.Shape)
	if !ok {
		return e, p.fail("shape %s of %s overflows 63 bits", show(e.info.Shape), e.info.DType)
	}
	if want != e.hi-e.lo {
		return e, p.fail("shape %s of %s expects %d bytes, found data_offsets of %d", show(e.info.Shape), e.info.DType, want, e.hi-e.lo)
	}
	return e, nil
}

// ints reads a list of at most that many non-negative integers.
func (p *headerParser) ints(what string, most int) ([]int, error) {
	if err := p.open('[', "a list as "+what); err != nil {
		return nil, err
	}
	list := []int{}
	for p.dec.More() {
		t, err := p.token()
		if err != nil {
			return nil, err
		}
		if len(list) == most {
			return nil, p.fail("%s: more than %d numbers", what, most)
		}
		num, ok := t.(json.Number)
		if !ok {
			return nil, p.fail("%s: expected a number, found %s", what, show(t))
		}
		n, err := strconv.ParseUint(num.String(), 10, strconv.IntSize-1)
		if err != nil {
			return nil, p.fail("%s: %s is not an integer of 0 or more that fits %d bits", what, clip.Text(num.String()), strconv.IntSize-1)
		}
		list = append(list, int(n))
	}
	return list, p.open(']', "the end of "+what)
}
