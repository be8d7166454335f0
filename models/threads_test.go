package models_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// TestThreadsAndPathsChangeNoBit runs this test's program again with other
// numbers of threads and on the other vector path of this processor: the same
// work must give the same bits.
func TestThreadsAndPathsChangeNoBit(t *testing.T) {
	if os.Getenv("MODELS_TEST_PRINT") != "" {
		fmt.Printf("sum %s on %s\n", sumOfWork(t), models.KernelPath())
		return
	}
	sums := map[string]string{}
	for _, threads := range []string{"1", "2", "5"} {
		sums["threads "+threads] = again(t, "GOMAXPROCS="+threads)
	}
	if models.KernelPath() == "avx512" {
		sums["avx2"] = again(t, "ORRERY_KERNEL=avx2")
	}
	for name, sum := range sums {
		if sum != sums["threads 1"] {
			t.Errorf("%s gives %s, and 1 thread %s", name, sum, sums["threads 1"])
		}
	}
}

// again runs the work in a process of its own and returns its sum.
func again(t *testing.T, setting string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestThreadsAndPathsChangeNoBit$")
	cmd.Env = append(os.Environ(), "MODELS_TEST_PRINT=1", setting)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", setting, err, out)
	}
	_, sum, ok := strings.Cut(string(out), "sum ")
	if !ok {
		t.Fatalf("%s printed %s", setting, out)
	}
	sum, path, _ := strings.Cut(strings.SplitN(sum, "\n", 2)[0], " on ")
	if want, is := strings.CutPrefix(setting, "ORRERY_KERNEL="); is && path != want {
		t.Fatalf("%s ran on %s", setting, path)
	}
	return sum
}

// sumOfWork is over the bits of runs, re-runs, gradients and a generation of
// models that are wide enough for work to be split.
func sumOfWork(t *testing.T) string {
	h := sha256.New()
	for _, cfg := range []models.Config{modeltest.GPT2(1).Config, modeltest.Llama(1).Config} {
		cfg.Width, cfg.HeadWidth, cfg.MLPWidth, cfg.Vocab, cfg.Context = 96, 24, 192, 300, 64
		cfg.Heads, cfg.KVHeads = 4, 4
		cfg.Rotary.Dim = 24
		m, err := models.New(cfg, models.InitParams(cfg, 5))
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(1, 2))
		rows := make([][]int, 6)
		for i := range rows {
			for range 30 + 4*i {
				rows[i] = append(rows[i], rng.IntN(cfg.Vocab))
			}
		}
		in, err := models.Pad(rows, models.Right, 0)
		if err != nil {
			t.Fatal(err)
		}
		add(h, logits(t, m, in, models.Need{}))
		b, err := m.NewBase(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		variants := randomVariants(rng, m, in, 40)
		cells := make([]*tensor.Dense, len(variants))
		if _, err := b.Rerun(context.Background(), variants, models.Need{Last: true}, models.RerunOptions{}, func(c models.Cell) error {
			cells[c.Variant] = c.Logits
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for _, c := range cells {
			add(h, c)
		}
		last := func(l *tensor.Dense) (float64, *tensor.Dense, error) {
			g := tensor.New(l.Shape...)
			for i := range g.Data {
				g.Data[i] = float32(i%7) - 3
			}
			return 0, g, nil
		}
		g := gradient(t, m, in, last, models.Want{Params: true, Need: models.Need{Last: true}})
		g.Params.Each(func(_ string, x *tensor.Dense) { add(h, x) })
		out, err := m.Generate(context.Background(), rows[:3], models.GenerateOptions{Tokens: 6}, nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(h, out)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func add(h hash.Hash, x *tensor.Dense) {
	for _, v := range x.Data {
		u := math.Float32bits(v)
		h.Write([]byte{byte(u), byte(u >> 8), byte(u >> 16), byte(u >> 24)})
	}
}
