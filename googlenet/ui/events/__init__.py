"""How handlers behave: who may do what, refusals and progress, files that leave, and Gradio's inside."""
