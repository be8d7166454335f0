package kernel

// Path names the implementation that this process uses.
func Path() string { return "go" }
