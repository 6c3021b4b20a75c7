"""The pages of the app: the only room that knows Gradio."""
