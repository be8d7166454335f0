//go:build unix

package bench

import "golang.org/x/sys/unix"

// ProcessorTime is the processor time of this process in seconds, of all threads; 0 where
// the system does not say.
func ProcessorTime() float64 {
	var use unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &use); err != nil {
		return 0
	}
	return float64(use.Utime.Nano()+use.Stime.Nano()) / 1e9
}
