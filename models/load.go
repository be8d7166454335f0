package models

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"orrery/models/tokenizer"
	"orrery/models/weights"
)

// The files of a model directory.
const (
	configFile  = "config.json"
	weightsFile = "model.safetensors"
)

// eagerBytes is the size up to which Load looks at every number, which takes
// less than 0.1 s.
const eagerBytes = 256 << 20

// tokenizerFiles may stand in a model directory; one of the first two must, or
// the next two, for there to be a tokenizer.
var tokenizerFiles = []string{
	"tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt", "added_tokens.json", "tokenizer_config.json", "special_tokens_map.json",
}

// family is one kind of checkpoint: how its config.json is read, and how its
// weights are named and laid out.
type family struct {
	config func(*hfConfig) Config
	params func(*checkpoint, Config) (*Params, error)
}

// families are the kinds of checkpoints by the model_type of their config.json.
// The map is never written to.
var families = map[string]family{
	"bloom":            {bloomConfig, bloomParams},
	"falcon":           {falconConfig, falconParams},
	"gemma":            {gemmaConfig, gemmaParams},
	"gemma2":           {gemma2Config, gemma2Params},
	"gemma3":           {gemma3Config, gemma2Params},
	"gemma3_text":      {gemma3TextConfig, gemma2Params},
	"gpt2":             {gpt2Config, gpt2Params},
	"gpt_neo":          {gptNeoConfig, gptNeoParams},
	"gpt_neox":         {gptNeoXConfig, gptNeoXParams},
	"gptj":             {gptJConfig, gptJParams},
	"llama":            {llamaConfig, llamaParams},
	"mingpt":           {minGPTConfig, nanoGPTParams},
	"mistral":          {mistralConfig, llamaParams},
	"mpt":              {mptConfig, mptParams},
	"nanogpt":          {nanoGPTConfig, nanoGPTParams},
	"olmo":             {olmoConfig, llamaParams},
	"olmo2":            {olmo2Config, olmo2Params},
	"opt":              {optConfig, optParams},
	"phi":              {phiConfig, phiParams},
	"phi3":             {phi3Config, phi3Params},
	"qwen2":            {qwen2Config, llamaParams},
	"qwen3":            {qwen3Config, llamaParams},
	"stablelm":         {stableLMConfig, stableLMParams},
	"starcoder2":       {starCoder2Config, starCoder2Params},
	"transformer_lens": {transformerLensConfig, transformerLensParams},
}

// Load reads a model from a directory: Hugging Face's layout of a known family,
// or our own (see Save). The weights are one model.safetensors or its shards.
//
// Load reads headers and vectors only. A matrix is read and packed for the
// kernels when a run first needs it, in the type of the file where that is F16
// or BF16, and then the file's pages leave memory: a model takes about the size
// of its file, and no time before it is used. Embeddings are read row by row.
// The files are kept open and must not be written to meanwhile (replacing them
// by rename is safe): what is first needed of a changed file is refused, by its
// size and time of change, with a *weights.ChangedError.
//
// An unknown model_type or a setting that this engine does not compute is an
// error that names it and what is known. So are weights that are missing, that
// config.json has no place for (leftover.go says which), have another shape than
// config.json says, or hold a NaN or an infinity; of weights
// above 256 MiB the latter ends the run that first needs the matrix.
func Load(dir string) (*Model, error) {
	name := filepath.Base(filepath.Clean(dir))
	open := func() (*weights.File, error) { return weights.Open(dir) }
	m, err := load(os.DirFS(dir), name, dir, open)
	if err == nil {
		m.dir = dir
	}
	return m, err
}

// Dir is the directory that Load read the model from, as it was given; "" for any
// other model.
func (m *Model) Dir() string { return m.dir }

// LoadFS is Load from the directory name of a file system, with the weights in
// one model.safetensors.
func LoadFS(fsys fs.FS, name string) (*Model, error) {
	dir, err := fs.Sub(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("load model %s: %w", name, err)
	}
	open := func() (*weights.File, error) {
		b, err := fs.ReadFile(dir, weightsFile)
		if err != nil {
			return nil, err
		}
		return weights.Parse(weightsFile, b)
	}
	return load(dir, name[strings.LastIndexByte(name, '/')+1:], name, open)
}

// load is Load with the way to its weights.
func load(files fs.FS, name, path string, open func() (*weights.File, error)) (*Model, error) {
	m, err := func() (*Model, error) {
		b, err := fs.ReadFile(files, configFile)
		if err != nil {
			return nil, err
		}
		cfg, own, params, err := readConfig(b)
		if err != nil {
			return nil, err
		}
		f, err := open()
		if err != nil {
			return nil, err
		}
		m, err := stand(cfg, f, params, eagerBytes)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if m.Name = name; own != "" {
			m.Name = own
		}
		m.files = files
		if tokenizer.In(files) {
			if m.Tokenizer, err = tokenizer.LoadFS(files); err != nil {
				return nil, err
			}
		}
		return m, nil
	}()
	if err != nil {
		return nil, fmt.Errorf("load model %s: %w", path, err)
	}
	return m, nil
}

// stand makes a model of the weights in f, which it owns from then on if there
// is no error. It looks at every number of files of up to eager bytes.
func stand(cfg Config, f *weights.File, params func(*checkpoint, Config) (*Params, error), eager int64) (*Model, error) {
	c := &checkpoint{file: f}
	p, err := params(c, cfg)
	if err != nil {
		return nil, err
	}
	s, err := newStore(cfg, f, p, c.wishes)
	if err == nil {
		err = c.leftover(cfg, p)
	}
	if err != nil {
		return nil, err
	}
	if f.Bytes() <= eager {
		if err := s.finite(); err != nil {
			return nil, err
		}
	}
	m := newModel(cfg)
	if err := s.fill(m); err != nil {
		return nil, err
	}
	runtime.AddCleanup(s, func(f *weights.File) {
		_ = f.Close() // nobody is left to hear of it
	}, f)
	return m, nil
}

// readConfig reads config.json: the config, the name it gives itself if any,
// and the reader of its family's weights.
func readConfig(b []byte) (Config, string, func(*checkpoint, Config) (*Params, error), error) {
	c, err := parseHFConfig(b)
	if err != nil {
		return Config{}, "", nil, err
	}
	var kind string
	if !c.read("model_type", &kind) {
		kind = c.kindWithoutType()
	}
	if kind == nativeType && c.err == nil {
		own, err := parseNative(b)
		if err == nil {
			err = own.Config.Validate()
		}
		return own.Config, own.Name, nativeParams, err
	}
	known, ok := families[kind]
	if !ok {
		names := append(slices.Sorted(maps.Keys(families)), nativeType)
		c.fail("model_type is %q, and known are %s", kind, strings.Join(names, ", "))
		return Config{}, "", nil, c.err
	}
	cfg := known.config(c)
	c.guard()
	if c.err == nil {
		c.err = cfg.Validate()
	}
	return cfg, "", known.params, c.err
}
