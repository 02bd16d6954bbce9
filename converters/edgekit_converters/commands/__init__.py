"""Commands that this toolchain adds to `edgekit`; their imports wait until they run."""
