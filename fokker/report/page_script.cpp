#include "fokker/report/page_assets.h"

namespace fokker::report {

const char* const page_script = R"js('use strict';
(() => {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
  const duration = 4000; // milliseconds from the first frame to the last

  // A canvas of `height(width)` CSS pixels with a context in those units.
  function prepare(canvas, heightOf) {
    const width = Math.max(1, canvas.clientWidth), height = heightOf(width);
    const ratio = window.devicePixelRatio || 1;
    canvas.style.height = height + 'px';
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    const context = canvas.getContext('2d');
    context.setTransform(canvas.width / width, 0, 0, canvas.height / height, 0, 0);
    context.clearRect(0, 0, width, height);
    return {context, width, height};
  }

  // Points are pairs of 16-bit numbers, little-endian, in units of the limits / 65534; 65535 lies outside.
  function points(text) {
    const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0)), view = new DataView(bytes.buffer);
    return Array.from({length: bytes.length / 2}, (_, i) => view.getUint16(2 * i, true));
  }

  function discs(context, values, box, radius, fill, alpha) {
    context.fillStyle = fill;
    context.globalAlpha = alpha;
    for (let i = 0; i + 1 < values.length; i += 2) {
      if (values[i] === 65535 || values[i + 1] === 65535) continue;
      context.beginPath();
      context.arc(box.left + values[i] / 65534 * box.width, box.top + (1 - values[i + 1] / 65534) * box.height,
                  radius, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  function axes(context, data, box) {
    context.font = '12px system-ui, sans-serif';
    context.lineWidth = 1;
    context.textAlign = 'center';
    context.textBaseline = 'top';
    const tick = (x0, y0, x1, y1, style) => {
      context.strokeStyle = style;
      context.beginPath();
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
      context.stroke();
    };
    const grid = colour('grid'), text = colour('text'), line = colour('axis');
    for (const [at, label] of data.x.ticks) {
      const x = box.left + at * box.width;
      tick(x, box.top, x, box.top + box.height, grid);
      context.fillStyle = text;
      context.fillText(label, x, box.top + box.height + 6);
    }
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    for (const [at, label] of data.y.ticks) {
      const y = box.top + (1 - at) * box.height;
      tick(box.left, y, box.left + box.width, y, grid);
      context.fillStyle = text;
      context.fillText(label, box.left - 6, y);
    }
    context.strokeStyle = line;
    context.strokeRect(box.left, box.top, box.width, box.height);
    context.fillStyle = text;
    context.font = '13px system-ui, sans-serif';
    context.textAlign = 'center';
    context.textBaseline = 'bottom';
    context.fillText(data.x.label, box.left + box.width / 2, box.top + box.height + 39, box.width);
    context.save();
    context.translate(2, box.top + box.height / 2);
    context.rotate(-Math.PI / 2);
    context.textBaseline = 'top';
    context.fillText(data.y.label, 0, 0, box.height);
    context.restore();
  }

  function pointPlayer(canvas, data) {
    const frames = data.frames.map(points), reference = points(data.reference);
    const left = 58, right = 10, top = 8, bottom = 40;
    return index => {
      const {context, width, height} =
          prepare(canvas, w => Math.round((w - left - right) / data.aspect + top + bottom));
      const box = {left, top, width: width - left - right, height: height - top - bottom};
      axes(context, data, box);
      context.save();
      context.beginPath();
      context.rect(box.left, box.top, box.width, box.height);
      context.clip();
      discs(context, reference, box, data.radius, colour('axis'), 0.35);
      discs(context, frames[index], box, data.radius, colour('samples'), data.alpha);
      context.restore();
    };
  }

  function picturePlayer(canvas, data) {
    const load = sources => sources.map(source => {
      const image = new Image();
      image.src = source;
      return image;
    });
    const light = load(data.light), darker = data.dark.length ? load(data.dark) : light;
    const draw = index => {
      const image = (dark.matches ? darker : light)[index];
      canvas.style.width = Math.min(data.width, canvas.parentElement.clientWidth) + 'px';
      const {context, width, height} = prepare(canvas, w => w * data.height / data.width);
      const paint = () => {
        context.imageSmoothingEnabled = !data.pixelated;
        context.drawImage(image, 0, 0, width, height);
      };
      if (image.complete) paint(); else image.decode().then(() => draw(current.index)).catch(() => {});
    };
    const current = {index: 0};
    return index => draw(current.index = index);
  }

  for (const figure of document.querySelectorAll('.player')) {
    const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    const canvas = figure.querySelector('canvas'), slider = figure.querySelector('input');
    const button = figure.querySelector('button'), output = figure.querySelector('output');
    const draw = data.frames ? pointPlayer(canvas, data) : picturePlayer(canvas, data);
    const last = data.labels.length - 1;
    let timer = 0;
    const show = () => {
      const index = Number(slider.value);
      output.textContent = data.labels[index];
      slider.setAttribute('aria-valuetext', data.labels[index]);
      figure.dataset.frame = String(index);
      draw(index);
    };
    const stop = () => {
      cancelAnimationFrame(timer);
      timer = 0;
      button.textContent = 'Play';
    };
    const play = () => {
      let start = null;
      const from = Number(slider.value) >= last ? 0 : Number(slider.value);
      button.textContent = 'Pause';
      const step = now => {
        start ??= now - from / last * duration;
        const index = Math.min(last, Math.floor((now - start) / duration * last));
        if (index !== Number(slider.value)) {
          slider.value = String(index);
          show();
        }
        if (index >= last) stop(); else timer = requestAnimationFrame(step);
      };
      timer = requestAnimationFrame(step);
    };
    button.addEventListener('click', () => timer ? stop() : play());
    slider.addEventListener('input', () => {
      stop();
      show();
    });
    dark.addEventListener('change', show);
    let seen = 0;
    new ResizeObserver(() => {
      if (figure.clientWidth !== seen) {
        seen = figure.clientWidth;
        show();
      }
    }).observe(figure);
    figure.querySelector('.controls').hidden = false;
  }
})();
)js";

}  // namespace fokker::report
