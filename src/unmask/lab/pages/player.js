'use strict';
for (const player of document.querySelectorAll('.player')) {
  const video = player.querySelector('video'), tiles = [...player.querySelectorAll('canvas')];
  const [button, bar, speed, clock] = ['button', 'input', 'select', 'output'].map(s => player.querySelector(s));
  const pens = tiles.map(tile => tile.getContext('2d'));
  const draw = () => {
    tiles.forEach((tile, i) => pens[i].drawImage(video, +tile.dataset.x, +tile.dataset.y, tile.width, tile.height,
      0, 0, tile.width, tile.height));
    clock.textContent = video.currentTime.toFixed(1) + ' s';
    if (document.activeElement !== bar || !video.paused)
      bar.value = 1000 * video.currentTime / (video.duration || 1);
  };
  const loop = () => { draw(); if (!video.paused) requestAnimationFrame(loop); };
  const label = () => { button.textContent = video.paused ? 'play' : 'pause'; };
  video.addEventListener('play', () => { label(); loop(); });
  video.addEventListener('pause', label);
  video.addEventListener('loadeddata', draw);
  video.addEventListener('seeked', draw);
  button.addEventListener('click', () => video.paused ? video.play() : video.pause());
  speed.addEventListener('change', () => { video.playbackRate = +speed.value; });
  bar.addEventListener('input', () => { video.pause(); video.currentTime = bar.value / 1000 * video.duration; });
  label();
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  if (!calm) new IntersectionObserver(seen => seen.some(one => one.isIntersecting) ?
    video.play().catch(label) : video.pause()).observe(player);
}
