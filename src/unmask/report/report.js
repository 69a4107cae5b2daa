'use strict';
{
  const video = document.querySelector('video'), plots = [...document.querySelectorAll('.plot')];
  const first = +video.dataset.first;
  const say = seconds => { const whole = Math.floor(seconds / 60), rest = (seconds - 60 * whole).toFixed(1);
    return whole ? whole + ':' + rest.padStart(4, '0') : rest + ' s'; };
  const show = () => { const at = first + video.currentTime;
    for (const plot of plots) {
      const start = +plot.dataset.start, end = +plot.dataset.end, share = (at - start) / (end - start);
      plot.querySelector('.cursor').style.left = 100 * Math.min(1, Math.max(0, share)) + '%';
      plot.setAttribute('aria-valuenow', at.toFixed(3));
      plot.setAttribute('aria-valuetext', say(at));
    } };
  const jump = seconds => { video.pause(); video.currentTime = Math.max(0, seconds - first); };
  for (const plot of plots) {
    const start = +plot.dataset.start, end = +plot.dataset.end, step = Math.max(0.1, (end - start) / 50);
    plot.addEventListener('click', event => { const box = plot.getBoundingClientRect();
      jump(start + (end - start) * (event.clientX - box.left) / box.width); });
    plot.addEventListener('keydown', event => {
      const now = first + video.currentTime, move = { ArrowLeft: now - step, ArrowDown: now - step,
        ArrowRight: now + step, ArrowUp: now + step, Home: start, End: end - 0.05 }[event.key];
      if (move !== undefined) { event.preventDefault(); jump(Math.min(end - 0.05, Math.max(start, move))); }
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
