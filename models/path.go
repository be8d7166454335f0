package models

import "orrery/models/internal/kernel"

// KernelPath names the code that computes in this process: "avx512", "avx2" or
// "go". The environment variable ORRERY_KERNEL holds it to one of them.
func KernelPath() string { return kernel.Path() }

// KernelSetting is the error of an ORRERY_KERNEL that names no path of this
// processor; the process then uses the best there is.
func KernelSetting() error { return kernel.Setting() }

// BitsPath names what decides the bits of results: "fma" for both vector paths,
// which agree to the last bit, and "go" for the plain loops, which agree with
// them to rounding. Results record which one made them.
func BitsPath() string {
	if kernel.Path() == "go" {
		return "go"
	}
	return "fma"
}
