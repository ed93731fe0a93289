"""The designer: build, compare and judge LRP models in the browser; installed as `onnxlrp_ui`."""
