"""Measure a model: how fast, how large, how good, each with its interval and its circumstances.

accuracy      predict_all, compare_scores: the paired drop of a task's score
latency       compare_latency, measure: in fresh processes, in turns
recording     recorded call times → percentiles and ratios, without a clock
samples       what a model is fed while it is timed
environment   where a figure was taken
process, worker, protocol     the processes that do the timing
"""
