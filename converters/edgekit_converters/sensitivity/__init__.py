"""Where accuracy goes: layer by layer, and whether the calibration data is enough to tell."""
