{
  const body = document.body, slides = [...document.querySelectorAll('.slide')];
  const [back, on, all, notes] = ['back', 'on', 'all', 'notes'].map(id => document.getElementById(id));
  const place = document.getElementById('place'), said = document.getElementById('said');
  let now = 0;
  const within = index => Math.min(Math.max(index, 0), slides.length - 1);
  const show = (index, {focus = true} = {}) => {
    now = within(index);
    slides.forEach((slide, i) => slide.classList.toggle('now', i === now));
    place.textContent = `${now + 1} / ${slides.length}`;
    back.disabled = now === 0;
    on.disabled = now === slides.length - 1;
    history.replaceState(null, '', `#${now + 1}`);
    if (body.classList.contains('overview')) { if (focus) slides[now].querySelector('.open').focus(); return; }
    const title = slides[now].querySelector('h2');
    said.textContent = `Slide ${now + 1} of ${slides.length}`;
    if (focus) title.focus({preventScroll: true});
    document.querySelector('main').scrollTop = 0;
    scrollTo(0, 0);
  };
  const overview = wanted => {
    body.classList.toggle('overview', wanted);
    all.setAttribute('aria-pressed', wanted);
    for (const slide of slides) slide.querySelector('.content').inert = wanted;
    show(now);
  };
  const speak = wanted => {
    body.classList.toggle('speaking', wanted);
    notes.setAttribute('aria-pressed', wanted);
  };
  const keys = {
    ArrowRight: () => show(now + 1), ArrowDown: () => show(now + 1), PageDown: () => show(now + 1),
    ArrowLeft: () => show(now - 1), ArrowUp: () => show(now - 1), PageUp: () => show(now - 1),
    ' ': () => show(now + 1), Home: () => show(0), End: () => show(slides.length - 1),
    n: () => speak(!body.classList.contains('speaking')),
    o: () => overview(!body.classList.contains('overview')), Escape: () => overview(false),
  };
  addEventListener('keydown', event => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!keys[key] || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest('input, select') || (key === ' ' && event.target.closest('button'))) return;
    // A slide that is taller than the window scrolls; only the keys to the side leave it.
    const main = document.querySelector('main');
    const tall = main.scrollHeight > main.clientHeight + 1 || document.documentElement.scrollHeight > innerHeight + 1;
    if (tall && !body.classList.contains('overview') && ['ArrowUp', 'ArrowDown'].includes(key)) return;
    event.preventDefault();
    keys[key]();
  });
  let from = null;
  addEventListener('touchstart', event => {
    from = event.touches.length === 1 && !event.target.closest('input, select, .scroll') ? event.touches[0] : null;
  }, {passive: true});
  addEventListener('touchend', event => {
    if (!from || body.classList.contains('overview')) return;
    const to = event.changedTouches[0], aside = to.clientX - from.clientX, down = to.clientY - from.clientY;
    if (Math.abs(aside) > 50 && Math.abs(aside) > 2 * Math.abs(down)) show(now + (aside < 0 ? 1 : -1));
    from = null;
  }, {passive: true});
  back.addEventListener('click', () => show(now - 1, {focus: false}));
  on.addEventListener('click', () => show(now + 1, {focus: false}));
  all.addEventListener('click', () => overview(!body.classList.contains('overview')));
  notes.addEventListener('click', keys.n);
  slides.forEach((slide, i) => slide.querySelector('.open').addEventListener('click', () => {
    now = i;
    overview(false);
  }));
  const asked = () => (Number.parseInt(location.hash.slice(1), 10) || 1) - 1;
  addEventListener('hashchange', () => show(asked()));
  body.classList.add('live');
  show(asked(), {focus: false});
}
