"""How the page looks: fonts that every machine has, so that none is fetched, and room for narrow windows."""

import gradio as gr

THEME = gr.themes.Default(
    primary_hue="indigo",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
).set(
    # Gradio's own grays are too faint to be read with ease.
    block_info_text_color="*neutral_600",
    block_info_text_color_dark="*neutral_300",
    block_title_text_color="*neutral_700",
    block_label_text_color="*neutral_700",
)
CSS = """
#title h1 { font-size: 1.25rem; margin: 0; }
.warning { border-left: 4px solid #b91c1c; padding-left: .6rem; }
.drawn { margin-bottom: 1.5rem; }
.drawn h3 { margin: 0; font-size: 1rem; }
.drawn p { margin: 0; }
.drawn .figures, .drawn figcaption, .terms { opacity: .8; font-size: .85rem; }
.drawn ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, var(--width)), 1fr)); gap: .75rem;
  list-style: none; padding: 0; margin: .5rem 0 0; }
.drawn li, .drawn figure { margin: 0; }
.drawn a, .drawn img { display: block; margin: 0; padding: 0; width: 100%; max-width: 100%; }
.drawn img { border-radius: 4px; }
.drawn .enlarged img { image-rendering: pixelated; }
"""
