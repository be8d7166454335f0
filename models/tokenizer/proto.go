package tokenizer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// errProto says that bytes are no protocol buffer.
var errProto = errors.New("not a protocol buffer, or cut short")

// protoField is one field of a message: a number for wire types 0, 1 and 5, bytes for type 2.
type protoField struct {
	number int
	wire   int
	value  uint64
	bytes  []byte
}

// float is the value of a field of type float.
func (f protoField) float() float64 { return float64(math.Float32frombits(uint32(f.value))) }

// int is the value of a field of an integer type.
func (f protoField) int() int { return int(int32(f.value)) }

// eachField calls fn for the fields of a message in order.
func eachField(msg []byte, fn func(protoField) error) error {
	for len(msg) > 0 {
		key, n := binary.Uvarint(msg)
		if n <= 0 || key>>3 == 0 || key>>3 > 1<<29 {
			return errProto
		}
		msg = msg[n:]
		f := protoField{number: int(key >> 3), wire: int(key & 7)}
		switch f.wire {
		case 0:
			if f.value, n = binary.Uvarint(msg); n <= 0 {
				return errProto
			}
		case 1:
			if n = 8; len(msg) < n {
				return errProto
			}
			f.value = binary.LittleEndian.Uint64(msg)
		case 2:
			size, k := binary.Uvarint(msg)
			if k <= 0 || size > uint64(len(msg)-k) {
				return errProto
			}
			n = k + int(size)
			f.bytes = msg[k:n]
		case 5:
			if n = 4; len(msg) < n {
				return errProto
			}
			f.value = uint64(binary.LittleEndian.Uint32(msg))
		default:
			return fmt.Errorf("wire type %d: %w", f.wire, errProto)
		}
		msg = msg[n:]
		if err := fn(f); err != nil {
			return err
		}
	}
	return nil
}
