"""The recipe of training that a log tells: best learning rates and batches as power laws, and its warm-up."""
