"""The forward pass: onnxruntime sessions and the activations they give."""
