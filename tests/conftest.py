"""What all tests share: hypothesis without deadlines, for machines are noisy, and repeatable."""

from hypothesis import settings

settings.register_profile("onnxlrp", deadline=None, derandomize=True)
settings.load_profile("onnxlrp")
