package hub

import "time"

// Progress is how far a pull is.
type Progress struct {
	File        string        // the one on its way
	Done, Total int64         // bytes of all files, with those that were there before
	Rate        float64       // bytes a second, of the last seconds; 0 when not known yet
	ETA         time.Duration // negative when not known yet
	Notice      string        // not empty: something to tell, for example that an attempt failed
}

const (
	window   = 10 * time.Second       // over which the rate is measured
	interval = 200 * time.Millisecond // between two reports
)

// meter counts bytes and reports. It belongs to one goroutine.
type meter struct {
	Progress
	report  func(Progress)
	now     func() time.Time
	shown   time.Time
	came    int64 // bytes over the line
	samples []sample
}

// sample is how many bytes had come at a time.
type sample struct {
	at   time.Time
	came int64
}

// there counts bytes that lay there before, or, negative, that are given up.
func (m *meter) there(n int64) { m.Done += n }

// moved counts bytes over the line.
func (m *meter) moved(n int64) {
	m.Done += n
	m.came += n
	now := m.now()
	if now.Sub(m.shown) >= interval {
		m.show(now)
	}
}

// show reports.
func (m *meter) show(now time.Time) {
	m.shown = now
	m.samples = append(m.samples, sample{now, m.came})
	for len(m.samples) > 2 && now.Sub(m.samples[1].at) >= window {
		m.samples = m.samples[1:]
	}
	m.Rate, m.ETA = 0, -1
	first := m.samples[0]
	if took := now.Sub(first.at).Seconds(); took > 0 && m.came > first.came {
		m.Rate = float64(m.came-first.came) / took
		m.ETA = time.Duration(float64(m.Total-m.Done) / m.Rate * float64(time.Second))
	}
	m.report(m.Progress)
}

// notice reports something to tell.
func (m *meter) notice(text string) {
	p := m.Progress
	p.Notice = text
	m.report(p)
}
