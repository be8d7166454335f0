package kernel_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"orrery/models/internal/kernel"
)

func TestDoCoversOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 5} {
		kernel.WithThreads(threads, func() {
			if got := kernel.Threads(); got != threads {
				t.Errorf("%d threads, want %d", got, threads)
			}
			for _, n := range []int{0, 1, 2, 7, 64, 1000} {
				for _, grain := range []int{0, 1, 3, 1000} {
					seen, ranges := make([]int32, n), int32(0)
					kernel.Do(n, grain, func(lo, hi int) {
						atomic.AddInt32(&ranges, 1)
						if hi-lo < grain && hi != n {
							t.Errorf("n %d grain %d: range [%d,%d)", n, grain, lo, hi)
						}
						for i := lo; i < hi; i++ {
							atomic.AddInt32(&seen[i], 1)
						}
					})
					for i, v := range seen {
						if v != 1 {
							t.Fatalf("%d threads, n %d, grain %d: index %d ran %d times", threads, n, grain, i, v)
						}
					}
					if n > 0 && n <= grain && ranges != 1 {
						t.Errorf("n %d within grain %d was split into %d ranges", n, grain, ranges)
					}
				}
			}
		})
	}
}

// TestDoUsesTheTeam waits inside a range for another goroutine to take one,
// which ends only when two run at the same time.
func TestDoUsesTheTeam(t *testing.T) {
	kernel.WithThreads(2, func() {
		for range 200 {
			var both sync.WaitGroup
			both.Add(2)
			kernel.Do(2, 1, func(lo, hi int) {
				both.Done()
				both.Wait()
			})
		}
	})
}

func TestDoNestedRunsInline(t *testing.T) {
	kernel.WithThreads(3, func() {
		var total atomic.Int64
		kernel.Do(16, 1, func(lo, hi int) {
			for range hi - lo {
				calls := 0
				kernel.Do(100, 1, func(lo, hi int) {
					calls++
					total.Add(int64(hi - lo))
				})
				if calls != 1 {
					t.Errorf("nested call was split into %d ranges", calls)
				}
			}
		})
		if got := total.Load(); got != 1600 {
			t.Errorf("nested calls covered %d indices, want 1600", got)
		}
	})
}

func TestDoFromManyGoroutines(t *testing.T) {
	kernel.WithThreads(3, func() {
		var callers sync.WaitGroup
		var total atomic.Int64
		for range 8 {
			callers.Go(func() {
				for range 300 {
					kernel.Do(40, 1, func(lo, hi int) { total.Add(int64(hi - lo)) })
				}
			})
		}
		callers.Wait()
		if got := total.Load(); got != 8*300*40 {
			t.Errorf("covered %d indices, want %d", got, 8*300*40)
		}
	})
}

func TestDoPanics(t *testing.T) {
	fault := errors.New("fault")
	for _, threads := range []int{1, 2, 5} {
		kernel.WithThreads(threads, func() {
			for bad := range 20 {
				t.Run(fmt.Sprintf("%d threads, index %d", threads, bad), func(t *testing.T) {
					defer func() {
						if got := recover(); got != fault {
							t.Errorf("recovered %v, want the value that fn panicked with", got)
						}
					}()
					kernel.Do(20, 1, func(lo, hi int) {
						if lo <= bad && bad < hi {
							panic(fault)
						}
					})
				})
			}
			// The team is whole after a panic.
			var total atomic.Int64
			kernel.Do(500, 1, func(lo, hi int) { total.Add(int64(hi - lo)) })
			if got := total.Load(); got != 500 {
				t.Errorf("after a panic %d indices were covered, want 500", got)
			}
		})
	}
}

// TestDoPanicStopsTheRest holds that ranges which nobody has taken when one
// panics are left out. Range 0 waits until the other goroutine has one; the
// other ranges wait for the panic and then some, so that a
// goroutine which went on would be seen, and one held up by other programs has
// 35 ms.
func TestDoPanicStopsTheRest(t *testing.T) {
	kernel.WithThreads(2, func() {
		var calls atomic.Int64
		failing, started := make(chan struct{}), make(chan struct{})
		var once sync.Once
		defer func() {
			if v, n := recover(), calls.Load(); v == nil || n == 8 {
				t.Errorf("recovered %v after %d of 8 ranges", v, n)
			}
		}()
		kernel.Do(8, 1, func(lo, hi int) {
			calls.Add(1)
			if lo == 0 {
				<-started
				close(failing)
				panic("fault")
			}
			once.Do(func() { close(started) })
			<-failing
			time.Sleep(5 * time.Millisecond)
		})
	})
}

// BenchmarkDo measures what handing out empty ranges costs.
func BenchmarkDo(b *testing.B) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprint(threads), func(b *testing.B) {
			kernel.WithThreads(threads, func() {
				b.ReportAllocs()
				for b.Loop() {
					kernel.Do(8, 1, func(lo, hi int) {})
				}
			})
		})
	}
}
