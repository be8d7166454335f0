package script

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"

	"orrery/server/api"
)

// meter follows the growth of the heap during a run. Growth is that of the
// whole process: a second notebook that runs at the same time counts, too.
type meter struct {
	limit  int64
	base   atomic.Int64 // the least heap seen, in bytes
	growth atomic.Int64 // at the last look
	small  atomic.Int64 // bytes of steps that were let through since then
}

func newMeter(limit int64) *meter {
	m := &meter{limit: limit}
	m.base.Store(heapBytes())
	return m
}

// heapBytes returns the bytes of objects on the heap, dead ones that are not
// swept yet included.
func heapBytes() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// look measures the growth.
func (m *meter) look() int64 {
	now := heapBytes()
	if now < m.base.Load() {
		m.base.Store(now)
	}
	growth := now - m.base.Load()
	m.growth.Store(growth)
	m.small.Store(0)
	return growth
}

// exceeded reports whether the run holds more than its limit. Garbage that
// only waits for collection does not count, unless there is half as much again.
func (m *meter) exceeded() bool {
	if m.look() <= m.limit {
		return false
	}
	if m.growth.Load() > m.limit+m.limit/2 {
		go debug.FreeOSMemory() // give back what the stopped cell leaves
		return true
	}
	runtime.GC()
	return m.look() > m.limit
}

// reserve refuses a step that would need more than is left. Small ones pass,
// but not many of them without a look at the heap: on a busy machine the watch
// over it may come late.
func (m *meter) reserve(what string, bytes float64) error {
	if m.small.Add(int64(min(bytes, float64(m.limit)))) > m.limit/8 {
		m.look()
	}
	if left := float64(m.limit - m.growth.Load()); bytes <= left || bytes <= 1<<20 && left > 0 {
		return nil
	}
	if bytes <= float64(m.limit) { // garbage may be in the way
		runtime.GC()
		if bytes <= float64(m.limit-m.look()) {
			return nil
		}
	}
	return &hinted{fmt.Sprintf("%s would need %s of memory, a cell may use %s", what, sizeText(bytes), sizeText(float64(m.limit))),
		"make it smaller, or work on a part at a time"}
}

// left is the memory that the run may still take, at least 1 byte.
func (m *meter) left() int64 { return max(1, m.limit-m.growth.Load()) }

// memoryError is what a reader sees when the limit was passed.
func (m *meter) memoryError() *api.Error {
	return &api.Error{Code: api.TooLarge, Message: fmt.Sprintf("stopped: the cell used more than %s of memory", sizeText(float64(m.limit))),
		Hint: "make lists shorter, or work on a part at a time; nothing of this run was kept"}
}

// sizeText spells a number of bytes.
func sizeText(bytes float64) string {
	for _, unit := range []string{"bytes", "KiB", "MiB", "GiB"} {
		if bytes < 1024 {
			if unit == "bytes" || bytes == float64(int(bytes)) {
				return fmt.Sprintf("%.0f %s", bytes, unit)
			}
			return fmt.Sprintf("%.1f %s", bytes, unit)
		}
		bytes /= 1024
	}
	return fmt.Sprintf("%.3g TiB", bytes)
}
