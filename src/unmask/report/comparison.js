'use strict';
{ // One video in step with two timelines: each has a clock of its own, and the pairs say how they go together.
  const video = document.querySelector('video'), tracks = [...document.querySelectorAll('.track')];
  const numbers = text => text.split(' ').map(one => (one === '-' ? NaN : Number(one)));
  const copy = numbers(video.dataset.copy), original = numbers(video.dataset.original);
  const nearest = (list, value) => list.reduce((best, one, place) =>
    !Number.isNaN(one) && (best < 0 || Math.abs(one - value) < Math.abs(list[best] - value)) ? place : best, -1);
  const own = track => (track.dataset.clock === 'copy' ? copy : original);
  const say = seconds => `${seconds.toFixed(1)} s`;
  const show = () => { const place = nearest(copy, copy[0] + video.currentTime);
    for (const track of tracks) {
      const time = own(track)[place], start = +track.dataset.start, end = +track.dataset.end;
      const cursor = track.querySelector('.cursor');
      cursor.hidden = Number.isNaN(time);
      if (cursor.hidden) { track.setAttribute('aria-valuetext', track.dataset.nothing); continue; }
      cursor.style.left = 100 * Math.min(1, Math.max(0, (time - start) / (end - start))) + '%';
      track.setAttribute('aria-valuenow', time.toFixed(3));
      track.setAttribute('aria-valuetext', say(time));
    } };
  const jump = (track, time) => { const place = nearest(own(track), time);
    if (place >= 0) { video.pause(); video.currentTime = copy[place] - copy[0]; } };
  for (const track of tracks) {
    const start = +track.dataset.start, end = +track.dataset.end, step = Math.max(0.1, (end - start) / 50);
    track.addEventListener('click', event => { const box = track.getBoundingClientRect();
      jump(track, start + (end - start) * (event.clientX - box.left) / box.width); });
    track.addEventListener('keydown', event => {
      const now = +track.getAttribute('aria-valuenow'), move = { ArrowLeft: now - step, ArrowDown: now - step,
        ArrowRight: now + step, ArrowUp: now + step, Home: start, End: end }[event.key];
      if (move !== undefined) { event.preventDefault(); jump(track, move); }
    });
  }
  for (const kind of ['timeupdate', 'seeking', 'seeked', 'loadedmetadata']) video.addEventListener(kind, show);
}
