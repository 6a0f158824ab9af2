"""The facts and values that every other part speaks in."""
