"""What a model sees and holds on calibration data: calls, ranges, histograms, and cuts of them."""
