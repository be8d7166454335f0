package models

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"orrery/models/tensor"
	"orrery/models/tokenizer"
	"orrery/models/weights"
)

// The files of a model directory.
const (
	configFile  = "config.json"
	weightsFile = "model.safetensors"
)

// tokenizerFiles may stand in a model directory; the first must, for there to
// be a tokenizer.
var tokenizerFiles = []string{"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"}

// family is one kind of checkpoint: how its config.json is read, and how its
// weights are named and laid out.
type family struct {
	config func(*hfConfig) Config
	params func(*weights.File, Config) (*Params, error)
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
	"stablelm":         {stableLMConfig, llamaParams},
	"starcoder2":       {starCoder2Config, starCoder2Params},
	"transformer_lens": {transformerLensConfig, transformerLensParams},
}

// Load reads a model from a directory: Hugging Face's layout of a known family,
// or our own (see Save). The weights are one model.safetensors or its shards.
//
// An unknown model_type or a setting that this engine does not compute is an
// error that names it and what is known. So are weights that are missing, have
// another shape than config.json says, or hold a NaN or an infinity.
func Load(dir string) (*Model, error) {
	name := filepath.Base(filepath.Clean(dir))
	open := func() (*weights.File, error) { return weights.Open(dir) }
	tok := func() (*tokenizer.Tokenizer, error) { return tokenizer.Load(dir) }
	return load(os.DirFS(dir), name, dir, open, tok)
}

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
	tok := func() (*tokenizer.Tokenizer, error) {
		b, err := fs.ReadFile(dir, tokenizerFiles[0])
		if err != nil {
			return nil, err
		}
		config, err := fs.ReadFile(dir, tokenizerFiles[1])
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return tokenizer.Parse(b, config)
	}
	return load(dir, name[strings.LastIndexByte(name, '/')+1:], name, open, tok)
}

// load is Load with the ways to its files.
func load(files fs.FS, name, path string, open func() (*weights.File, error), tok func() (*tokenizer.Tokenizer, error)) (*Model, error) {
	m, err := func() (*Model, error) {
		cfg, own, params, err := readConfig(files)
		if err != nil {
			return nil, err
		}
		f, err := open()
		if err != nil {
			return nil, err
		}
		defer f.Close() // the weights are copied: nothing points into the file
		p, err := params(f, cfg)
		if err != nil {
			return nil, err
		}
		m, err := New(cfg, p)
		if err != nil {
			return nil, err
		}
		if m.Name = name; own != "" {
			m.Name = own
		}
		m.files = files
		if _, err := fs.Stat(files, tokenizerFiles[0]); err == nil {
			if m.Tokenizer, err = tok(); err != nil {
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

// readConfig reads config.json: the config, the name it gives itself if any,
// and the reader of its family's weights.
func readConfig(files fs.FS) (Config, string, func(*weights.File, Config) (*Params, error), error) {
	b, err := fs.ReadFile(files, configFile)
	if err != nil {
		return Config{}, "", nil, err
	}
	c, err := parseHFConfig(b)
	if err != nil {
		return Config{}, "", nil, err
	}
	var kind string
	c.read("model_type", &kind)
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

// reader collects which tensors of a file go where, checks them all, and only
// then reads them.
type reader struct {
	file  *weights.File
	wants []wish
}

// wish is one weight and the tensor it is made from.
type wish struct {
	at    **tensor.Dense
	name  string
	shape []int // in the file
	make  func(*tensor.Dense) *tensor.Dense
}

func newReader(f *weights.File) *reader { return &reader{file: f} }

// want puts a copy of the tensor at its place.
func (r *reader) want(at **tensor.Dense, name string, shape ...int) {
	r.then(at, name, nil, shape...)
}

// then puts what make makes of the tensor at its place. What make returns must
// not share memory with its argument, which may be a mapped file.
func (r *reader) then(at **tensor.Dense, name string, make func(*tensor.Dense) *tensor.Dense, shape ...int) {
	r.wants = append(r.wants, wish{at, name, shape, make})
}

// read checks names and shapes of everything wanted, reads it, and refuses a
// tensor with a number that is not finite, by name and index.
func (r *reader) read() error {
	expect := make([]weights.Expect, len(r.wants))
	for i, w := range r.wants {
		expect[i] = weights.Expect{Name: w.name, Shape: w.shape}
	}
	if err := r.file.Check(expect); err != nil {
		return err
	}
	for _, w := range r.wants {
		x, err := r.file.Float32(w.name)
		if err != nil {
			return err
		}
		if err := finite(w.name, x); err != nil {
			return err
		}
		if w.make == nil {
			w.make = (*tensor.Dense).Clone
		}
		*w.at = w.make(x)
	}
	return nil
}
