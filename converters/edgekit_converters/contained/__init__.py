"""Work on models in a process of its own, started again without what ended it.

`onnxruntime` ends its process where it fails on purpose or by accident, on any call. So a whole
search runs in a child: nothing is slower, and no place that runs a model needs to know. The child
says what it is about to risk; what ended it is refused the next time, and the rest goes on from the
search's cache.
"""
