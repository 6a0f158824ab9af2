"""Reports: parameterised notebooks, run as jobs on kernels of their own."""
