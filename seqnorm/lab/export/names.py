"""What the formats are called and need; reading this loads nothing."""

FILE = "encoding.json"  # beside every exported model
# Modules that writing and running a format need beside TensorFlow.
NEEDS: dict[str, tuple[str, ...]] = {
    "saved_model": (),
    "onnx": ("onnx", "tf2onnx", "onnxruntime"),
    "litert": ("ai_edge_litert",),
    "keras": (),
}
