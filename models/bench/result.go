package bench

// Report is what a suite measured.
type Report struct {
	Suite   string   `json:"suite"`
	About   string   `json:"about"`
	Machine Machine  `json:"machine"`
	Peak    Peak     `json:"peak"`
	Results []Result `json:"results"`
}

// Result is one work's line.
type Result struct {
	Work      string  `json:"work"`
	Runs      int     `json:"runs"`
	Seconds   float64 `json:"seconds"`           // of the best run
	Median    float64 `json:"median_seconds"`    // of all runs
	Processor float64 `json:"processor_seconds"` // of all threads, the least of the runs; 0 where the system does not say
	Others    float64 `json:"others"`            // processors that other programs used meanwhile; -1 where the system does not say

	Cost            Cost    `json:"cost"`
	GFLOPS          float64 `json:"gflop_per_s"`       // two operations for each multiply-add of Cost
	GBPerSecond     float64 `json:"gb_per_s"`          // of Cost's bytes
	Share           float64 `json:"share"`             // the least time that the peaks allow for Cost, of the best run's
	TokensPerSecond float64 `json:"tokens_per_second"` // of a generation, else 0

	BaseBytes int64   `json:"base_bytes"`             // resident memory before the runs; 0 where the system does not say
	PeakBytes int64   `json:"peak_bytes"`             // and the most of it during them
	OfFile    float64 `json:"peak_of_file,omitempty"` // PeakBytes over the size of the weights' files, for a model from a directory
	Sweep     *Sweep  `json:"sweep,omitempty"`
	Note      string  `json:"note,omitempty"`
}

// rate holds all results against the peaks as they are known now.
func (r *Report) rate() {
	for i := range r.Results {
		r.Results[i].rate(r.Peak)
	}
}

// rate says how fast the best run was, also as a share of what is possible.
func (r *Result) rate(peak Peak) {
	flop := 2 * float64(r.Cost.MultiplyAdds)
	r.GFLOPS, r.GBPerSecond = flop/1e9/r.Seconds, float64(r.Cost.Bytes)/1e9/r.Seconds
	if peak.GFLOPS > 0 {
		r.Share = max(r.GFLOPS/peak.GFLOPS, r.GBPerSecond/peak.GBPerSecond)
	}
}
