// The page: which view is seen, what is sent, and what the server tells of its scans.
import { caseSection } from './case.js';
import { examinedNote, examineSection, listenToReport } from './examine.js';
import { ask, Refused, remove, sendPath, sendToken, upload } from './requests.js';
import { reportActions, reportFrame, stepFrame } from './reports.js';
import { difference, facts, isActive, make, people, scanItem, stateWord, uploadItem,
  verdictPanel } from './views.js';
import { hasWord, language, loadWords, size, translatePage, useLanguage, word } from './words.js';

const main = document.querySelector('#main');
const PAGE = 50, AT_A_TIME = 2, RETRY_MS = 3000;
const scans = new Map();
const uploads = new Set();
const picked = [];
let limits, more = false, search = '', outcome = '', source, problem = '', turn = 0, shown;

const newestFirst = () => [...scans.values()].sort((a, b) => b.created - a.created || (a.id < b.id ? 1 : -1));
const say = text => { document.querySelector('#status').textContent = text; };

function tellProblem(error) {
  if (error instanceof Refused && error.status === 401) return void showToken();
  const known = { 0: 'error_broken', 404: 'error_gone', 503: 'error_queue_full' }[error.status];
  const own = `refused_${error.code}`; // what the server says is in English
  if (language() !== 'en' && hasWord(own)) problem = word(own);
  else problem = error.status === 404 || error.status === undefined || !known ? error.message : word(known);
  say(problem);
  const place = document.querySelector('#problem');
  if (place) place.textContent = problem;
}

// --- sending

function add(files) {
  for (const file of files) {
    const one = { name: file.name, bytes: file.size, file, share: 0, problem: '', waits: false, begun: false };
    if (file.size > limits.max_upload_bytes)
      one.problem = word('error_too_large', { size: size(file.size), limit: size(limits.max_upload_bytes) });
    else if (file.size === 0) one.problem = word('error_empty');
    uploads.add(one);
  }
  drawList();
  sendNext();
}

function sendNext() {
  const running = [...uploads].filter(one => one.begun && !one.problem).length;
  const next = [...uploads].find(one => !one.begun && !one.problem);
  if (!next || running >= AT_A_TIME) return;
  send(next);
  sendNext();
}

async function send(one) {
  one.begun = true;
  try {
    const sending = upload(one.file, share => { one.share = share; drawUploads(); });
    one.stop = sending.stop;
    const scan = await sending.done;
    uploads.delete(one);
    take(scan);
  } catch (error) {
    if (error.status === 503) return void waitForPlace(one);
    if (error.code === 'stopped') uploads.delete(one);
    else if (error.status === 401) return void (uploads.delete(one), showToken());
    else one.problem = error.status ? (language() !== 'en' && hasWord(`refused_${error.code}`) ? word(`refused_${error.code}`) : error.message) : word('error_broken');
  }
  drawUploads();
  sendNext();
}

function waitForPlace(one) {
  Object.assign(one, { waits: true, share: 0 });
  drawUploads();
  setTimeout(() => { if (uploads.has(one)) send(one); }, RETRY_MS);
}

function stop(one) {
  uploads.delete(one);
  one.stop?.();
  drawUploads();
}

// --- what the server tells

function take(news) {
  const before = scans.get(news.id);
  if (news.state === 'deleted') scans.delete(news.id);
  // An answer to a request may come after an event that is newer than it.
  else if (!before || isActive(before)) scans.set(news.id, { ...before, ...news });
  const scan = scans.get(news.id);
  if (before && scan && isActive(before) && !isActive(scan))
    say(word('announce', { name: scan.name, word: stateWord(scan) }));
  const [view, id] = route();
  if (view === '') drawScans();
  else if (view === 'scan' && id === news.id) {
    if (!scan) location.hash = '#/';
    else if (isActive(scan)) drawRunning(scan);
    else show();
  }
}

function listen() {
  source?.close();
  source = new EventSource('/api/events');
  source.addEventListener('scan', event => take(JSON.parse(event.data)));
  source.addEventListener('open', () => { if (problem === word('error_offline')) { problem = ''; show(); } reload(); });
  source.addEventListener('error', () => {
    problem = word('error_offline');
    const place = document.querySelector('#problem');
    if (place) place.textContent = problem;
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MS);
  });
}

async function reload({ further = false } = {}) {
  const query = new URLSearchParams({ limit: PAGE, offset: further ? scans.size : 0, search });
  if (outcome) query.set('outcome', outcome);
  try {
    const found = await ask(`/api/scans?${query}`);
    if (!further) scans.clear();
    for (const scan of found.scans) scans.set(scan.id, scan);
    more = found.more;
    if (route()[0] === '') drawScans();
  } catch (error) { tellProblem(error); }
}

// --- views

const route = () => (location.hash.startsWith('#/') ? location.hash.slice(2).split('/') : ['']);

function showStart() {
  const files = make('input', { type: 'file', id: 'files', multiple: true, class: 'hidden',
    accept: 'video/*,image/jpeg,image/png,image/webp,.mkv,.ts,.avi,.flv', onchange: event => {
      add(event.target.files);
      event.target.value = '';
    } });
  const drop = make('section', { class: 'drop', id: 'drop', 'aria-labelledby': 'drop-title' },
    make('h1', { id: 'drop-title' }, word('drop_title')),
    make('p', {}, word('drop_text', { size: size(limits.max_upload_bytes) })),
    files, make('label', { for: 'files', class: 'button' }, word('choose')), limits.paths ? pathForm() : null);
  const kinds = ['fake', 'unsure', 'real', 'no_face', 'unreadable', 'error'];
  const tools = make('div', { class: 'tools' },
    make('label', {}, make('span', {}, word('search')), make('input', { type: 'search', id: 'search', value: search,
      maxlength: '200', oninput: event => { search = event.target.value; later(); } })),
    make('label', {}, make('span', {}, word('filter')), make('select', { id: 'outcome',
      onchange: event => { outcome = event.target.value; reload(); } },
    make('option', { value: '' }, word('filter_all')),
    kinds.map(kind => make('option', { value: kind, selected: kind === outcome }, word(`word_${kind}`))))));
  main.replaceChildren(drop, make('p', { id: 'problem', class: 'problem', role: 'alert' }, problem),
    make('section', { 'aria-labelledby': 'list-title' }, make('h2', { id: 'list-title' }, word('list_title')), tools,
      make('ul', { id: 'uploads', class: 'scans' }), make('ul', { id: 'scans', class: 'scans' }),
      make('div', { id: 'under' })));
  drawList();
}

function pathForm() {
  const send = async event => {
    event.preventDefault();
    const field = event.target.elements.path, path = field.value;
    try {
      take(await sendPath(path));
      if (field.value === path) field.value = ''; // and not what was typed meanwhile
    } catch (error) { tellProblem(error); }
  };
  return make('form', { class: 'path', onsubmit: send },
    make('label', { for: 'path' }, word('path_label')),
    make('span', { class: 'row' }, make('input', { id: 'path', name: 'path', required: true, autocomplete: 'off',
      spellcheck: 'false', 'aria-describedby': 'path-hint' }), make('button', {}, word('path_send'))),
    make('span', { id: 'path-hint', class: 'quiet' }, word('path_hint')));
}

let timer;
const later = () => { clearTimeout(timer); timer = setTimeout(reload, 250); };

function drawList() { drawUploads(); drawScans(); }

// Replaces what a list holds, and leaves the keyboard where it was.
function fill(list, items) {
  const held = document.activeElement, id = held?.closest?.('[data-id]')?.dataset.id, tag = held?.tagName;
  list.replaceChildren(...items);
  if (id && !held.isConnected) list.querySelector(`[data-id="${id}"] ${tag}`)?.focus();
}

function drawUploads() {
  const list = document.querySelector('#uploads');
  if (list) fill(list, [...uploads].map(one => uploadItem(one, { onStop: stop, onDismiss: stop })));
}

function drawScans() {
  const list = document.querySelector('#scans');
  if (!list) return;
  fill(list, newestFirst().map(scan => scanItem(scan, { picked: picked.includes(scan.id), onPick: pick, onDelete: askDelete })));
  const nothing = scans.size ? null : make('p', { class: 'quiet' }, word(search || outcome ? 'list_nothing' : 'list_empty'));
  const compare = picked.length === 2
    ? make('a', { class: 'button', href: `#/compare/${picked.join('/')}` }, word('compare_selected'))
    : scans.size > 1 ? make('p', { class: 'quiet' }, word('compare_hint')) : null;
  const further = more ? make('button', { type: 'button', onclick: () => reload({ further: true }) }, word('more')) : null;
  document.querySelector('#under').replaceChildren(...[nothing, compare, further].filter(Boolean));
}

function pick(id) {
  if (picked.includes(id)) picked.splice(picked.indexOf(id), 1);
  else picked.push(id);
  if (picked.length > 2) picked.shift();
  drawScans();
}

const fetchScan = (id = '') => ask(`/api/scans/${encodeURIComponent(id)}?language=${language()}`);

function showScan(scan) {
  scans.set(scan.id, scan);
  const ready = scan.state === 'done';
  const closer = examineSection(scan, { onSent: one => { take(one); location.hash = `#/scan/${one.id}`; },
    onProblem: tellProblem });
  main.replaceChildren(
    make('p', {}, make('a', { href: '#/' }, word('back'))),
    make('h1', { class: 'file' }, make('bdi', {}, scan.name)),
    make('p', { id: 'problem', class: 'problem', role: 'alert' }, problem),
    make('div', { id: 'verdict' }, verdictPanel(scan)),
    examinedNote(scan),
    make('p', { class: 'actions' },
      ready ? reportActions(scan, { pdf: limits.pdf, onProblem: tellProblem }) : null,
      make('button', { type: 'button', class: 'plain', onclick: () => askDelete(scan) }, word('delete'))),
    people(scan) ?? '', facts(scan), closer, ready ? reportSection(scan, closer) : '',
    ready ? caseSection(scan, tellProblem) : '');
}

function reportSection(scan, closer) {
  const open = () => {
    const report = reportFrame(scan);
    show.replaceWith(report);
    listenToReport(report.querySelector('iframe'), closer);
  };
  const show = make('button', { type: 'button', onclick: open }, word('report_show'));
  return make('section', { id: 'report' }, make('h2', {}, word('report')), show);
}

function drawRunning(scan) {
  document.querySelector('#verdict')?.replaceChildren(verdictPanel(scan));
}

function showCompare(one, two) {
  const column = (scan, key) => make('article', { 'aria-label': word(key) },
    make('h2', { class: 'file' }, make('a', { href: `#/scan/${scan.id}` }, make('bdi', {}, scan.name))),
    verdictPanel(scan, 'h3'), scan.state === 'done' ? reportFrame(scan) : '');
  main.replaceChildren(make('p', {}, make('a', { href: '#/' }, word('back'))), make('h1', {}, word('compare_title')),
    difference(one, two), [one, two].every(scan => scan.state === 'done') ? stepFrame(one, two) : '',
    make('div', { class: 'sides' }, column(one, 'first'), column(two, 'second')));
}

function showToken() {
  source?.close();
  shown = undefined;
  const wrong = make('p', { class: 'problem', role: 'alert' });
  const send = async event => {
    event.preventDefault();
    try { await sendToken(event.target.elements.token.value); begin(); }
    catch { wrong.textContent = word('token_wrong'); }
  };
  main.replaceChildren(make('h1', {}, word('token_title')), make('p', {}, word('token_text')),
    make('form', { onsubmit: send, class: 'path' }, make('label', { for: 'token' }, word('token')),
      make('span', { class: 'row' }, make('input', { id: 'token', name: 'token', type: 'password', required: true,
        autocomplete: 'current-password' }), make('button', {}, word('token_send')))), wrong);
}

function askDelete(scan) {
  const dialog = document.querySelector('#ask');
  document.querySelector('#ask-title').textContent = word('delete_ask');
  document.querySelector('#ask-text').textContent = word('delete_text', { name: scan.name });
  document.querySelector('#ask-no').onclick = () => dialog.close();
  document.querySelector('#ask-yes').onclick = async () => {
    dialog.close();
    try {
      await remove(scan.id);
      scans.delete(scan.id);
      if (picked.includes(scan.id)) pick(scan.id);
      say(word('deleted', { name: scan.name }));
      if (route()[0] === '') drawScans();
      else location.hash = '#/';
    } catch (error) { tellProblem(error); }
  };
  dialog.showModal();
}

async function show({ focus = false } = {}) {
  const [view, ...ids] = route(), mine = ++turn;
  shown = location.hash;
  if (focus) problem = '';
  try {
    const [draw, asked] = { scan: [showScan, 1], compare: [showCompare, 2] }[view] ?? [showStart, 0];
    const found = await Promise.all(Array.from({ length: asked }, (_, place) => fetchScan(ids[place])));
    if (mine !== turn) return; // another view was wanted meanwhile
    draw(...found);
  } catch (error) {
    if (mine !== turn) return;
    main.replaceChildren(make('p', {}, make('a', { href: '#/' }, word('back'))), make('p', { id: 'problem', class: 'problem', role: 'alert' }));
    tellProblem(error);
  }
  if (focus) main.focus();
}

function translate() {
  translatePage();
  document.querySelector('#language').value = language();
  document.querySelector('#retention').textContent =
    word('retention', { hours: limits.retention_hours, model: limits.model, version: limits.version });
}

async function begin() {
  limits = await ask('/api/limits');
  translate();
  try { await ask('/api/scans?limit=1'); } catch (error) { if (error.status === 401) return showToken(); }
  if (shown === undefined) await show(); // the language may have been chosen meanwhile, and something typed
  listen();
}

// Not before `begin` knows what every view needs, nor twice for one change: a view drawn anew loses what was opened in it.
addEventListener('hashchange', () => {
  if (limits && location.hash !== shown && (location.hash.startsWith('#/') || !location.hash)) show({ focus: true });
});
addEventListener('dragover', event => { event.preventDefault(); document.querySelector('#drop')?.classList.add('over'); });
addEventListener('dragleave', () => document.querySelector('#drop')?.classList.remove('over'));
addEventListener('drop', event => {
  event.preventDefault();
  document.querySelector('#drop')?.classList.remove('over');
  if (event.dataTransfer.files.length && limits) { if (route()[0] !== '') location.hash = '#/'; add(event.dataTransfer.files); }
});
document.querySelector('#language').addEventListener('change', event => {
  useLanguage(event.target.value);
  if (limits) { translate(); show(); }
});
await loadWords();
await begin();
