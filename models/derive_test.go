package models_test

import (
	"context"
	"testing"

	"orrery/models"
	"orrery/models/tensor"
)

// What a cache derives has the bits that the run computed, for every kind of
// block, padded, with the batch axis and without; behind hooks all is stored.
func TestDerivedValuesAreTheRuns(t *testing.T) {
	for name, m := range subjects(t) {
		for _, rows := range [][][]int{{{1, 5, 2, 7}, {3, 4}}, {{1, 5, 2}}} {
			in, err := models.Pad(rows, models.Left, 0)
			if err != nil {
				t.Fatal(err)
			}
			want := models.NewCache()
			run(t, m, in, models.Record(want, models.Computed))
			_, got, err := m.RunWithCache(context.Background(), in, models.CacheOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Sites()) != len(want.Sites()) || got.Bytes() >= want.Bytes() {
				t.Errorf("%s: %d sites in %d bytes, want %d in less than %d", name, len(got.Sites()), got.Bytes(), len(want.Sites()), want.Bytes())
			}
			same := func(c *models.Cache, part func(*tensor.Dense) *tensor.Dense) {
				t.Helper()
				for _, s := range want.Sites() {
					x, _ := want.Get(s)
					if y, ok := c.Get(s); !ok || !y.EqualBits(part(x)) {
						t.Errorf("%s: %s differs from the run's", name, s)
					}
				}
			}
			same(got, func(x *tensor.Dense) *tensor.Dense { return x })
			if len(rows) == 1 {
				flat, err := got.RemoveBatch()
				if err != nil {
					t.Fatal(err)
				}
				same(flat, func(x *tensor.Dense) *tensor.Dense { return x.Sub(0) })
			}
			double := models.Hook{Sites: models.Sites(models.Site{Layer: 0, Kind: models.AttnScores}), Fn: func(_ models.Site, x *tensor.Dense) error {
				for i := range x.Data {
					x.Data[i] *= 2
				}
				return nil
			}}
			edited := models.NewCache()
			run(t, m, in, double, models.Record(edited, models.Computed))
			want = edited
			_, got, err = m.RunWithCache(context.Background(), in, models.CacheOptions{}, double)
			if err != nil {
				t.Fatal(err)
			}
			same(got, func(x *tensor.Dense) *tensor.Dense { return x })
		}
	}
}
