package hub

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"orrery/models/internal/clip"
	"orrery/models/weights"
)

// The files of a model. Sizes are bounds, several times what is published.
const (
	configName  = "config.json"
	singleName  = "model.safetensors"
	indexName   = "model.safetensors.index.json"
	maxSmall    = 128 << 20 // bytes of a configuration, tokenizer or index
	hintConvert = "convert it where PyTorch is, for example: python -c \"from transformers import AutoModelForCausalLM as M; M.from_pretrained('%s').save_pretrained('DIR', safe_serialization=True)\" and load DIR; or look on %s/discussions for a pull request with safetensors and pull %s@refs/pr/N"
)

// smallNames are the files beside the weights that a model directory may hold.
var smallNames = []string{
	configName, "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
	"tokenizer.model", "spiece.model", "vocab.json", "merges.txt", "added_tokens.json",
}

// pickleSuffixes are those of files that can run code when they are read.
var pickleSuffixes = []string{".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"}

// file is one file to bring.
type file struct {
	name string
	size int64
	sum  checksum
}

// plan is what to bring of a revision.
type plan struct {
	commit string
	files  []file // configuration first, then tokenizer, then weights
	index  bool   // the weights are what model.safetensors.index.json names, to be added when that is there
	have   map[string]sibling
}

// choose picks a model's files from a listing: configuration, tokenizer, and
// as weights model.safetensors or else the shards of its index. Only files at
// the top are looked at. A repository with pickles alone is refused.
func choose(repo Repo, l *listing, page string) (*plan, error) {
	p := &plan{commit: l.Commit, have: map[string]sibling{}}
	for _, s := range l.Siblings {
		if !strings.Contains(s.Name, "/") {
			p.have[s.Name] = s
		}
	}
	if _, ok := p.have[configName]; !ok {
		return nil, &Error{Problem: fmt.Sprintf("%s has no %s at its top: it is not a model directory", repo, configName), hint: "see its files on " + page + "/tree/" + repo.rev()}
	}
	weights := singleName
	if _, ok := p.have[singleName]; !ok {
		if _, ok := p.have[indexName]; !ok {
			return nil, noWeights(repo, p.have, page)
		}
		weights, p.index = indexName, true
	}
	for _, name := range smallNames {
		if _, ok := p.have[name]; ok {
			if err := p.add(name, maxSmall); err != nil {
				return nil, err
			}
		}
	}
	most := int64(0)
	if p.index {
		most = maxSmall
	}
	return p, p.add(weights, most)
}

// add puts a file of the listing on the plan. most bounds its size, 0 does not.
func (p *plan) add(name string, most int64) error {
	s, ok := p.have[name]
	switch {
	case !ok:
		return &Error{Problem: fmt.Sprintf("%s names %s, which the repository does not have", indexName, clip.Text(name))}
	case !plain(name) || path.Base(name) != name:
		return &Error{Problem: fmt.Sprintf("the listing has a file %q, whose name is not plain", clip.Text(name))}
	}
	f := file{name: name}
	switch {
	case s.LFS != nil:
		f.size, f.sum = s.LFS.Size, checksum{sha256Sum, s.LFS.SHA256}
		if s.Size != nil && *s.Size != f.size {
			return &Error{Problem: fmt.Sprintf("the listing gives %s two sizes, %d and %d bytes", name, *s.Size, f.size)}
		}
	case s.Size != nil:
		f.size, f.sum = *s.Size, checksum{blobSum, s.Blob}
	}
	if !isHex(f.sum.hex, f.sum.kind.digits()) {
		return &Error{Problem: fmt.Sprintf("the listing has no checksum of %s: its content could not be verified", name), hint: hintEndpoint}
	}
	if f.size < 0 || most > 0 && f.size > most {
		return &Error{Problem: fmt.Sprintf("%s has %d bytes; from 0 to %d are accepted", name, f.size, most)}
	}
	p.files = append(p.files, f)
	return nil
}

// addShards puts what the index in dir names on the plan.
func (p *plan) addShards(dir string) error {
	shards, err := weights.Shards(filepath.Join(dir, indexName))
	if err != nil {
		return err
	}
	for _, name := range shards {
		if err := p.add(name, 0); err != nil {
			return err
		}
	}
	return nil
}

// whole reports whether dir has all files of the plan, by their sizes.
func (p *plan) whole(dir string) bool {
	all := *p
	all.files = slices.Clone(p.files)
	if p.index && all.addShards(dir) != nil {
		return false
	}
	for _, f := range all.files {
		if st, err := os.Lstat(filepath.Join(dir, f.name)); err != nil || !st.Mode().IsRegular() || st.Size() != f.size {
			return false
		}
	}
	return true
}

// total is the size of all files; false when the sum is beyond 63 bits.
func (p *plan) total() (int64, bool) {
	var sum int64
	for _, f := range p.files {
		if sum += f.size; sum < 0 {
			return 0, false
		}
	}
	return sum, true
}

// noWeights says why a repository without safetensors is not pulled.
func noWeights(repo Repo, have map[string]sibling, page string) error {
	var pickles, tensors []string
	for name := range have {
		if slices.Contains(pickleSuffixes, strings.ToLower(path.Ext(name))) {
			pickles = append(pickles, name)
		}
		if path.Ext(name) == ".safetensors" {
			tensors = append(tensors, name)
		}
	}
	slices.Sort(pickles)
	slices.Sort(tensors)
	switch {
	case len(tensors) > 0:
		return &Error{Problem: fmt.Sprintf("%s has neither %s nor %s; it has %s, which is not a whole model's name", repo, singleName, indexName, clip.Text(strings.Join(tensors, ", "))),
			hint: "an adapter has to be merged into its base model first"}
	case len(pickles) > 0:
		name := repo.Owner + "/" + repo.Name
		return &Error{Problem: fmt.Sprintf("%s has its weights only as pickles (%s), which can run code when they are read and are never loaded", repo, clip.Text(strings.Join(pickles, ", "))),
			hint: fmt.Sprintf(hintConvert, name, page, name)}
	}
	return &Error{Problem: fmt.Sprintf("%s has no safetensors weights at its top (neither %s nor %s)", repo, singleName, indexName), hint: "see its files on " + page + "/tree/" + repo.rev()}
}
