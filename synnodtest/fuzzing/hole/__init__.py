"""The hole around a confirmed counterexample: the largest region that fails, with the interval of each boundary."""
