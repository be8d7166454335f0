package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"orrery/models"
	"orrery/models/weights"
)

// synthCommand writes a checkpoint of random weights, so that scale is tested
// without downloads.
type synthCommand struct {
	Family string `arg:"" optional:"" help:"A family with known sizes: ${synth_families}."`
	Size   string `help:"One of the family's sizes: ${synth_sizes}."`
	Config string `help:"A config.json of any known family, in place of FAMILY and --size." type:"existingfile"`
	DType  string `name:"dtype" enum:"f32,f16,bf16" default:"bf16" help:"The type of the numbers: f32, f16 or bf16."`
	Seed   uint64 `help:"Where the random numbers start."`
	Out    string `required:"" help:"The directory to write."`
}

func (c *synthCommand) Run(con *console) error {
	config, err := c.config()
	if err != nil {
		return err
	}
	if err := models.WriteSynthetic(c.Out, config, weights.DType(strings.ToUpper(c.DType)), c.Seed); err != nil {
		return err
	}
	st, err := os.Stat(filepath.Join(c.Out, "model.safetensors"))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(con.out, "%s: %.2f GB of weights in %s, seed %d\n", c.Out, float64(st.Size())/1e9, c.DType, c.Seed)
	return err
}

// config is the config.json that was asked for.
func (c *synthCommand) config() ([]byte, error) {
	if c.Config != "" {
		if c.Family != "" || c.Size != "" {
			return nil, fmt.Errorf("give FAMILY and --size, or --config, not both")
		}
		return os.ReadFile(c.Config)
	}
	sizes := synthSizes()
	family, ok := sizes[c.Family]
	if !ok {
		return nil, fmt.Errorf("family is %q, and sizes are known of %s; --config takes the config.json of any other", c.Family, synthFamilies())
	}
	config, ok := family[c.Size]
	if !ok {
		return nil, fmt.Errorf("--size is %q, and known of %s are %s", c.Size, c.Family, strings.Join(slices.Sorted(maps.Keys(family)), ", "))
	}
	return []byte(config), nil
}

// synthFamilies lists the families with known sizes.
func synthFamilies() string { return strings.Join(slices.Sorted(maps.Keys(synthSizes())), ", ") }

// synthSizeNames lists the known sizes, each behind its family.
func synthSizeNames() string {
	var out []string
	for family, sizes := range synthSizes() {
		for size := range sizes {
			out = append(out, family+" "+size)
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// synthSizes holds the config.json of published models by family and size: what
// says their shape.
func synthSizes() map[string]map[string]string {
	return map[string]map[string]string{
		"gpt2": {
			"small": `{
  "model_type": "gpt2",
  "architectures": ["GPT2LMHeadModel"],
  "n_layer": 12, "n_head": 12, "n_embd": 768, "n_positions": 1024, "vocab_size": 50257,
  "activation_function": "gelu_new", "layer_norm_epsilon": 1e-05
}
`,
		},
		"llama": {
			"3.2-1b": `{
  "model_type": "llama",
  "architectures": ["LlamaForCausalLM"],
  "num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64,
  "hidden_size": 2048, "intermediate_size": 8192, "vocab_size": 128256, "max_position_embeddings": 131072,
  "hidden_act": "silu", "rms_norm_eps": 1e-05, "tie_word_embeddings": true,
  "rope_theta": 500000.0,
  "rope_scaling": {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
}
`,
			"3.1-8b": `{
  "model_type": "llama",
  "architectures": ["LlamaForCausalLM"],
  "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
  "hidden_size": 4096, "intermediate_size": 14336, "vocab_size": 128256, "max_position_embeddings": 131072,
  "hidden_act": "silu", "rms_norm_eps": 1e-05, "tie_word_embeddings": false,
  "rope_theta": 500000.0,
  "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
}
`,
		},
	}
}
