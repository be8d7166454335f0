package kernel

// AddBias is x[r,:] += b for every row r of x[rows,n].
func AddBias(x, b []float32, rows, n int) {
	for r := range rows {
		Add(x[r*n:(r+1)*n], b[:n])
	}
}

// BiasBackward adds the sum over rows of dy[rows,n] into db[n].
func BiasBackward(db, dy []float32, rows, n int) {
	for r := range rows {
		Add(db[:n], dy[r*n:(r+1)*n])
	}
}
