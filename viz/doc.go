// Package viz holds the Figure, a plot as data, and what can be made of it
// without a browser: SVG, PNG and PDF by gonum/plot, and its numbers as CSV,
// JSON and npz. It draws what analyses found; it computes nothing about
// models, imports nothing of this module, and knows neither notebooks nor HTTP.
//
// Start at Figure (figure.go), then Array and Part for how numbers travel and
// fill in, then Export (export.go) and Render (render.go). Each kind has a
// file with its check and its drawing: tokens.go and heatmap.go over grid.go,
// lines.go with series.go, marks.go and rule.go, table.go, scatter.go with
// scatterbody.go, plane.go and space.go, bars.go with barlabels.go and
// stems.go, dials.go with clockface.go, multiples.go. A slider is checked and
// taken apart into frames in slider.go and drawn by strip.go.
//
// # What a picture shows
//
// A number that is not computed yet is hatched, never zero. NaN and the
// infinities have a mark of their own. Blank is drawn as nothing, and the key
// says so. A value beyond the limits is clipped and its cell notched, at the
// top right above them, at the bottom right below. Limits stand on the colour
// bar. No row and no column is ever left out; where labels are too many for
// the room some are, but never the last. A heatmap writes a value in its cell
// from 8 % of the limit on, where it fits. A point of a scatter or a dial that
// cannot stand where its numbers say stands at the margin, and the foot counts
// such points by their reason. Points in space are drawn from the far to the
// near and lines fade with their distance. A slider stands above the figure
// with a tick a frame, evenly spaced; what it does not move is the same at
// every frame: axes, limits and the choice of marks.
//
// # Colours and numbers
//
// palette.json holds every colour and sign and is read by the page too. A
// value v becomes a position t:
//
//	sequential  t = (v - lo) / (hi - lo)
//	log         t = (ln v - ln lo) / (ln hi - ln lo), 0 for v <= 0
//	diverging   t = 1/2 + v / (2 hi), so that 0 is exactly the card's colour
//	category    t = (v - lo) / (hi - lo), v a whole number
//	cyclic      t = (v - lo) / (hi - lo) less its floor
//
// (lo = hi: t = 1 above them and else 0; a diverging scale with hi = 0: 1/2);
// then 1 - t where the scale is reversed; then clipped to [0, 1]. The anchors
// of the theme stand at even distances in t:
//
//	light  sequential  #f1f5fb #9dbfee #3d77cc #143a7c
//	       diverging   #1d4f9f #9cbdf0 #ffffff #f0a58f #a92f16
//	dark   sequential  #20262f #22406e #3f72bf #8bb4f0
//	       diverging   #86b4ff #2f5491 #1b1e24 #8d3f2b #ff8f70
//
// and between two of them L, a and b of OKLab are interpolated linearly, the
// result clipped in linear sRGB and rounded to 8 bits, halves up. A theme's
// wheel has lightness l, swing s, chroma c and hue h (degrees); in OKLab
//
//	cyclic      L = l + s cos(360 t),  hue h + 360 t
//	category    L = l + s for even i, l - s for odd i,  hue h + 360 i / k
//
// where i = t (k-1) rounded is the number's place among the k = hi - lo + 1
// and a = c cos hue, b = c sin hue. What stands
// in a coloured cell is black or white, whichever contrasts more. FormatNumber
// says how numbers are written. testdata/agreement.json, which a third
// implementation made, holds page and package to all of this.
//
// # Errors
//
// A figure that came from outside is checked by Validate, which every export
// calls first; its errors name the figure, the part and the value. Unknown
// formats, themes and metrics are errors that list the known ones. A package
// that cannot read its own palette or fonts panics.
//
// The same figure and options give the same bytes in every format. Pictures
// carry no time, no path and no name of a machine.
package viz
