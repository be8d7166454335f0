"""Writes sentencepiece/: three small tokenizer.model files and what the sentencepiece library 0.2.3 answers for them.

Run by hand in testdata: pip install sentencepiece==0.2.3 && python make_sentencepiece.py (the same bytes each time). The corpus is
made here; no text or vocabulary comes from elsewhere. Ids only: spans of the library are of its own normalized text.
"""
import io
import json
import os
import random

import sentencepiece as spm

WORDS = ("the quick brown fox jumps over a lazy dog while residual streams carry features of small transformers and heads attend to "
         "numbers sum of digits carry one plus minus times equals what is answer question layer neuron token position café naïve Größe").split()


def corpus():
    r = random.Random(5)
    for i in range(1500):
        a, b = r.randrange(10 ** r.randrange(1, 5)), r.randrange(10 ** r.randrange(1, 5))
        yield f"{a} + {b} = {a + b}" if i % 2 else " ".join(r.choice(WORDS) for _ in range(r.randrange(3, 12))) + r.choice([".", "?", "", "  !"])


COMMON = dict(byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True, pad_id=-1,
              unk_id=0, bos_id=1, eos_id=2, unk_surface="", num_threads=1, minloglevel=2, hard_vocab_limit=False)
MODELS = {
    "bpe": dict(model_type="bpe", vocab_size=480, add_dummy_prefix=True, allow_whitespace_only_pieces=True),
    "defined": dict(model_type="bpe", vocab_size=470, add_dummy_prefix=False, user_defined_symbols=["▁▁", "▁▁▁▁", "\n\n", "<x>", "sum"]),
    "unigram": dict(model_type="unigram", vocab_size=470, add_dummy_prefix=True),
    "bytes-off": dict(model_type="unigram", vocab_size=200, add_dummy_prefix=True, byte_fallback=False),
}
TEXTS = ["", " ", "  ", "     ", "a", " a", "a ", " a  b ", "47+85=132", "999 + 1 = 1000", "0007", "3.14159", "the quick brown fox", "The Quick", "summary of sums",
         "<x>", "a<x>b", "x <x><x> y", "\n", "\n\n", "\n\n\n", "a\n\nb", "tab\there", "don't", "café", "cafe\u0301", "Größe", "naïve naive", "中文 字", "🙂🙃", "é🙂é", "\u00a0x\u00a0",
         "▁", "▁▁", "a▁b", "x" * 40, "the" * 20, "heads attend to heads", "residualstreams", "What is 12 plus 34?", "a" * 3 + " " * 9 + "b", "\u200d", "ſ", "\U0001F468\u200d\U0001F469",
         "layer layer  layer   layer    layer", "sum  sum   <x>  sum"]


def texts():
    r = random.Random(9)
    letters = "abcdefghij <>x▁0123456789+=é中🙂\n.suthe  "
    return TEXTS + ["".join(r.choice(letters) for _ in range(r.randrange(1, 24))) for _ in range(150)]


def main():
    os.makedirs("sentencepiece", exist_ok=True)
    out = {}
    for name, settings in MODELS.items():
        model = io.BytesIO()
        spm.SentencePieceTrainer.train(sentence_iterator=corpus(), model_writer=model, **{**COMMON, **settings})
        with open(f"sentencepiece/{name}.model", "wb") as f:
            f.write(model.getvalue())
        p = spm.SentencePieceProcessor(model_proto=model.getvalue())
        out[name] = [{"text": t, "ids": p.encode(t)} for t in texts()]
    with open("sentencepiece/vectors.json", "w", newline="\n") as f:
        f.write("{\n" + ",\n".join(json.dumps(k) + ": [\n" + ",\n".join(json.dumps(x) for x in v) + "\n]" for k, v in out.items()) + "\n}\n")


main()
