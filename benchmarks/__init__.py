"""Measurements against other servers, each rerun with one command; docs/benchmarks.md says how to read them."""
