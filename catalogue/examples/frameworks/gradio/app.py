"""A distance that a button doubles, by Gradio."""

import gradio as gr

with gr.Blocks(title="How far?") as demo:
    gr.Markdown("# How far?")
    parsecs = gr.State(10)
    further = gr.Button("Twice as far")
    shown = gr.Markdown("10 parsecs")
    further.click(lambda before: (2 * before, f"{2 * before} parsecs"), parsecs, [parsecs, shown])

demo.launch()
