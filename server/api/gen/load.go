package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// source is one Go package as the generator sees it.
type source struct {
	name  string
	fset  *token.FileSet
	order []string // exported type and list names, in file and source order
	types map[string]*typeDecl
	lists map[string]*listDecl
}

// typeDecl is a type with its constants.
type typeDecl struct {
	name   string
	doc    string
	expr   ast.Expr
	alias  bool
	values []constant
}

// constant is one constant of a string type.
type constant struct{ value, doc string }

// listDecl is a variable that is a literal list of strings.
type listDecl struct {
	name, doc string
	values    []string
}

// load parses the Go files of a folder, tests left out.
func load(dir string) (*source, error) {
	s := &source{fset: token.NewFileSet(), types: map[string]*typeDecl{}, lists: map[string]*listDecl{}}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(s.fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		s.name = f.Name.Name
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil, &os.PathError{Op: "read Go files of", Path: dir, Err: fs.ErrNotExist}
	}
	for _, f := range files {
		s.readTypes(f)
	}
	for _, f := range files {
		if err := s.readValues(f); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *source) readTypes(f *ast.File) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, spec := range g.Specs {
			t := spec.(*ast.TypeSpec)
			if !t.Name.IsExported() {
				continue
			}
			s.order = append(s.order, t.Name.Name)
			s.types[t.Name.Name] = &typeDecl{
				name: t.Name.Name, doc: docOf(t.Doc, g.Doc), expr: t.Type, alias: t.Assign.IsValid()}
		}
	}
}

// readValues collects the string constants of each type and the string lists.
func (s *source) readValues(f *ast.File) error {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST && g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			if g.Tok == token.CONST {
				if err := s.readConstant(v); err != nil {
					return err
				}
				continue
			}
			if values, ok := stringList(v); ok {
				name := v.Names[0].Name
				s.order = append(s.order, name)
				s.lists[name] = &listDecl{name: name, doc: docOf(v.Doc, g.Doc), values: values}
			}
		}
	}
	return nil
}

func (s *source) readConstant(v *ast.ValueSpec) error {
	id, ok := v.Type.(*ast.Ident)
	if !ok || s.types[id.Name] == nil {
		return nil
	}
	for i := range v.Names {
		lit, ok := v.Values[i].(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return nil
		}
		text, err := strconv.Unquote(lit.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", s.fset.Position(lit.Pos()), err)
		}
		t := s.types[id.Name]
		t.values = append(t.values, constant{value: text, doc: docOf(v.Doc, v.Comment)})
	}
	return nil
}

// stringList returns the values of var X = [...]string{"a", "b"}.
func stringList(v *ast.ValueSpec) ([]string, bool) {
	if len(v.Names) != 1 || !v.Names[0].IsExported() || len(v.Values) != 1 {
		return nil, false
	}
	lit, ok := v.Values[0].(*ast.CompositeLit)
	if !ok {
		return nil, false
	}
	if _, ok := lit.Type.(*ast.ArrayType); !ok {
		return nil, false
	}
	var values []string
	for _, e := range lit.Elts {
		b, ok := e.(*ast.BasicLit)
		if !ok || b.Kind != token.STRING {
			return nil, false
		}
		text, err := strconv.Unquote(b.Value)
		if err != nil {
			return nil, false
		}
		values = append(values, text)
	}
	return values, len(values) > 0
}

// docOf returns the text of the first comment that is there.
func docOf(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if text := strings.TrimSpace(g.Text()); text != "" {
			return text
		}
	}
	return ""
}
