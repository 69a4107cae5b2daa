"""Networks to train and their export: weights and crops come in as tensors, logits and ONNX files go out.

Never here: how a network learns, or anything that a scan imports, since all of this needs torch.
"""
