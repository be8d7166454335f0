package bench

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"orrery/models"
)

// Machine says where a report comes from.
type Machine struct {
	System     string `json:"system"`    // operating system and architecture
	Processor  string `json:"processor"` // as it names itself; empty where the system does not say
	Processors int    `json:"processors"`
	Threads    int    `json:"threads"` // that computed
	Kernel     string `json:"kernel"`  // the code that multiplied matrices
}

// ThisMachine describes where the program runs.
func ThisMachine() Machine {
	return Machine{runtime.GOOS + "/" + runtime.GOARCH, processor(), runtime.NumCPU(), models.Threads(), models.KernelPath()}
}

// processor is the model name of the first processor, with the numbers that
// tell apart those which share one.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	first, _, _ := bytes.Cut(text, []byte("\n\n"))
	about := map[string]string{}
	for line := range strings.Lines(string(first)) {
		key, value, _ := strings.Cut(line, ":")
		about[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	name := about["model name"]
	if family := about["cpu family"]; family != "" {
		name = fmt.Sprintf("%s (family %s, model %s)", name, family, about["model"])
	}
	return name
}

// Peak is what the processor reached between the works of a report: the best of
// several measurements, as others on the machine only lower them.
type Peak struct {
	GFLOPS      float64 `json:"gflop_per_s"` // of fused multiply-adds in registers, all threads; 0 on the plain Go path
	GBPerSecond float64 `json:"gb_per_s"`    // of reading memory, all threads
}

// measure looks again. The 128 MiB that it reads are given back, so that the
// next work's memory is its own.
func (p *Peak) measure() {
	defer debug.FreeOSMemory()
	p.GFLOPS = max(p.GFLOPS, models.PeakFLOPS()/1e9)
	x := make([]float32, 1<<25)
	for i := range x {
		x[i] = 1 // pages that nobody wrote to are all the same one
	}
	p.GBPerSecond = max(p.GBPerSecond, models.ReadBandwidth(x)/1e9)
}

// memory watches the resident memory of this process.
type memory struct{ base int64 }

// watchMemory starts the peak anew.
func watchMemory() memory {
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200) // where that fails, the peak is that of the whole process
	return memory{status("VmRSS:")}
}

// peak is the most since the beginning, 0 where the system does not say.
func (memory) peak() int64 { return status("VmHWM:") }

// status reads a number of bytes from what the system knows about the process.
func status(key string) int64 {
	text, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == key {
			kb, _ := strconv.ParseInt(fields[1], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// load watches what other programs use of the processors.
type load struct {
	all, mine float64 // seconds of processor time so far
	since     time.Time
}

func watchLoad() load { return load{machineTime(), ProcessorTime(), time.Now()} }

// others is how many processors others used since the beginning, the
// hypervisor's other guests included; -1 where the system does not say. Its
// clock has steps of 10 ms.
func (l load) others() float64 {
	all := machineTime()
	if all <= 0 {
		return -1
	}
	return max(0, (all-l.all-(ProcessorTime()-l.mine))/time.Since(l.since).Seconds())
}

// ticks is how many steps of the system's clock make a second.
const ticks = 100

// machineTime is the processor time that the machine spent, idling aside.
func machineTime() float64 {
	text, _ := os.ReadFile("/proc/stat")
	line, _, _ := bytes.Cut(text, []byte("\n"))
	sum := 0.0
	for i, field := range strings.Fields(string(line)) {
		if v, err := strconv.ParseFloat(field, 64); err == nil && i != 4 && i != 5 && i <= 8 { // idle, iowait; guests count twice
			sum += v
		}
	}
	return sum / ticks
}
