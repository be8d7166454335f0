// Package filelock keeps two processes out of one folder: an exclusive lock of
// an open file, which the operating system lets go of when the process ends in
// whatever way. It is the same call on Unix and on Windows.
package filelock
