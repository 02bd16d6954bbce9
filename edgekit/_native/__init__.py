"""The compiled kernels. `edgekit.kernels` is the only importer."""
