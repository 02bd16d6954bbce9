"""The compiled kernels. Only `edgekit.kernels` imports them."""
