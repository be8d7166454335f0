package kernel

import (
	"math"
	"slices"

	"orrery/models/tensor"
)

// CrossEntropy writes loss[r] = -log softmax(x[r])[target[r]] for rows of logits
// x[rows,n], and for the backward pass top[r], the greatest logit, and
// sum[r] = Σi exp(x[r,i]-top[r]). A negative target leaves its row out: loss 0.
// The order of a sum depends on n alone. The loop that it must equal, to
// rounding:
//
//	for r < rows: loss[r] = log(sum[r]) + top[r] - x[r,target[r]]
func CrossEntropy(loss, top, sum, x []float32, target []int, rows, n int) {
	checkTargets("kernel: cross-entropy", target, rows, n)
	atLeast("kernel: cross-entropy", rows*n, len(x))
	atLeast("kernel: cross-entropy", rows, len(loss), len(top), len(sum))
	Do(rows, grain(n), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			if target[r] < 0 {
				loss[r], top[r], sum[r] = 0, 0, 1
				continue
			}
			row := x[r*n : (r+1)*n]
			top[r], sum[r] = partition(row)
			loss[r] = float32(math.Log(float64(sum[r])) + float64(top[r]) - float64(row[target[r]]))
		}
	})
}

// CrossEntropyBackward writes the gradient with respect to the logits into
// dx[rows,n], given dloss[rows] and what CrossEntropy wrote; dx may be x. The
// loop that it must equal:
//
//	for r < rows, i < n: dx[r,i] = dloss[r] * (exp(x[r,i]-top[r])/sum[r] - (1 if i == target[r]))
func CrossEntropyBackward(dx, dloss, x, top, sum []float32, target []int, rows, n int) {
	checkTargets("kernel: cross-entropy backward", target, rows, n)
	atLeast("kernel: cross-entropy backward", rows*n, len(x), len(dx))
	atLeast("kernel: cross-entropy backward", rows, len(dloss), len(top), len(sum))
	Do(rows, grain(n), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			row := dx[r*n : (r+1)*n]
			if target[r] < 0 {
				clear(row)
				continue
			}
			expScale(row, x[r*n:(r+1)*n], top[r], dloss[r]/sum[r])
			row[target[r]] -= dloss[r]
		}
	})
}

// partition returns the greatest element and Σ exp(x[i]-top).
func partition(x []float32) (top, s float32) {
	if active != nil {
		top = active.max(x)
		return top, active.sumExp(x, top)
	}
	top = slices.Max(x)
	for _, v := range x {
		s += exp(v - top)
	}
	return top, s
}

// expScale is the loop y[i] = exp(x[i]-top)*s.
func expScale(y, x []float32, top, s float32) {
	if active != nil {
		active.expScale(y, x, top, s)
		return
	}
	for i, v := range x {
		y[i] = exp(v-top) * s
	}
}

// checkTargets panics unless there is a target below n for each row.
func checkTargets(op string, target []int, rows, n int) {
	atLeast(op+": targets", rows, len(target))
	for r, v := range target[:rows] {
		if v >= n {
			panic(tensor.ShapeError{Op: op + ": row, its target, and number of logits", Got: []int{r, v, n}, Want: []int{r, n - 1, n}})
		}
	}
}
