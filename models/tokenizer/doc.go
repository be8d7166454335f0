// Package tokenizer turns text into token ids and back, as a checkpoint's tokenizer.json says.
//
// A Tokenizer is one pipeline, read from the file of the Hugging Face tokenizers library (its version 0.23 is the reference
// for every rule here):
//
//	text ─ added tokens cut out ─ normalizer ─ pre-tokenizer ─ model ─ post-processor ─> ids
//	ids ─ vocabulary strings ─ decoder ─> text
//
// Models are BPE (byte-level, and SentencePiece-style with byte fallback), Unigram and WordLevel. Our own word and character
// tokenizers are ordinary files with a WordLevel model: there is no second format.
//
// A checkpoint without that file but with SentencePiece's tokenizer.model gets the pipeline that transformers would write for it
// (sentencepiece.go reads the file, sentencepiece_build.go makes the pipeline).
//
// Start reading at tokenizer.go (what callers use), then encode.go (the pipeline's run), parse.go (the file), and one
// file for each part: added.go, normalizer.go, pretokenizer.go with the hand-written scanners of the published patterns
// (scan*.go, since Go's regexp has no look-ahead), bpe.go, unigram.go, wordlevel.go, postprocessor.go, decoder.go. text.go
// carries the map from normalized text back to the input, chars.go says which Unicode version each character class has.
//
// What it is not: it trains nothing, truncates and pads nothing (the file's "truncation" and "padding" are the caller's
// business), reads no SentencePiece .model and no vocab.json with merges.txt, and draws no random merges (dropout).
// skip-special drops every special token; the library keeps those that its normalizer changes (Llama 2's <s>).
//
// Errors: a file with a part, a setting or a pattern that is not implemented is refused with its name, never read
// approximately. A piece of text that the vocabulary cannot express, where the file names no unknown token, is an
// UnknownPieceError with its place and the nearest tokens (the library drops such characters silently). Text must be
// valid UTF-8. Nothing here panics on bad input, and the sizes of limits.go bound what a file may ask for.
package tokenizer
