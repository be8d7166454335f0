// Package models runs decoder-only transformers with every activation readable,
// editable and differentiable.
//
// It is not a trainer (train), knows no shipped model (zoo), and draws no
// conclusions: what is read from a model is package probe, what is changed in
// one is package ablate.
//
// # Dimensions
//
// Letters stand for sizes here and in the packages above:
//
//	B  batch rows     T  positions            L  layers
//	D  model width    H  query heads          G  key-value heads (H/G queries share one)
//	K  head width     F  MLP width            V  vocabulary
//
// # The forward pass
//
// One general decoder block covers the families by its Config. Each line names
// the site that holds its value, with the shape; [..] after a name is a choice
// of the config. The residual stream x is [B,T,D] throughout.
//
//	embed.ln.*                   a norm of the rows                  [embed_norm]
//	hook_embed        [B,T,D]    rows of the embedding, scaled where the config says so
//	hook_pos_embed    [B,T,D]    rows of the position table          [learned positions]
//	x = embed + pos_embed
//
//	in block l, names begin with blocks.l.
//	hook_resid_pre    [B,T,D]    x
//	hook_attn_in      [B,T,H,D]  x for each head; what is edited here reaches that head alone
//	hook_q_input      [B,T,H,D]  attn_in for the queries of each head
//	hook_k_input      [B,T,G,D]  and for the keys (of the first query head of the group)
//	hook_v_input      [B,T,G,D]  and for the values
//	ln1.hook_scale    [B,T,1]    sqrt(var(x)+eps), or sqrt(mean(x²)+eps)   [LayerNorm, RMSNorm]
//	ln1.hook_normalized [B,T,D]  (x − mean)/scale, or x/scale, before gain and bias
//	ln1.hook_out      [B,T,D]    normalized·gain + bias
//	attn.hook_q       [B,T,H,K]  W_Q·ln1 + b_Q
//	attn.hook_k       [B,T,G,K]  W_K·ln1 + b_K
//	attn.hook_v       [B,T,G,K]  W_V·ln1 + b_V
//	q, k and v are clipped                                           [clip_qkv]
//	attn.q_norm.*, attn.k_norm.*  as ln1: of each head, [B,T,H,1] and [B,T,H,K], or
//	                             of all together, [B,T,1] and [B,T,H·K]    [qk_norm]
//	attn.hook_rot_q   [B,T,H,K]  q turned by its position            [rotary positions]
//	attn.hook_rot_k   [B,T,G,K]  k turned by its position            [rotary positions]
//	attn.hook_attn_scores [B,H,T,T]  q·k/sqrt(K), rows = query, capped and with
//	                             ALiBi's bias where the config says so; -Inf where
//	                             masked: the future, and keys beyond the window
//	attn.hook_pattern [B,H,T,T]  softmax of each row of scores
//	attn.hook_z       [B,T,H,K]  values weighted by the pattern
//	attn.hook_result  [B,T,H,D]  W_O·z of each head
//	ln1_post.*                   as ln1, of their sum + b_O          [placement post, both]
//	hook_attn_out     [B,T,D]    that sum + b_O, or ln1_post
//	hook_resid_mid    [B,T,D]    x += attn_out                       [serial blocks]
//	hook_mlp_in       [B,T,D]    x for the MLP alone
//	ln2.*                        as ln1
//	mlp.hook_pre      [B,T,F]    W_in·ln2 + b_in, or the gate W_gate·ln2   [plain, gated]
//	mlp.hook_pre_linear [B,T,F]  W_in·ln2 + b_in                     [gated]
//	mlp.hook_post     [B,T,F]    act(pre), or act(pre)·pre_linear
//	ln2_post.*                   as ln1, of W_out·post + b_out       [placement post, both]
//	hook_mlp_out      [B,T,D]    W_out·post + b_out, or ln2_post
//	hook_resid_post   [B,T,D]    x += mlp_out
//
//	ln_final.hook_scale      [B,T,1]
//	ln_final.hook_normalized [B,T,D]
//	ln_final.hook_out [B,T,D]
//	logits            [B,T,V]    W_U·ln_final + b_U, capped where the config says so
//
// Where a norm does not exist (ln1 and ln2 with placement post, all with norm
// none) what it would read passes as it is. In a parallel block both halves read
// hook_resid_pre, and hook_resid_post adds both; there is no hook_resid_mid. With
// one norm for both halves, ln1.* is what the attention reads through it and
// ln2.* what the MLP reads: an edit of one leaves the other alone. Blocks without
// MLP have none of its sites.
//
// The names are TransformerLens'; Model.Site accepts its short names and those
// of its version 4 as well. hook_scale is the divisor and hook_normalized the
// quotient before gain and bias, as TransformerLens computes them when it has
// not folded the norms; nothing is folded here unless Model.Process did, and
// Model.Basis says so. hook_attn_in to hook_v_input, hook_result and hook_mlp_in
// are computed only when a hook selects them.
//
// An edit at any site reaches the logits. One that moves a single head's input
// (hook_attn_in to hook_v_input) norms that head's row by its own statistics,
// out of reach of edits at the same block's ln1.
//
// # Rules that hold everywhere
//
// A Model never changes, and a run is a function of its arguments: hooks and
// edits are arguments, in the order in which they are called. The same row gives
// the same bits alone and in a batch, padded left, right or not at all,
// recorded or not, on any number of threads. Padding is skipped, not multiplied
// by zero, and real tokens count their positions from 0. Rotary frequencies that
// change with length (dynamic, longrope) are those of each row's own number of
// tokens, and a generation that changes them turns its keys anew.
//
// # Sweeps
//
// NewBase records a run, and Base.Rerun computes thousands of edited variants of
// it: only the rows and layers that an edit can reach and somebody needs, the
// rows of many variants as one matrix, shared beginnings once. Every cell has
// the bits of a full run of that variant. A sweep reports its predicted and
// computed row-layers, streams each cell, and is cut into Chunks, which are
// values. rows.go has the sets of rows that a pass works on, stages.go what they
// are at each stage of a block, and sweep.go and sweep_block.go which of them an
// edit changes.
//
// A Need asks for the logits of some positions and tokens, of plain runs, of
// gradients and of sweeps alike: what nothing needs is not computed, in the last
// block and in the unembedding.
//
// # Gradients and generation
//
// Gradient differentiates a function of the logits, GradientOf one of any
// activations, by every site and every parameter; Want.Recompute trades a third
// more arithmetic for the memory of a single block. Generate keeps keys and
// values, samples, streams, and takes edits and hooks at each step.
//
// # Families
//
// Load knows the Hugging Face layouts of GPT-2, GPT-Neo, GPT-NeoX and Pythia,
// GPT-J, Llama, Mistral, Qwen 2 and 3, Gemma 1 to 3, Phi, Phi-3, OLMo 1 and 2,
// OPT, BLOOM, StarCoder 2, StableLM, Falcon and MPT; the state dicts of nanoGPT,
// minGPT and TransformerLens; and our own. A field of a config.json that changes
// the arithmetic is honoured, or refused by its name and value (hfconfig.go lists
// them, and what is ignored).
//
// # Taking a run apart
//
// RunWithCache records a run under a budget. The Cache only stores; functions
// over a model and its cache take the residual stream apart as TransformerLens'
// methods do, into a Stack of labelled components: DecomposeResid,
// AccumulatedResid, StackHeadResults, StackNeuronResults,
// FullResidDecomposition. LogitAttrs gives what each adds to a logit.
//
// # Bases
//
// Weights are as they were trained (RawBasis) unless Model.Process rewrote them:
// folded norms, centred writing and unembedding, folded value biases. That
// gives a new model with the same probabilities and other values inside. Its
// Basis is a field of the config: in the hash, in saved models, in every Cache,
// and a cache is refused by a model of another basis.
//
// # Memory
//
// A loaded model is a plan: which tensor of which mapped file goes where. A run
// packs each matrix for the kernels when it first needs it, piece by piece, in
// 16 bits where the file has them, and lets the file's pages go, so that a model
// takes its file's size and the scratch memory of its runs. The kernels widen
// 16-bit weights exactly: results have the bits of a float32 copy. checkpoint.go
// notes what a family wants, store.go and pack.go make it, matrix.go makes it
// once. Params reads everything as float32, and Save and Hash part by part.
//
// # Errors
//
// Bad input comes back as an error that names the value, the range or the
// nearest right names: UnknownSiteError, NumericError, ErrNoTokenizer, or plain
// text. A shape that this program itself got wrong panics with a
// tensor.ShapeError. A cancelled context ends a run within 100 ms with the
// context's error.
//
// # Where to start
//
// forward.go is the whole pass on one page, and backward.go its twin. Config
// says what can vary, Site and Hook how to look and intervene, Edit the same as
// data. gpt2.go and llama.go map published checkpoints, with the names of
// layout.go for what happens to a tensor on its way; a family that the block
// covers is one such file and a line in load.go.
package models
