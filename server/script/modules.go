package script

import (
	"go.starlark.net/lib/json"
	"go.starlark.net/lib/math"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// mathModule is Starlark's own math.
func mathModule() starlark.Value { return math.Module }

// jsonModule is Starlark's json with a bound on what is written.
func jsonModule() starlark.Value {
	members := starlark.StringDict{}
	for name, fn := range json.Module.Members {
		if name != "encode" {
			members[name] = fn
			continue
		}
		members[name] = newMethod("json.encode", func(c call) (starlark.Value, error) {
			if weight(c.args, maxText) > maxText {
				return nil, tooLong("json.encode")
			}
			return starlark.Call(c.thread, fn, c.args, c.kwargs)
		})
	}
	return &starlarkstruct.Module{Name: "json", Members: members}
}
