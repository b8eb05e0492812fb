"""The trainer: advantages, losses, the model and its optimizer, checkpoints. Import the parts you need."""
