package modeltest

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"orrery/models/tensor"
	"orrery/models/weights"
)

// reads are the values of golden files that this test binary has read, by the
// file's path with slashes and the value's name. mu guards it.
var reads = struct {
	mu    sync.Mutex
	names map[string]map[string]bool
}{names: map[string]map[string]bool{}}

// NoteRead says that a test has read values of a golden file, for Account.
func NoteRead(file string, names ...string) {
	reads.mu.Lock()
	defer reads.mu.Unlock()
	file = filepath.ToSlash(file)
	if reads.names[file] == nil {
		reads.names[file] = map[string]bool{}
	}
	for _, name := range names {
		reads.names[file][name] = true
	}
}

// Values is a safetensors file of expected values whose reads are noted for
// Account.
type Values struct {
	*weights.File
	path string
}

// OpenValues opens the safetensors file at path until the test ends.
func OpenValues(t testing.TB, path string) *Values {
	t.Helper()
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &Values{f, path}
}

// Float32 is File.Float32, noted.
func (v *Values) Float32(name string) (*tensor.Dense, error) {
	NoteRead(v.path, name)
	return v.File.Float32(name)
}

// Int64s is File.Int64s, noted.
func (v *Values) Int64s(name string) ([]int64, []int, error) {
	NoteRead(v.path, name)
	return v.File.Int64s(name)
}

// ReadJSON decodes the golden file at path into v, a pointer, and notes the
// values for which v's type has a place: those of lists under "[]", of maps under
// each key, all joined by dots.
func ReadJSON(t testing.TB, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var all any
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	NoteRead(path, leaves(all, reflect.TypeOf(v).Elem(), "")...)
}

// leaves lists the scalars of a decoded JSON value for which typ has a place, all
// of them when typ is nil.
func leaves(v any, typ reflect.Type, at string) (names []string) {
	for typ != nil && typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ != nil && (typ.Kind() == reflect.Interface || typ == reflect.TypeFor[json.RawMessage]()) {
		typ = nil
	}
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			name := strings.TrimPrefix(at+"."+key, ".")
			switch {
			case typ == nil:
				names = append(names, leaves(inner, nil, name)...)
			case typ.Kind() == reflect.Map:
				names = append(names, leaves(inner, typ.Elem(), name)...)
			case typ.Kind() == reflect.Struct:
				if f, ok := fieldFor(typ, key); ok {
					names = append(names, leaves(inner, f, name)...)
				}
			}
		}
	case []any:
		if typ != nil && (typ.Kind() == reflect.Slice || typ.Kind() == reflect.Array) {
			typ = typ.Elem()
		}
		for _, inner := range v {
			names = append(names, leaves(inner, typ, at+"[]")...)
		}
		if len(v) == 0 {
			names = append(names, at)
		}
	default:
		names = append(names, at)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// fieldFor finds the type of the field that takes a JSON key.
func fieldFor(typ reflect.Type, key string) (reflect.Type, bool) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			if inner, ok := fieldFor(f.Type, key); ok {
				return inner, true
			}
			continue
		}
		if name == "" {
			name = f.Name
		}
		if f.IsExported() && strings.EqualFold(name, key) {
			return f.Type, true
		}
	}
	return nil, false
}

// An Account is what a package's tests owe the reference data.
type Account struct {
	// Files are the files whose every value its tests read, or Excused names: path
	// patterns below the reference folder.
	Files []string
	// Copies are files in testdata that are copies of such files under other names;
	// the rest have the end of the path of what they copy.
	Copies map[string]string
	// Excused gives the reason why no test reads a value, by a pattern of
	// "FILE#NAME".
	Excused map[string]string
}

// Run runs a package's tests and then fails, naming them, if there are values
// that no test has read and nothing excuses, or excuses for nothing. It looks
// only after a run of all tests, beside the reference data.
func (a Account) Run(m *testing.M) int {
	code := m.Run()
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return code
		}
	}
	dir, err := os.Getwd()
	if err != nil || code != 0 || testing.Short() {
		return code
	}
	root, ok := referenceAbove(dir)
	if !ok {
		return code
	}
	missing, err := a.check(root)
	if err != nil {
		missing = append(missing, err.Error())
	}
	if len(missing) == 0 {
		return code
	}
	fmt.Printf("FAIL: values of the reference data that no test reads; compare them, or say in Excused why not:\n\t%s\n", strings.Join(missing, "\n\t"))
	return 1
}

// check lists the values below root that were not read, and excuses that excuse
// nothing.
func (a Account) check(root string) (out []string, err error) {
	used := map[string]bool{}
	for _, pattern := range a.Files {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("no file of the reference data matches %s: %v", pattern, err)
		}
		for _, file := range files {
			rel, err := filepath.Rel(root, file)
			if err != nil {
				return nil, err
			}
			rel = filepath.ToSlash(rel)
			names, err := valuesOf(file)
			if err != nil {
				return nil, err
			}
			seen := a.read(root, rel)
			for _, name := range names {
				if seen[name] {
					continue
				}
				excused := false
				for excuse := range a.Excused {
					if ok, err := path.Match(excuse, rel+"#"+name); err != nil {
						return nil, err
					} else if ok {
						used[excuse], excused = true, true
					}
				}
				if !excused {
					out = append(out, rel+"#"+name)
				}
			}
		}
	}
	for excuse := range a.Excused {
		if !used[excuse] {
			out = append(out, "(nothing unread matches the excuse "+excuse+")")
		}
	}
	slices.Sort(out)
	return out, nil
}

// read gathers what was read of a file and of its copies.
func (a Account) read(root, rel string) map[string]bool {
	reads.mu.Lock()
	defer reads.mu.Unlock()
	seen := map[string]bool{}
	for file, names := range reads.names {
		same := file == filepath.ToSlash(filepath.Join(root, rel))
		if copied, ok := strings.CutPrefix(file, "testdata/"); ok && !same {
			if to, named := a.Copies[copied]; named {
				same = to == rel
			} else {
				same = strings.HasSuffix(rel, "/"+copied)
			}
		}
		if same {
			for name := range names {
				seen[name] = true
			}
		}
	}
	return seen
}

// valuesOf lists the tensors of a safetensors file or the scalars of a JSON file.
func valuesOf(file string) ([]string, error) {
	if strings.HasSuffix(file, ".safetensors") {
		f, err := weights.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return f.Names(), nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all any
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return leaves(all, nil, ""), nil
}
