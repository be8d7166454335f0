package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"strconv"

	"orrery/models/hub/filelock"
)

// lock keeps a second server out of a folder. The operating system lets go of
// it when the process ends in whatever way.
type lock struct{ file *os.File }

// owner is what the lock file says about who holds it.
type owner struct {
	PID int    `json:"pid"`
	URL string `json:"url"`
}

// LockedError says that another server has the folder open.
type LockedError struct {
	Dir string
	PID int
	URL string
}

// Error names the holder and the ways out.
func (e *LockedError) Error() string {
	return fmt.Sprintf("folder %s is open in another server: process %d at %s; use that one, stop it, or choose another folder",
		e.Dir, e.PID, e.URL)
}

// lockFolder takes the lock of a folder or returns a *LockedError.
func lockFolder(f *folder) (*lock, error) {
	file, err := f.root.OpenFile(path.Join(private, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err := unwritable(f.path, err); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	ok, err := filelock.Try(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock: %w", err), file.Close())
	}
	if ok {
		return &lock{file: file}, nil
	}
	who := signed(file)
	return nil, errors.Join(&LockedError{Dir: f.path, PID: who.PID, URL: who.URL}, file.Close())
}

// signed reads who holds the lock or held it last; zero where nobody has signed.
func signed(file *os.File) (who owner) {
	data, err := io.ReadAll(io.NewSectionReader(file, 0, 4096))
	if err != nil || json.Unmarshal(data, &who) != nil {
		return owner{}
	}
	return who
}

// port is that of the server that held the lock before; 0 for none.
func (l *lock) port() int {
	u, err := url.Parse(signed(l.file).URL)
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return 0
	}
	return port
}

// sign writes who holds the lock, without the token.
func (l *lock) sign(url string) error {
	data, err := json.Marshal(owner{PID: os.Getpid(), URL: url})
	if err != nil {
		return err
	}
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if _, err := l.file.WriteAt(append(data, '\n'), 0); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return nil
}

func (l *lock) release() error { return l.file.Close() }
