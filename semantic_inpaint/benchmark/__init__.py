"""Protocols of measurements, shared by the commands and the benchmarks."""
