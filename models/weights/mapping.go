package weights

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

// mapping is the content of one shard: mapped, or in memory.
type mapping struct {
	bytes   []byte   // the whole file
	file    *os.File // kept open while it is mapped; nil when the bytes are in memory
	size    int64    // of the file when it was mapped
	changed time.Time
}

// close gives the memory back. The bytes must not be used any more.
func (m *mapping) close() error {
	if m.file == nil {
		m.bytes = nil
		return nil
	}
	err := errors.Join(unmap(m.bytes), m.file.Close())
	m.bytes, m.file = nil, nil
	return err
}

// unchanged reports whether the file behind the mapping is the one that was
// opened, by its size and time of change.
func (m *mapping) unchanged(name string) error {
	if m.file == nil {
		return nil
	}
	st, err := m.file.Stat()
	if err != nil {
		return err
	}
	if st.Size() != m.size {
		return &ChangedError{File: name, Problem: fmt.Sprintf("it had %d bytes when it was opened and has %d now", m.size, st.Size())}
	}
	if !st.ModTime().Equal(m.changed) {
		return &ChangedError{File: name, Problem: fmt.Sprintf("it was written to at %s", st.ModTime().Format(time.DateTime))}
	}
	return nil
}

// ChangedError reports that a file was changed or cut while it was open, so
// that what is read of it now would not belong to what was read before.
type ChangedError struct {
	File    string
	Problem string
}

// Error returns "FILE changed while it was in use: PROBLEM".
func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s changed while it was in use: %s; load it again", e.File, e.Problem)
}

// guard calls fn, which reads mapped bytes, and turns the fault that a page
// beyond the end of a file cut meanwhile raises into an error: without it the
// process would end.
func guard(name string, fn func()) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if _, fault := r.(interface{ Addr() uintptr }); !fault {
			panic(r)
		}
		err = &ChangedError{File: name, Problem: "a part of it can no longer be read"}
	}()
	fn()
	return nil
}
