"""LoRA training of the sub-agents, resumable to the byte."""
