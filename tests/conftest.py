"""What all tests share: hypothesis without deadlines, for machines are noisy, and repeatable."""

from hypothesis import settings, strategies

settings.register_profile("onnxlrp", deadline=None, derandomize=True)
settings.load_profile("onnxlrp")

# Hypothesis imports the module behind this at its first use, and pytest rewrites it then. CPython
# 3.11 miscounts its recursion if another thread, such as a cluster's, compiles just at that time.
strategies.just(0).flatmap(strategies.just)
