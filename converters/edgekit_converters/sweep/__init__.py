"""Many searches at once: models × targets × budgets, each in a process of its own.

`plan` reads the file of models, `job` runs one search and tells how it ended, `lanes` decides what
may run beside what, `local` runs them here, `cluster` on Dask, `report` says what came of them all.
"""
