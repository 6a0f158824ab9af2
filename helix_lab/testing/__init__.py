"""Conformance suites of the ports, fakes, and a fake LLM server; shipped."""
