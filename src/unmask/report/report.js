'use strict';
{
  const video = document.querySelector('video'), plots = [...document.querySelectorAll('.plot')];
  const first = +video.dataset.first;
  const say = seconds => { const whole = Math.floor(seconds / 60), rest = (seconds - 60 * whole).toFixed(1);
    return whole ? whole + ':' + rest.padStart(4, '0') : rest + ' s'; };
  // A chart may leave time out: each piece has its own times and its own share of the width.
  const pieces = new Map(plots.map(plot => [plot, plot.dataset.pieces.split(';').map(one => {
    const [start, end, left, right] = one.split(',').map(Number);
    return { start, end, left, right };
  })]));
  const clip = (value, low, high) => Math.min(high, Math.max(low, value));
  const placeOf = (parts, at) => { const one = parts.findLast(part => part.start <= at) ?? parts[0];
    return one.left + (one.right - one.left) * clip((at - one.start) / (one.end - one.start), 0, 1); };
  const timeAt = (parts, place) => { const one = parts.findLast(part => part.left <= place) ?? parts[0];
    return one.start + (one.end - one.start) * clip((place - one.left) / (one.right - one.left), 0, 1); };
  const show = () => { const at = first + video.currentTime;
    for (const [plot, parts] of pieces) {
      plot.querySelector('.cursor').style.left = 100 * placeOf(parts, at) + '%';
      plot.setAttribute('aria-valuenow', clip(at, parts[0].start, parts.at(-1).end).toFixed(3));
      plot.setAttribute('aria-valuetext', say(at));
    } };
  const jump = seconds => { video.pause(); video.currentTime = Math.max(0, seconds - first); };
  for (const [plot, parts] of pieces) {
    const start = parts[0].start, end = parts.at(-1).end;
    const step = Math.max(0.1, parts.reduce((sum, one) => sum + one.end - one.start, 0) / 50);
    // Where time is left out, the keys go on in the next piece.
    const onward = (at, way) => { const next = at + way * step;
      if (parts.some(one => one.start <= next && next <= one.end)) return next;
      const other = way > 0 ? parts.find(one => one.start > at) : parts.findLast(one => one.end < at);
      return other ? (way > 0 ? other.start : other.end) : next; };
    plot.addEventListener('click', event => { const box = plot.getBoundingClientRect();
      jump(timeAt(parts, (event.clientX - box.left) / box.width)); });
    plot.addEventListener('keydown', event => {
      const now = first + video.currentTime;
      const move = { ArrowLeft: () => onward(now, -1), ArrowDown: () => onward(now, -1), Home: () => start,
        ArrowRight: () => onward(now, 1), ArrowUp: () => onward(now, 1), End: () => end }[event.key];
      if (move) { event.preventDefault(); jump(clip(move(), start, end - 0.05)); }
    });
  }
  for (const frame of document.querySelectorAll('[data-at]'))
    frame.addEventListener('click', () => { jump(+frame.dataset.at);
      video.scrollIntoView({ block: 'nearest', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ?
        'auto' : 'smooth' }); });
  for (const one of parent === window ? [] : document.querySelectorAll('[data-examine]')) {
    const ask = document.createElement('button'); // in a frame of the page, which does it
    [ask.type, ask.textContent] = ['button', one.querySelector('summary').textContent];
    ask.addEventListener('click', () => parent.postMessage({ examine: one.dataset.examine.split(' ').map(Number) }, '*'));
    one.replaceWith(ask);
  }
  for (const kind of ['timeupdate', 'seeking', 'seeked', 'loadedmetadata']) video.addEventListener(kind, show);
}
