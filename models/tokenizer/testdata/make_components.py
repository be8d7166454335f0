"""components.json: what the tokenizers library 0.23.3 answers for single parts and settings that no family has.

python make_components.py OUT           the committed file
python make_components.py OUT COUNT     instead COUNT random strings for each tokenizer, for a longer comparison
"""
import json
import random
import sys

from tokenizers import Tokenizer

TEXTS = ["", " ", "a b", "  a  b ", "ab, cd!", "a-b--c", "x!/\n/1;y=22", "12 345٣² 67\u200c", "don't I'd  'S", "é e\u0301 a\u0307\u0323 a\u030d\u0301 a\u0898\u0323", "İstanbul ǅ ﬁ ＡＢ",
         "a\n\n b\t", "▁a ▁▁b", "中 文。a", "[x] <s>b </s>", "ab<m>  <m>d", "   b🙂", "\u00a0a\u3000", "ababb", "_ab ab_ ab", " 1234567 x12345y 12", "ó³ ²1 ð12¾3", "HTTPServer iPhone isn't ÉCole"]
BITS = ["a", "b", "ab", "A", "B", " ", "  ", "\n", "\t", "1", "23", "²", "٣", "'s", "'LL", "é", "e\u0301", "a\u0307\u0323", "ǅ", "İ", "ﬁ", "中", "🙂", "_", "-", "!?", "▁", "<s>", "</s>",
        "<m>", "[x]", "\u00a0", "\u3000", "\u200d", "\r\n", "/", "ʰ", "각", "\u1100\u1161", "Ⅷ", "x"]
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
TEKKEN = O200K.replace("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "").replace("{1,3}", "")
R2L = r"\d{1,3}(?=(?:\d{3})*\b)"
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
CHARS = {"type": "Split", "pattern": {"String": ""}, "behavior": "Isolated", "invert": False}


def bytes_as_chars():
    keep, n, out = [*range(33, 127), *range(161, 173), *range(174, 256)], 256, []
    for b in range(256):
        out.append(chr(b) if b in keep else chr(n))
        n += b not in keep
    return out


def doc(model, **parts):
    base = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None, "post_processor": None, "decoder": None}
    return {**base, **parts, "model": model}


def words(vocab=("[UNK]",), unk="[UNK]"):
    return {"type": "WordLevel", "vocab": {w: i for i, w in enumerate(vocab)}, "unk_token": unk}


def bpe(vocab, merges=(), **more):
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
            "vocab": {w: i for i, w in enumerate(vocab)}, "merges": [" ".join(m) for m in merges], **more}


def added(i, content, **flags):
    return {"id": i, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **flags}


def split(pattern, behavior, invert=False):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def tokenizers():
    """(name, file): pre-tokenizers show in the offsets of unknown words, normalizers in the characters and theirs."""
    for b in BEHAVIORS:
        yield f"punctuation {b}", doc(words(), pre_tokenizer={"type": "Punctuation", "behavior": b})
        for invert in (False, True):
            yield f"split b {b} {invert}", doc(words(), pre_tokenizer=split({"String": "b"}, b, invert))
        yield f"split gpt2 {b}", doc(words(), pre_tokenizer=split({"Regex": GPT2}, b))
        yield f"split empty {b}", doc(words(), pre_tokenizer=split({"String": ""}, b))
    for name, regex in [("llama3", LLAMA3), ("o200k", O200K), ("tekken", TEKKEN), ("falcon", "[0-9][0-9][0-9]"), ("r2l", R2L), ("bloom", BLOOM), ("three", r"\p{N}{1,3}"), ("one", r"\p{N}")]:
        yield f"split {name}", doc(words(), pre_tokenizer=split({"Regex": regex}, "Isolated"))
        yield f"split {name} next", doc(words(), pre_tokenizer=split({"Regex": regex}, "MergedWithNext"))
    for single in (False, True):
        yield f"digits {single}", doc(words(), pre_tokenizer={"type": "Digits", "individual_digits": single})
    yield "whitespace", doc(words(), pre_tokenizer={"type": "Whitespace"})
    yield "char delimiter", doc(words(), pre_tokenizer={"type": "CharDelimiterSplit", "delimiter": "-"})
    yield "sequence", doc(words(), pre_tokenizer={"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "Isolated"}, {"type": "Digits", "individual_digits": True}]})
    for scheme in ("always", "first", "never"):
        for cut in (False, True):
            yield f"metaspace {scheme} {cut}", doc(words(("[UNK]", "▁b", "b", "▁")), pre_tokenizer={"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": cut}, added_tokens=[added(4, "<s>")],
                                                   decoder={"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": cut})
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        yield form, doc(words(), normalizer={"type": form}, pre_tokenizer=CHARS)
    yield "lowercase", doc(words(), normalizer={"type": "Lowercase"}, pre_tokenizer=CHARS)
    for left, right in ((True, False), (False, True), (True, True)):
        yield f"strip {left} {right}", doc(words(), normalizer={"type": "Strip", "strip_left": left, "strip_right": right}, pre_tokenizer=CHARS)
    for old, new in (("ab", "XYZ"), ("b", ""), ("a ", "é")):
        yield f"replace {old} {new}", doc(words(), normalizer={"type": "Replace", "pattern": {"String": old}, "content": new}, pre_tokenizer=CHARS)
    yield "normalizers", doc(words(), normalizer={"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "Lowercase"}, {"type": "Prepend", "prepend": "xy"}, {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}, {"type": "NFC"}]},
                             pre_tokenizer=CHARS)
    flags = [added(1, "<s>", lstrip=True), added(2, "</s>", rstrip=True, normalized=True), added(3, "<m>", lstrip=True, rstrip=True), added(4, "ab", single_word=True, special=False),
             added(5, "[X]", normalized=True), added(6, "  ", normalized=True, special=False)]
    for norm in (None, {"type": "Lowercase"}, {"type": "Prepend", "prepend": "▁"}):
        yield f"added {norm and norm['type']}", doc(words(), added_tokens=flags, normalizer=norm, pre_tokenizer={"type": "Whitespace"})
    alphabet = bytes_as_chars()
    pairs = [("Ġ", "a"), ("Ġ", "Ġ"), ("a", "b"), ("Ġ", "ab"), ("Ã", "©"), ("ĠĠ", "Ġ")]
    for prefix, regex, trim in ((False, True, False), (False, True, True), (True, True, True), (True, False, True)):
        yield f"bytes {prefix} {regex} {trim}", doc(bpe([*alphabet, *map("".join, pairs)], pairs), added_tokens=[added(262, "<s>"), added(263, "</s>", lstrip=True, rstrip=True)],
                                                    pre_tokenizer={"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex},
                                                    post_processor={"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": True},
                                                    decoder={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True})
    for single, invert in ((False, False), (True, True)):
        after = [{"type": "Punctuation", "behavior": "Contiguous"}, {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
                 {"type": "Digits", "individual_digits": single}, split({"Regex": "[0-9][0-9][0-9]"}, "Isolated", invert)]
        some = [("1", "2"), ("2", "3"), ("12", "3"), ("Ġ", "1"), ("Ã", "³"), ("Â", "²"), ("-", "-")]
        yield f"falcon digits {single}", doc(bpe([*alphabet, *map("".join, some)], some), pre_tokenizer={"type": "Sequence", "pretokenizers": after},
                                             post_processor={"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True},
                                             decoder={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True})
    template = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"SpecialToken": {"id": "<m>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
                "special_tokens": {t: {"id": t, "ids": ids, "tokens": [t] * len(ids)} for t, ids in (("<s>", [262]), ("<m>", [263, 263]), ("</s>", [264]))}}
    yield "bytes template", doc(bpe([*alphabet, *map("".join, pairs)], pairs), added_tokens=[added(262, "<s>"), added(263, "<m>"), added(264, "</s>")],
                                pre_tokenizer={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
                                post_processor={"type": "Sequence", "processors": [{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}, template]},
                                decoder={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True})
    pieces = ["<unk>", "▁", "a", "b", " ", "▁a", "ab", "▁ab", "▁▁", "e", "1", "b▁"]
    joins = [("▁", "a"), ("a", "b"), ("▁", "ab"), ("▁a", "b"), ("▁", "▁")]
    space = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    back = {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 2, "stop": 0}]}
    for fuse in (False, True):
        yield f"sp unknown {fuse}", doc(bpe(pieces, joins, unk_token="<unk>", fuse_unk=fuse), normalizer=space, decoder=back)
        yield f"sp across words {fuse}", doc(bpe(pieces, [*joins, ("b", "▁")], unk_token="<unk>", fuse_unk=fuse), normalizer=space, decoder=back)
    every = [f"<0x{b:02X}>" for b in range(256)]
    yield "sp bytes", doc(bpe([*pieces, *every], joins, unk_token="<unk>", fuse_unk=True, byte_fallback=True), normalizer=space, decoder=back)
    yield "sp ignore merges", doc(bpe(pieces, joins[:2], unk_token="<unk>", ignore_merges=True), normalizer=space, pre_tokenizer=split({"String": "▁"}, "MergedWithNext"), decoder=back)
    scores = [["<unk>", 0.0], ["a", -2.0], ["b", -2.5], ["ab", -4.5], ["▁", -2.0], ["▁a", -3.5], ["aba", -5.5], ["1", -4.0]]
    meta = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    yield "unigram", doc({"type": "Unigram", "unk_id": 0, "vocab": scores, "byte_fallback": False}, pre_tokenizer=meta, decoder=meta)
    yield "unigram bytes", doc({"type": "Unigram", "unk_id": 0, "vocab": scores + [[x, -9.0] for x in every], "byte_fallback": True}, pre_tokenizer=meta, decoder=meta)


def spell(file):
    """Gives a normalizer's test every character it makes as a word, so that tokens show them."""
    if file["normalizer"] is None or file["pre_tokenizer"] != CHARS:
        return
    norm = Tokenizer.from_str(json.dumps(file)).normalizer
    chars = sorted({c for t in TEXTS + BITS for c in norm.normalize_str(t)})
    file["model"]["vocab"] = {w: i for i, w in enumerate(["[UNK]", *chars])}


def main():
    rng, out = random.Random(7), []
    for name, file in tokenizers():
        spell(file)
        tok = Tokenizer.from_str(json.dumps(file))
        texts = TEXTS if len(sys.argv) < 3 else ["".join(rng.choices(BITS, k=rng.randint(1, 14))) for _ in range(int(sys.argv[2]))]
        cases = []
        for text in texts:
            e = tok.encode(text)
            at = [len(text[:i].encode()) for i in range(len(text) + 1)]
            case = {"text": text, "tokens": e.tokens, "ids": e.ids, "offsets": [[at[a], at[b]] for a, b in e.offsets]}
            if name == "unigram bytes":
                del case["offsets"]  # the library gives each byte the span of all unknown characters around it, ours that of its character
            if file["decoder"]:
                case["decoded"] = tok.decode(e.ids, skip_special_tokens=False)
            cases.append(case)
        out.append({"name": name, "tokenizer": file, "cases": cases})
    with open(sys.argv[1], "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(x, separators=(",", ":")) for x in out) + "\n]\n")


main()
