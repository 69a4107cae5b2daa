// From scans to what is seen. Text only ever goes in as text, never as HTML.
import { clock, hasWord, number, percent, sentence, size, when, word } from './words.js';

export function make(tag, values = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(values)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name in node && typeof value !== 'string') node[name] = value;
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter(child => child !== null && child !== undefined && child !== ''));
  return node;
}

const bdi = text => make('bdi', {}, text);
const ACTIVE = ['uploading', 'queued', 'decoding', 'faces', 'scoring'];
const STEPS = ['queued', 'decoding', 'faces', 'scoring', 'done'];
const MARKS = { fake: '▲', real: '●', unsure: '◆', no_face: '○', unreadable: '✕', error: '!', failed: '✕', interrupted: '‖' };

export const isActive = scan => ACTIVE.includes(scan.state);
const kindOf = scan => (scan.state === 'done' || scan.outcome === 'error' ? scan.outcome : scan.state);

export function stateWord(scan) {
  const kind = kindOf(scan);
  return word(hasWord(`word_${kind}`) ? `word_${kind}` : `state_${kind}`);
}

function badge(scan) {
  const kind = kindOf(scan);
  const mark = MARKS[kind] && make('span', { 'aria-hidden': 'true', class: 'mark' }, MARKS[kind]);
  return make('span', { class: `badge ${kind}` }, mark, stateWord(scan));
}

function bar(scan) {
  const label = word('progress_of', { name: scan.name });
  return make('progress', { max: '1', value: String(scan.share), 'aria-label': label });
}

function partial(scan) {
  const found = scan.partial;
  if (!found) return null;
  const time = clock(found.end_seconds);
  const text = found.p_fake === null ? word('partial_none', { time })
    : word('partial', { time, faces: found.faces, percent: percent(found.p_fake) });
  return make('p', { class: 'partial' }, text);
}

export function scanItem(scan, { picked, onPick, onDelete }) {
  const box = make('input', { type: 'checkbox', checked: picked, onchange: () => onPick(scan.id),
    'aria-label': word('pick', { name: scan.name }) });
  const tell = scan.p_fake === null ? '' : word('probability_short', { percent: percent(scan.p_fake) });
  return make('li', { class: 'scan', 'data-id': scan.id, 'data-state': scan.state },
    make('span', { class: 'pick' }, scan.state === 'done' ? box : null),
    scan.has_picture ? picture(scan) : make('span', { class: 'face' }),
    make('div', { class: 'about' },
      make('a', { href: `#/scan/${scan.id}`, class: 'name' }, bdi(scan.name)),
      make('span', { class: 'quiet' }, `${when(scan.created)} · ${size(scan.bytes)}`)),
    make('div', { class: 'result' }, badge(scan), make('span', { class: 'quiet' }, tell),
      isActive(scan) ? bar(scan) : null, isActive(scan) ? partial(scan) : null),
    make('button', { type: 'button', class: 'plain', onclick: () => onDelete(scan),
      'aria-label': word('delete_name', { name: scan.name }) }, word('delete')));
}

export function uploadItem(upload, { onStop, onDismiss }) {
  const { name, share, problem } = upload;
  const button = problem
    ? make('button', { type: 'button', class: 'plain', onclick: () => onDismiss(upload) }, word('dismiss'))
    : make('button', { type: 'button', class: 'plain', onclick: () => onStop(upload),
      'aria-label': word('stop_name', { name }) }, word('stop'));
  return make('li', { class: 'scan upload', 'data-state': problem ? 'refused' : 'uploading' },
    make('span', { class: 'pick' }), make('span', { class: 'face' }),
    make('div', { class: 'about' }, make('span', { class: 'name' }, bdi(name)),
      make('span', { class: 'quiet' }, size(upload.bytes))),
    make('div', { class: 'result' },
      problem ? make('p', { class: 'problem', role: 'alert' }, problem)
        : [make('span', { class: 'badge' }, `${word('state_uploading')} ${Math.floor(100 * share)} %`),
          bar({ name, share }), upload.waits ? make('p', { class: 'partial' }, word('waits_for_place')) : null]),
    button);
}

// Whether it was looked at in several stretches, as `is_long` in Python.
const isLong = ({ shots, start_seconds: start, end_seconds: end }) => shots.length > 1 || end - start > 15;

// Why it cannot be told has a headline and advice of its own where the word alone would mislead.
function cause(scan) {
  const { verdict } = scan, first = scan.outcome === 'unsure' && verdict?.reasons?.[0];
  if (first?.code === 'by_chance' && !isLong(verdict)) return 'many_faces';
  return first ? first.values.why?.code ?? first.code : '';
}

function told(scan, kind, of) {
  const own = `${of}_${cause(scan)}`;
  return hasWord(own) ? word(own) : hasWord(`${of}_${kind}`) ? word(`${of}_${kind}`) : '';
}

export function verdictPanel(scan, level = 'h2') {
  const kind = kindOf(scan);
  const active = isActive(scan);
  const headline = active ? word('headline_running') : told(scan, kind, 'headline');
  const means = told(scan, kind, 'means');
  return make('section', { class: `verdict ${kind}`, 'data-state': scan.state },
    make(level, {}, make('span', { 'aria-hidden': 'true', class: 'mark' }, MARKS[kind] ?? '…'), headline),
    scan.p_fake === null ? null
      : make('p', { class: 'probability' }, word('probability', { percent: percent(scan.p_fake) })),
    means ? make('p', {}, means, scan.p_fake === null ? '' : ` ${word('next_step')}`) : null,
    strength(scan),
    why(scan),
    active ? [steps(scan), bar(scan), partial(scan)] : null);
}

// ENFSI's steps of 2015, as in the report.
function strength(scan) {
  const found = scan.verdict?.strength;
  if (!found) return null;
  const { likelihood_ratio: ratio, low, high } = found, side = ratio >= 1 ? 'fake' : 'real';
  const ends = side === 'fake' ? [ratio, low, high] : [1 / ratio, 1 / high, 1 / low];
  const [told, least, most] = ends.map(value => number(value, 2));
  const step = [2, 10, 100].filter(limit => ends[0] >= limit).length;
  return make('p', { class: 'strength' }, word(`strength_${side}`, { ratio: told, low: least, high: most, word: word(`strength_${step}`) }));
}

const OF_LOOKS = ['by_chance', 'no_sign_among', 'between_among', 'chosen']; // reasons that count looks

function why(scan) {
  const { reasons } = scan.verdict ?? {};
  const told = reasons?.length ? make('span', {}, bdi(reasons.map(sentence).join('; ')))
    : scan.state !== 'interrupted' && scan.reason ? make('span', { lang: 'en' }, bdi(scan.reason)) // an old verdict
      : null;
  const counted = reasons?.some(one => OF_LOOKS.includes(one.code)) ? `. ${word('look')}` : '';
  return told && make('p', { class: 'quiet' }, `${word('fact_reason')}: `, told, counted);
}

function steps(scan) {
  const place = STEPS.indexOf(scan.state);
  return make('ol', { class: 'steps', 'aria-label': word('steps') }, STEPS.map((step, number) =>
    make('li', { class: number < place ? 'past' : '', 'aria-current': number === place ? 'step' : null },
      word(`state_${step}`))));
}

export function facts(scan) {
  const { verdict } = scan;
  const looked = verdict && verdict.end_seconds > 0 ? `${clock(verdict.start_seconds)} – ${clock(verdict.end_seconds)}` : null;
  const rows = [
    ['fact_size', size(scan.bytes)], ['fact_when', when(scan.created)], ['fact_looked', looked],
    ['fact_model', verdict?.model.name],
    ['fact_took', verdict?.seconds.total ? `${number(verdict.seconds.total)} s` : null], ['fact_sha256', scan.sha256],
  ].filter(([, value]) => value);
  return make('section', {}, make('h2', {}, word('facts')),
    make('dl', { class: 'facts' }, rows.map(([key, value]) => make('div', { class: key === 'fact_sha256' ? 'wide' : '' }, make('dt', {}, word(key)), make('dd', {}, value)))));
}

const picture = (scan, person = '', label = '') => make('img', { class: 'face', alt: label, width: '64', height: '64',
  loading: 'lazy', src: `/api/scans/${scan.id}/picture${person === '' ? '' : `?person=${person}`}` });

const MOST_PEOPLE = 24;

// Everyone judged, most suspicious first, then who was left out; each with a face where there is one.
export function people(scan) {
  const { verdict } = scan;
  if (!verdict?.people.length) return null;
  const ranked = [...verdict.people].sort((a, b) => (b.p_fake ?? -1) - (a.p_fake ?? -1) || a.id - b.id);
  const cards = ranked.slice(0, MOST_PEOPLE).map(person => {
    const name = `${word('person')} ${person.id + 1}`, times = person.frames.map(frame => frame.time_seconds);
    const seen = times.length ? word('seen_from', { from: clock(times[0]), to: clock(times[times.length - 1]), frames: times.length }) : '';
    const tell = person.p_fake === null ? word('left_out', { why: person.dropped ? sentence(person.dropped) : person.why_dropped ?? '' })
      : word('by_itself', { percent: percent(person.p_fake) });
    return make('li', { 'data-person': String(person.id) },
      scan.pictures.includes(person.id) ? picture(scan, person.id, name) : make('span', { class: 'face' }),
      make('div', {}, make('b', {}, name), make('span', {}, tell), make('span', { class: 'quiet' }, seen)));
  });
  const rest = ranked.length - cards.length;
  return make('section', {}, make('h2', {}, word('people')), make('ul', { class: 'people' }, cards),
    rest > 0 ? make('p', { class: 'quiet' }, word('people_rest', { count: rest })) : null);
}

export function difference(one, two) {
  const rows = [
    ['fact_verdict', stateWord(one), stateWord(two)],
    ['fact_probability', ...[one, two].map(scan => (scan.p_fake === null ? word('none') : percent(scan.p_fake)))],
    ['fact_people', ...[one, two].map(scan => String(scan.verdict?.people.filter(person => person.kept).length ?? 0))],
    ['fact_looked', ...[one, two].map(scan => clock((scan.verdict?.end_seconds ?? 0) - (scan.verdict?.start_seconds ?? 0)))],
    ['fact_size', size(one.bytes), size(two.bytes)],
    ['fact_sha256', ...[one, two].map(scan => `${(scan.sha256 ?? '').slice(0, 12)}…`), one.sha256 === two.sha256],
  ];
  const head = ['', word('first'), word('second'), ''].map(text => make(text ? 'th' : 'td', text ? { scope: 'col' } : {}, text));
  const body = rows.map(([key, first, second, same]) => make('tr', {}, make('th', { scope: 'row' }, word(key)),
    make('td', { 'data-label': word('first') }, first), make('td', { 'data-label': word('second') }, second),
    make('td', { class: 'quiet' }, word(same ?? first === second ? 'same' : 'differs'))));
  return make('section', {}, make('h2', {}, word('compare_table')), make('div', { class: 'scroll', tabindex: '0',
    role: 'group', 'aria-label': word('compare_table') },
  make('table', {}, make('thead', {}, make('tr', {}, head)), make('tbody', {}, body))));
}
