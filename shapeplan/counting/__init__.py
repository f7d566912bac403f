"""What a model costs: parameters and FLOPs side by side, time on accelerators, memory of training."""
