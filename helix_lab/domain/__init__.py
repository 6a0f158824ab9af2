"""Pure rules: values and functions without input, output, clock or driver."""
