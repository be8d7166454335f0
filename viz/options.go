package viz

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Options says how a figure is drawn. What names a part of the figure stands
// for what the reader sees at the moment; empty is the figure's own choice.
type Options struct {
	// Format is "svg", "png" or "pdf".
	Format string
	// Show is the metric that colours a token grid, the view of a scatter or of
	// lines, or ByPhase for a map over residues.
	Show string
	// Colour is the colouring of a scatter, or the lens of a token grid.
	Colour string
	// Items are the same two of single panels of multiples, by their place.
	Items map[int]ItemOptions
	// Turn is how a scatter in space is turned (see Scatter); nil is its own.
	Turn *[2]float64
	// Frame is the frame of the slider; nil is its own.
	Frame *int
	// Theme is "light" (also when empty) or "dark".
	Theme string
	// Width is the picture's width in pixels; 0 is the natural one. A picture
	// becomes wider than asked rather than lose a layer, a token or a number.
	Width int
	// Scale is the number of PNG dots a pixel along each side; 0 is 2.
	Scale float64
}

// ItemOptions are what the reader sees of one panel of multiples; empty is the
// panel's own choice.
type ItemOptions struct{ Show, Colour string }

// ByPhase is the order of a map's axes by phase: see Panel.Frequency.
const ByPhase = "phase"

// choose returns the figure with the options' choices as its own; the figure
// itself is left as it is. The metric of a token grid is only checked.
func (f *Figure) choose(o Options) (*Figure, error) {
	out := *f
	if o.Frame != nil {
		if f.Slider == nil {
			return nil, fmt.Errorf("frame %d: the figure has no slider", *o.Frame)
		}
		slider := *f.Slider
		if slider.Show = *o.Frame; slider.Show < 0 || slider.Show >= len(slider.Labels) {
			return nil, fmt.Errorf("frame %d is not one of %d (0 to %d)", *o.Frame, len(slider.Labels), len(slider.Labels)-1)
		}
		out.Slider = &slider
	}
	if len(o.Items) > 0 && f.Kind != KindMultiples {
		return nil, fmt.Errorf("choices of panels are for multiples; this figure is of kind %q", f.Kind)
	}
	switch f.Kind {
	case KindLines:
		return out.chooseAxes(o)
	case KindHeatmap:
		return out.chooseOrder(o)
	case KindMultiples:
		return out.chooseItems(o)
	case KindTokens:
		if _, err := f.metric(o.Show); err != nil {
			return nil, err
		}
		if len(f.Tokens.Lenses) > 0 && o.Turn == nil {
			return out.lens(o.Colour)
		}
	}
	if f.Kind != KindScatter {
		return &out, f.noneOf(o)
	}
	scatter, err := f.Scatter.choose(o)
	out.Scatter = scatter
	if err == nil && o.Show != "" && o.Show != f.shownView().Name { // the words of the view, as the page has them
		if help := out.shownView().Help; help != "" {
			out.Subtitle = help
		}
	}
	return &out, err
}

// noneOf refuses what only a scatter has.
func (f *Figure) noneOf(o Options) error {
	if o.Colour != "" || o.Turn != nil {
		return fmt.Errorf("colour and turn are for scatters; this figure is of kind %q", f.Kind)
	}
	return nil
}

// chooseItems gives each panel that the reader has changed its own choice.
func (f *Figure) chooseItems(o Options) (*Figure, error) {
	if err := f.noneOf(o); err != nil {
		return nil, err
	}
	multiples := *f.Multiples
	multiples.Items = slices.Clone(multiples.Items)
	f.Multiples = &multiples
	for _, i := range slices.Sorted(maps.Keys(o.Items)) {
		if i < 0 || i >= len(multiples.Items) {
			return nil, fmt.Errorf("panel %d is not one of %d (0 to %d)", i, len(multiples.Items), len(multiples.Items)-1)
		}
	}
	for i := range multiples.Items {
		item := &multiples.Items[i]
		panel, err := f.item(*item).choose(Options{Show: o.Items[i].Show, Colour: o.Items[i].Colour})
		if err != nil {
			return nil, fmt.Errorf("panel %d %q: %w", i, item.Title, err)
		}
		item.Subtitle = panel.Subtitle
		item.Tokens, item.Heatmap, item.Lines, item.Scatter = panel.Tokens, panel.Heatmap, panel.Lines, panel.Scatter
		f.Arrays = panel.Arrays
		f.Slider = panel.Slider
	}
	return f, nil
}

// chooseAxes gives lines the axes of a view.
func (f *Figure) chooseAxes(o Options) (*Figure, error) {
	if err := f.noneOf(o); err != nil || o.Show == "" && len(f.Lines.Views) == 0 {
		return f, err
	}
	lines := *f.Lines
	if o.Show == "" {
		o.Show = lines.Views[0].Name
	}
	names := make([]string, len(lines.Views))
	for i, v := range lines.Views {
		names[i] = v.Name
		if v.Name != o.Show {
			continue
		}
		lines.XScale, lines.YScale = v.XScale, v.YScale
		f.Subtitle = strings.TrimPrefix(f.Subtitle+", "+v.Label, ", ")
		f.Lines = &lines
		return f, nil
	}
	return nil, fmt.Errorf("unknown view %q (views are %q)", o.Show, names)
}

func (s *Scatter) choose(o Options) (*Scatter, error) {
	out := *s
	if o.Show != "" {
		names := make([]string, len(s.Views))
		found := false
		for i, v := range s.Views {
			names[i] = v.Name
			found = found || v.Name == o.Show
		}
		if !found {
			return nil, fmt.Errorf("unknown view %q (views are %q)", o.Show, names)
		}
		out.Show = o.Show
	}
	if o.Colour != "" {
		names := make([]string, len(s.Colours))
		at := -1
		for i, c := range s.Colours {
			if names[i] = c.Name; c.Name == o.Colour {
				at = i
			}
		}
		if at < 0 {
			return nil, fmt.Errorf("unknown colour %q (colours are %q)", o.Colour, names)
		}
		out.Colours = append([]ScatterColour{s.Colours[at]}, append(append([]ScatterColour{}, s.Colours[:at]...), s.Colours[at+1:]...)...)
	}
	if o.Turn != nil {
		out.Turn = *o.Turn
		if err := checkTurn(out.Turn); err != nil {
			return nil, err
		}
	}
	return &out, nil
}

func checkTurn(t [2]float64) error {
	if !finite(t[0]) || !finite(t[1]) || math.Abs(t[0]) > 360 || math.Abs(t[1]) > 90 {
		return fmt.Errorf("turn %v: azimuth is within ±360 and elevation within ±90 degrees", t)
	}
	return nil
}
