"""What all tests share: hypothesis without deadlines (machines are noisy), the same cases each run."""

from hypothesis import settings

settings.register_profile("onnxlrp", deadline=None, derandomize=True)
settings.load_profile("onnxlrp")
