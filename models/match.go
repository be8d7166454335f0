package models

import (
	"fmt"
	"slices"
	"strings"

	"orrery/models/nearest"
)

// nearest lists the sites whose names are likest to name, with their axes. A
// name outside the blocks, a short one or the words of a glob is compared with
// the ends of the names; "*" stands then for the layer.
func (m *Model) nearest(name string) []string {
	const most = 4
	shown, names := make(map[string]string), []string(nil)
	add := func(key, glob string, s Site) {
		if _, ok := shown[key]; !ok {
			names = append(names, key)
			shown[key] = fmt.Sprintf("%s [%s]", glob, strings.Join(m.Axes(s), ","))
		}
	}
	inBlock := strings.HasPrefix(name, "blocks.")
	if short, _, _, ok := splitShort(name); ok && !inBlock {
		name = short
	}
	for _, s := range m.Sites() {
		if full := s.String(); inBlock {
			add(full, full, s)
			continue
		}
		part := kinds[s.Kind].name
		last := part[strings.LastIndexByte(part, '.')+1:]
		for _, key := range []string{part, last, strings.TrimPrefix(last, "hook_")} {
			add(key, kindName(s.Kind), s)
		}
	}
	var out []string
	for _, near := range nearest.Names(name, names, 3*most) {
		if text := shown[near]; len(out) < most && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// words is the longest run of a glob without * and ?, less the dots at its ends.
func words(glob string) string {
	longest := ""
	for _, part := range strings.FieldsFunc(glob, func(r rune) bool { return r == '*' || r == '?' }) {
		if part = strings.Trim(part, "."); len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

// Match selects the sites that a glob covers: * stands for any characters,
// dots included, and ? for one. Several globs are separated by commas. A part
// without either is a name as in Site. A part that covers no site is an
// UnknownSiteError.
func (m *Model) Match(glob string) (Selector, error) {
	var chosen []Site
	all := m.Sites()
	if s, err := m.Site(glob); err == nil { // a tuple holds commas
		return Sites(s), nil
	}
	for _, part := range strings.Split(glob, ",") {
		part = strings.TrimSpace(part)
		if !strings.ContainsAny(part, "*?") {
			s, err := m.Site(part)
			if err != nil {
				return nil, err
			}
			chosen = append(chosen, s)
			continue
		}
		before := len(chosen)
		for _, s := range all {
			if globMatch(part, s.String()) {
				chosen = append(chosen, s)
			}
		}
		if len(chosen) == before {
			if _, _, err := m.layerOf(part); err != nil {
				return nil, UnknownSiteError{Name: part, Why: err.Error()}
			}
			return nil, UnknownSiteError{Name: part, Nearest: m.nearest(words(part))}
		}
	}
	return Sites(chosen...), nil
}

// MatchAny selects the sites that any of the names and globs covers, each as in
// Match: TransformerLens' names_filter as a list.
func (m *Model) MatchAny(globs ...string) (Selector, error) {
	chosen := make([]Selector, len(globs))
	for i, glob := range globs {
		sel, err := m.Match(glob)
		if err != nil {
			return nil, err
		}
		chosen[i] = sel
	}
	return func(s Site) bool {
		for _, sel := range chosen {
			if sel(s) {
				return true
			}
		}
		return false
	}, nil
}

// globMatch reports whether name matches the glob, in time |glob|·|name|.
func globMatch(glob, name string) bool {
	g, n, star, resume := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, resume = g, n
			g++
		case g < len(glob) && (glob[g] == '?' || glob[g] == name[n]):
			g, n = g+1, n+1
		case star >= 0:
			resume++
			g, n = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(glob[g:], "*") == ""
}
