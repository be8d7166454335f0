package models

import "orrery/models/internal/kernel"

// KernelPath names the code that multiplies matrices in this process: "avx2"
// or "go". Both give the same numbers to rounding, and each the same bits
// every time; results record which one made them.
func KernelPath() string { return kernel.Path() }
