"""Budgets and measurements → a verdict.

budget      a TOML file → budget.Budget, strictly
subject     what is judged: a bundle or a plain model file
evidence    everything measured about candidate and baseline
judge       budget + evidence → one Verdict a limit: PASS, FAIL or INCONCLUSIVE
report      the result as data; its JSON Schema is published
history     stored verdicts, read and appended to
series, trends, trendpage       figures over many gates, and where they changed
pytest_plugin       the same inside a test suite; `recorded` judges what pytest-benchmark timed
junit, markdown, html, svg      the result for CI and for people
"""
