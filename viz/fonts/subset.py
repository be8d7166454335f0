"""Make the subset fonts of this folder.

Usage: python3 subset.py   (fonttools 4; Debian's fonts-inter 4.0~beta7 and
fonts-jetbrains-mono 2.242 installed). The result is the same bytes each time.

Keeps Latin, Greek, Cyrillic, punctuation, arrows and the signs that figures
use; gives Inter tabular digits as its only digits; turns cubic outlines into
quadratic ones, which PDF embedding needs; drops hinting and layout tables.
"""
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont, newTable

KEEP = [(0x20, 0x7E), (0xA0, 0x17F), (0x37E, 0x3CE), (0x400, 0x45F), (0x2010, 0x2027), (0x2030, 0x203A),
        (0x2070, 0x209C), (0x2190, 0x2195), (0x21B5, 0x21B5), (0x21E5, 0x21E5), (0x2200, 0x2265),
        (0x2423, 0x2423), (0x2581, 0x2581), (0x25CF, 0x25CF), (0x27E8, 0x27E9), (0xFFFD, 0xFFFD)]
FONTS = [("/usr/share/fonts/opentype/inter/Inter-Regular.otf", "inter-regular.ttf"),
         ("/usr/share/fonts/opentype/inter/Inter-SemiBold.otf", "inter-semibold.ttf"),
         ("/usr/share/fonts/truetype/jetbrains-mono/JetBrainsMono-Regular.ttf", "jetbrains-mono-regular.ttf")]


def tabular(font):
    """Point the digits at their tabular forms."""
    subs = {}
    for record in font["GSUB"].table.FeatureList.FeatureRecord:
        if record.FeatureTag == "tnum":
            for i in record.Feature.LookupListIndex:
                for sub in font["GSUB"].table.LookupList.Lookup[i].SubTable:
                    subs.update(getattr(sub, "ExtSubTable", sub).mapping)
    for table in font["cmap"].tables:
        for code in list(table.cmap):
            if 0x30 <= code <= 0x39:
                table.cmap[code] = subs.get(table.cmap[code], table.cmap[code])


def quadratic(font):
    """Replace CFF outlines by glyf outlines, at most half a unit off."""
    order, glyphs = font.getGlyphOrder(), font.getGlyphSet()
    glyf = newTable("glyf")
    glyf.glyphOrder, glyf.glyphs = order, {}
    for name in order:
        pen = TTGlyphPen(glyphs)
        glyphs[name].draw(Cu2QuPen(pen, 0.5, reverse_direction=True))
        glyf.glyphs[name] = pen.glyph()
    font["loca"], font["glyf"] = newTable("loca"), glyf
    maxp = font["maxp"]
    maxp.tableVersion = 0x00010000
    for field in ("maxZones", "maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs",
                  "maxStackElements", "maxSizeOfInstructions", "maxComponentElements"):
        setattr(maxp, field, 1 if field == "maxZones" else 0)
    post = font["post"]
    post.formatType = 3.0
    del font["CFF "]
    font.sfntVersion = "\000\001\000\000"


for source, target in FONTS:
    font = TTFont(source, recalcTimestamp=False)
    if "inter" in target:
        tabular(font)
    options = Options()
    options.layout_features, options.hinting, options.notdef_outline = [], False, True
    options.glyph_names, options.name_IDs, options.recalc_timestamp = False, [0, 1, 2, 3, 4, 5, 6, 13, 14], False
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "DSIG", "STAT", "BASE"]
    subsetter = Subsetter(options)
    have = font.getBestCmap()
    subsetter.populate(unicodes=[c for lo, hi in KEEP for c in range(lo, hi + 1) if c in have])
    subsetter.subset(font)
    if "CFF " in font:
        quadratic(font)
    for record in font["name"].names:
        if record.nameID == 1 and "inter" in target:
            record.string = "Inter"
    font.save(target)
