"""How the page looks: system fonts, which no other server has to send, and a few rules of style."""

import gradio as gr

_SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
_MONO = ("ui-monospace", "Consolas", "monospace")

CSS = """
.gradio-container {max-width: 1400px !important; width: 100%; margin: 0 auto !important;}
.gradio-container > .main {width: 100%; max-width: none !important; padding: 1rem !important;}
header h1 {font-size: 1.6rem; margin: 0;}
header p {margin: 0;}
.prose h2 {font-size: 1.15rem; margin: 0.8rem 0 0.2rem;}
.prose h3 {font-size: 1rem; margin: 0.8rem 0 0.2rem;}
.prose p {margin: 0.3rem 0;}
.prose ul {list-style: disc; padding-left: 1.2rem;}
#which {align-items: flex-end;}
label[data-testid="block-label"] {position: static !important; border: 0; background: none; box-shadow: none;}
.gradio-container .prose table {border-collapse: collapse; border: 0; width: auto; margin: 0.3rem 0;}
.gradio-container .prose table * {border: 0; text-align: left; vertical-align: top;}
.gradio-container .prose caption {text-align: left; font-weight: 600; padding: 0.3rem 0;}
.gradio-container .prose :is(th, td) {padding: 0.25rem 1.2rem 0.25rem 0; overflow-wrap: anywhere;}
.gradio-container .prose tbody tr {border-top: 1px solid var(--border-color-primary);}
.facts th {white-space: nowrap; font-weight: 600;}
.wide {overflow-x: auto;}
.wide :is(th, td) {overflow-wrap: normal !important;}
.wide td:not(.short) {min-width: 14rem;}
.wide td.short {white-space: nowrap;}
code {overflow-wrap: anywhere;}
.small {font-size: 0.85rem;}
.state {font-weight: 600;}
progress {appearance: none; width: 100%; height: 0.7rem; border: 0; background: var(--border-color-primary);}
progress::-webkit-progress-bar {background: var(--border-color-primary); border-radius: 0.35rem;}
progress::-webkit-progress-value {background: #2563eb; border-radius: 0.35rem;}
progress::-moz-progress-bar {background: #2563eb; border-radius: 0.35rem;}
button.lg {max-width: 26rem;}
.image-frame img {max-height: 80vh;}
#picks .grid-wrap {max-height: none; min-height: 0;}
#items img {max-height: 26rem;}
#family .wrap {flex-direction: column; align-items: flex-start;}
.finding {border-left: 4px solid var(--border-color-primary); padding: 0.2rem 0.8rem; margin: 0.5rem 0;}
.finding.failure {border-color: #b91c1c;}
.finding.warning {border-color: #b45309;}
pre {white-space: pre-wrap; overflow-wrap: anywhere; max-height: 24rem; overflow-y: auto; font-size: 0.85rem;}
details summary {cursor: pointer;}
"""


def theme() -> gr.themes.Base:
    """The theme of the page, light and dark as the browser asks, with words that stand out from what is behind them."""
    made = gr.themes.Default(
        primary_hue=gr.themes.colors.blue,
        secondary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.slate,
        font=_SANS,
        font_mono=_MONO,
    )
    return made.set(
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_cancel_background_fill="#b91c1c",
        button_cancel_background_fill_hover="#991b1b",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        input_placeholder_color="*neutral_600",
        input_placeholder_color_dark="*neutral_300",
    )
