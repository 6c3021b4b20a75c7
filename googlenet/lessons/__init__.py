"""What is asked about a module or a network, and how an answer is judged: no torch, no Gradio."""
