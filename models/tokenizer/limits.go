package tokenizer

// Bounds on what a tokenizer.json may hold. Each is several times what the largest published tokenizers need (Gemma 3: 33 MB,
// 262,144 tokens, 514,906 merges), so that only a damaged or hostile file meets them.
const (
	maxFile   = 128 << 20 // bytes of a tokenizer.json
	maxVocab  = 1 << 22   // tokens, and merges
	maxSparse = 1 << 16   // ids that may be missing beyond as many as there are tokens
	maxDepth  = 8         // nesting of Sequence parts
	maxParts  = 64        // parts of one Sequence or template; steps of a whole pre-tokenizer
	maxAdded  = 1 << 10   // bytes of an added token: matching costs at most this per byte of text
	maxPiece  = 1 << 8    // bytes of a SentencePiece piece: its merges are looked for at each place in it
	maxLooked = 32 << 20  // bytes of all tokens that are looked for byte by byte (added ones, and Unigram's)
	maxGrowth = 16        // factor by which replacements may lengthen a text
	maxPrefix = 64        // bytes that a Prepend may put in front
	maxText   = 64 << 20  // bytes of a text to encode: with maxGrowth, places in it fit 32 bits
)
