"""The simulated Ollama, and what a test may ask of it beside Ollama's routes."""
from .program import Program
class Node(Program):
    pass
