"""A pad to draw an image on, by pointer, finger or keyboard: its value is a PNG file as a data URL."""

import base64
import binascii

import gradio as gr

from plausible.core.errors import UsageError

_BEFORE = "data:image/png;base64,"
_LARGEST = 2**20  # letters
_SIDE = 280  # pixels

_HTML = f"""
<div class="pad">
  <div class="paper">
    <canvas width="{_SIDE}" height="{_SIDE}" tabindex="0" role="application" aria-label="Drawing pad: draw with the
      pointer, or move the pen with the arrow keys, and lower or raise it with the space bar"></canvas>
    <span class="pen" aria-hidden="true"></span>
  </div>
  <button type="button" data-paper="#000000" data-ink="#ffffff">Anew, white on black</button>
  <button type="button" data-paper="#ffffff" data-ink="#000000">Anew, black on white</button>
  <p class="small">Or by keyboard: arrow keys move the pen, the space bar lowers and raises it.</p>
</div>
"""
_CSS = """
.paper {position: relative; width: fit-content; margin-bottom: 0.5rem;}
canvas {display: block; touch-action: none; cursor: crosshair; border: 1px solid var(--border-color-primary);}
canvas:focus-visible {outline: 3px solid #2563eb; outline-offset: 2px;}
.pen {position: absolute; width: 20px; height: 20px; margin: -10px 0 0 -10px; border-radius: 50%; display: none;
  border: 2px solid #2563eb; pointer-events: none;}
canvas:focus-visible ~ .pen {display: block;}
.pen.down {background: #2563eb80;}
button {padding: 0.3rem 0.7rem; margin: 0 0.4rem 0.4rem 0; border: 1px solid var(--border-color-primary);
  border-radius: 0.3rem; color: var(--body-text-color); background: var(--background-fill-secondary);}
"""
_JS = """
const canvas = element.querySelector('canvas'), pen = element.querySelector('.pen');
const sheet = canvas.getContext('2d');
const steps = {ArrowLeft: [-6, 0], ArrowRight: [6, 0], ArrowUp: [0, -6], ArrowDown: [0, 6]};
let at = [canvas.width / 2, canvas.height / 2], down = false, drawing = false;
const clear = (paper, ink) => {
  sheet.fillStyle = paper;
  sheet.fillRect(0, 0, canvas.width, canvas.height);
  Object.assign(sheet, {strokeStyle: ink, lineWidth: 24, lineCap: 'round', lineJoin: 'round'});
};
const line = (from, to) => {
  sheet.beginPath();
  sheet.moveTo(...from);
  sheet.lineTo(...to);
  sheet.stroke();
};
const hand = () => { props.value = canvas.toDataURL('image/png'); };
const place = (event) => {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};
const show = () => {
  pen.style.left = `${at[0]}px`;
  pen.style.top = `${at[1]}px`;
  pen.classList.toggle('down', down);
};
clear('#000000', '#ffffff');
show();
canvas.addEventListener('pointerdown', (event) => {
  canvas.setPointerCapture(event.pointerId);
  drawing = true;
  at = place(event);
  line(at, at);
});
canvas.addEventListener('pointermove', (event) => {
  if (!drawing) return;
  const next = place(event);
  line(at, next);
  at = next;
});
for (const end of ['pointerup', 'pointercancel']) {
  canvas.addEventListener(end, () => { if (drawing) { drawing = false; hand(); } });
}
canvas.addEventListener('keydown', (event) => {
  if (event.key === ' ') {
    down = !down;
  } else if (event.key in steps) {
    const [across, along] = steps[event.key];
    const next = [Math.min(Math.max(at[0] + across, 0), canvas.width), Math.min(Math.max(at[1] + along, 0), canvas.height)];
    if (down) line(at, next);
    at = next;
  } else {
    return;
  }
  event.preventDefault();
  if (down) line(at, at);
  show();
  hand();
});
for (const button of element.querySelectorAll('button')) {
  button.addEventListener('click', () => {
    clear(button.dataset.paper, button.dataset.ink);
    props.value = null;
  });
}
"""


def drawing_pad() -> gr.HTML:
    """The pad; its value is None before anything was drawn."""
    return gr.HTML(
        None,
        html_template=_HTML,
        css_template=_CSS,
        js_on_load=_JS,
        label="Draw here",
        elem_id="pad",
    )


def drawn(value: str | None) -> bytes:
    """The PNG file of what was drawn; UsageError where there is none, or it is no drawing of the pad."""
    if not value:
        raise UsageError("draw something first")
    if not value.startswith(_BEFORE) or len(value) > _LARGEST:
        raise UsageError("this is no drawing of the pad")
    try:
        return base64.b64decode(value.removeprefix(_BEFORE), validate=True)
    except binascii.Error as reason:
        raise UsageError(f"this is no drawing of the pad: {reason}") from reason
