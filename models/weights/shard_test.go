package weights_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// shard puts a header and data together as a safetensors file.
func shard(header string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

// field is one tensor of a header under test.
type field struct {
	name, dtype, shape string
	lo, hi             int
}

// headerOf spells a header by hand, so that a test can say what no writer would.
func headerOf(fields ...field) string {
	var parts []string
	for _, f := range fields {
		parts = append(parts, fmt.Sprintf(`%q:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, f.name, f.dtype, f.shape, f.lo, f.hi))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// floats encodes values as F32.
func floats(vs ...float32) []byte {
	var b []byte
	for _, v := range vs {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}
