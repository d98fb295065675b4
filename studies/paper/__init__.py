"""The experiments of the SynNodBench paper, each from a spec in this folder to a figure in the paper's form."""
