package zoo_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/train"
	"orrery/models/zoo"
)

func TestNames(t *testing.T) {
	names := zoo.Names()
	if !slices.Contains(names, "mental-2op") || !slices.IsSorted(names) {
		t.Errorf("names %q, want a sorted list with mental-2op", names)
	}
}

// A card's figures must be those of the files beside it.
func TestCardsDescribeTheFiles(t *testing.T) {
	for _, name := range zoo.Names() {
		t.Run(name, func(t *testing.T) {
			card, err := zoo.CardOf(name)
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(filepath.Join(name, "model.safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != card.SHA256 {
				t.Errorf("model.safetensors has SHA-256 %x, the card says %s", sum, card.SHA256)
			}
			m, err := zoo.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			if n := m.Params().Count(); n != card.Parameters || card.Name != name || m.Name != name {
				t.Errorf("model %q of %d weights, the card says %q of %d", m.Name, n, card.Name, card.Parameters)
			}
			recipe, err := train.Find(name)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(name, "recipe.json"))
			if err != nil {
				t.Fatal(err)
			}
			var shipped train.Recipe
			if err := json.Unmarshal(text, &shipped); err != nil {
				t.Fatal(err)
			}
			now, err := json.Marshal(recipe)
			if err != nil {
				t.Fatal(err)
			}
			if was, err := json.Marshal(shipped); err != nil || !bytes.Equal(now, was) || !reflect.DeepEqual(m.Config, recipe.Model) {
				t.Errorf("recipe.json is\n%s\nand the recipe of that name\n%s", was, now)
			}
			if card.Steps != recipe.Steps || card.Batch != recipe.Batch || card.Seed != recipe.Seed || card.HeldShare != recipe.HeldOut {
				t.Errorf("card %+v is not of recipe %+v", card, recipe)
			}
			task, err := train.FindTask(recipe.Task)
			if err != nil {
				t.Fatal(err)
			}
			tok, err := os.ReadFile(filepath.Join(name, "tokenizer.json"))
			if err != nil || !bytes.Equal(tok, task.Tokenizer) {
				t.Errorf("tokenizer.json is not the task's (%v)", err)
			}
		})
	}
}

// The accuracy on the card, measured again from the shipped weights. Another
// kernel path rounds differently and may turn a close call or two.
func TestHeldOutAccuracy(t *testing.T) {
	for _, name := range zoo.Names() {
		t.Run(name, func(t *testing.T) {
			card, err := zoo.CardOf(name)
			if err != nil {
				t.Fatal(err)
			}
			m, err := zoo.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			recipe, err := train.Find(name)
			if err != nil {
				t.Fatal(err)
			}
			task, err := train.FindTask(recipe.Task)
			if err != nil {
				t.Fatal(err)
			}
			learn, held := task.Held(recipe.HeldOut, recipe.Seed)
			got, err := train.Measure(t.Context(), m, held)
			if err != nil {
				t.Fatal(err)
			}
			if d := math.Abs(float64(got.Correct - card.HeldOut.Correct)); !(d <= 2) || got.Prompts != card.HeldOut.Prompts {
				t.Errorf("%d of %d held-out prompts answered, the card says %d of %d", got.Correct, got.Prompts, card.HeldOut.Correct, card.HeldOut.Prompts)
			}
			if !(math.Abs(got.Loss-card.HeldOut.Loss) <= 1e-3) {
				t.Errorf("held-out loss %g, the card says %g", got.Loss, card.HeldOut.Loss)
			}
			if !(card.HeldOut.Accuracy >= 0.99) || !(got.Accuracy >= 0.99) {
				t.Errorf("held-out accuracy %g (card %g), want at least 0.99", got.Accuracy, card.HeldOut.Accuracy)
			}
			if card.Train.Prompts != len(learn) || card.Train.Correct > len(learn) || !(card.Train.Accuracy >= card.HeldOut.Accuracy-0.01) {
				t.Errorf("card's score on the prompts learned from: %+v of %d", card.Train, len(learn))
			}
		})
	}
}

// From text to text, as a user has it.
func TestMentalArithmetic(t *testing.T) {
	m, err := zoo.Open("mental-2op")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ prompt, want string }{
		{"34+57=", "91"}, {"34 + 57 =", "91"}, {"99+99=", "198"}, {"0 + 0 =", "0"}, {"83-46=", "37"}, {"50 - 50 =", "0"},
	} {
		t.Run(c.prompt, func(t *testing.T) {
			ids, err := m.Encode(c.prompt)
			if err != nil {
				t.Fatal(err)
			}
			out, err := m.Run(t.Context(), models.Prompt(ids...))
			if err != nil {
				t.Fatal(err)
			}
			want, ok := m.Tokenizer.ID(c.want)
			if n, err := train.Correct(out.Logits, []int{want}); err != nil || !ok || n != 1 {
				t.Errorf("not answered by %s (ids %v, %v)", c.want, ids, err)
			}
		})
	}
	for _, prompt := range []string{"34*57=", "100+200=", "thirty"} {
		if ids, err := m.Encode(prompt); err == nil {
			t.Errorf("%q was encoded as %v", prompt, ids)
		}
	}
}

func TestOpenDirectory(t *testing.T) {
	byPath, err := zoo.Open("./mental-2op")
	if err != nil {
		t.Fatal(err)
	}
	byName, err := zoo.Open("mental-2op")
	if err != nil {
		t.Fatal(err)
	}
	if byPath.Hash() != byName.Hash() || byName.Hash() == "" {
		t.Errorf("hashes %q by path and %q by name", byPath.Hash(), byName.Hash())
	}
}

func TestUnknownModel(t *testing.T) {
	_, cardErr := zoo.CardOf("mental-2ops")
	_, openErr := zoo.Open("mental-2ops")
	_, fileErr := zoo.Open("zoo_test.go")
	for _, err := range []error{cardErr, openErr, fileErr} {
		var ue *zoo.UnknownModelError
		if !errors.As(err, &ue) || !strings.Contains(err.Error(), "mental-2op,") && !strings.Contains(err.Error(), "(mental-2op)") {
			t.Errorf("got %v, want an UnknownModelError with the shipped names", err)
		}
	}
	if _, err := zoo.CardOf("."); err == nil {
		t.Error("a card of the folder itself")
	}
}
