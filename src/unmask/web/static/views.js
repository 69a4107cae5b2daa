// From scans to what is seen. Text only ever goes in as text, never as HTML.
import { clock, hasWord, percent, sentence, size, span, when, word } from './words.js';

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
  const tell = scan.p_fake === null ? '' : word('probability', { p: percent(scan.p_fake) });
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

// The server tells a verdict in words, as the report does; of what has none, the page says how far it is.
export function verdictPanel(scan, level = 'h2') {
  const kind = kindOf(scan), active = isActive(scan), { told } = scan;
  const headline = active ? word('headline_running') : told?.headline ?? word(`headline_${kind}`);
  const means = !told && hasWord(`means_${kind}`) ? word(`means_${kind}`) : null;
  return make('section', { class: `verdict ${kind}`, 'data-state': scan.state },
    make(level, {}, make('span', { 'aria-hidden': 'true', class: 'mark' }, MARKS[kind] ?? '…'), headline),
    told ? inWords(scan, told) : null,
    means ? make('p', {}, means) : null,
    why(scan),
    active ? [steps(scan), bar(scan), partial(scan)] : null);
}

function inWords({ p_fake: share }, told) {
  return [
    told.estimate ? make('p', { class: 'probability' }, told.estimate) : null, told.estimate ? meter(share, told) : null,
    told.scale ? make('p', { class: 'quiet' }, told.scale) : null,
    make('p', { class: 'advice' }, make('b', {}, word('next_step')), ' ', told.advice.join(' ')),
    ...told.findings.map(one => make('p', {}, one)),
    told.strength ? make('p', { class: 'strength' }, told.strength) : null];
}

// The probability as a bar with both limits; the words beside it say the same.
function meter(share, told) {
  const part = (tag, kind, name, value) => {
    const node = make(tag, { class: kind });
    node.style[name] = `${100 * value}%`;
    return node;
  };
  return make('div', { class: 'meter', 'aria-hidden': 'true' }, part('b', 'share', 'width', share),
    told.real_at_most === null ? null : part('i', 'real', 'left', told.real_at_most),
    told.fake_at_least === null ? null : part('i', 'fake', 'left', told.fake_at_least));
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
  const looked = verdict && verdict.end_seconds > 0 ? span(verdict.start_seconds, verdict.end_seconds) : null;
  const rows = [
    ['fact_size', word('fact_bytes', { size: size(scan.bytes), bytes: scan.bytes })], ['fact_when', when(scan.created)], ['fact_looked', looked],
    ['fact_model', verdict?.model.name],
    ['fact_took', verdict?.seconds.total ? clock(verdict.seconds.total) : null], ['fact_sha256', scan.sha256],
  ].filter(([, value]) => value);
  return make('section', {}, make('h2', {}, word('facts')),
    make('dl', { class: 'facts' }, rows.map(([key, value]) => make('div', { class: key === 'fact_sha256' ? 'wide' : '' }, make('dt', {}, word(key)), make('dd', {}, value)))));
}

const picture = (scan, person = '', label = '') => make('img', { class: 'face', alt: label, width: '64', height: '64',
  loading: 'lazy', src: `/api/scans/${scan.id}/picture${person === '' ? '' : `?person=${person}`}` });

const MOST_PEOPLE = 24;

// Everyone judged, first who is suspicious by itself, then who was left out; each with a face where there is one.
export function people(scan) {
  const { verdict, told } = scan;
  if (!verdict?.people.length) return null;
  const judged = new Map(told.people.map(one => [one.id, one])), known = new Map(verdict.people.map(one => [one.id, one]));
  const ranked = [...told.people.map(one => known.get(one.id)), ...verdict.people.filter(one => !judged.has(one.id))];
  const cards = ranked.slice(0, MOST_PEOPLE).map(person => {
    const name = `${word('person')} ${person.id + 1}`, times = person.frames.map(frame => frame.time_seconds);
    const seen = times.length ? word('seen_from', { when: span(times[0], times[times.length - 1]), frames: times.length }) : '';
    return make('li', { 'data-person': String(person.id) },
      scan.pictures.includes(person.id) ? picture(scan, person.id, name) : make('span', { class: 'face' }),
      make('div', {}, make('b', {}, name), standing(person, judged.get(person.id)), make('span', { class: 'quiet' }, seen)));
  });
  const rest = ranked.length - cards.length;
  return make('section', {}, make('h2', {}, word('people')), make('ul', { class: 'people' }, cards),
    told.light ? make('p', { class: 'quiet' }, told.light) : null,
    rest > 0 ? make('p', { class: 'quiet' }, word('people_rest', { count: rest })) : null);
}

// How somebody stands, with a sign and a word beside the number.
function standing(person, found) {
  if (!found) return make('span', {}, word('left_out', { why: person.dropped ? sentence(person.dropped) : person.why_dropped ?? '' }));
  return make('span', { class: `badge ${found.kind}` }, make('span', { 'aria-hidden': 'true', class: 'mark' }, found.mark),
    `${found.word}, ${found.percent}`);
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
