package server

import (
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"orrery/server/api"
)

// TestUnwritable holds that a folder that cannot be written is named, with what
// to do, and that other errors are left as they are.
func TestUnwritable(t *testing.T) {
	for _, err := range []error{syscall.EACCES, syscall.EROFS} {
		e, ok := unwritable("notes", &fs.PathError{Op: "openat", Path: private, Err: err}).(*api.Error)
		if !ok || !strings.Contains(e.Message, "folder notes cannot be written") || !strings.Contains(e.Hint, "choose another") {
			t.Errorf("%v gives %+v", err, e)
		}
	}
	if err := unwritable("notes", syscall.ENOSPC); err != nil {
		t.Errorf("a full disk gives %v", err)
	}
}
