// From scans to what is seen. Text only ever goes in as text, never as HTML.
import { clock, hasWord, language, number, percent, sentence, size, when, word } from './words.js';

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
    make('span', { class: 'pick' }),
    make('div', { class: 'about' }, make('span', { class: 'name' }, bdi(name)),
      make('span', { class: 'quiet' }, size(upload.bytes))),
    make('div', { class: 'result' },
      problem ? make('p', { class: 'problem', role: 'alert' }, problem)
        : [make('span', { class: 'badge' }, `${word('state_uploading')} ${Math.floor(100 * share)} %`),
          bar({ name, share }), upload.waits ? make('p', { class: 'partial' }, word('waits_for_place')) : null]),
    button);
}

export function verdictPanel(scan, level = 'h2') {
  const kind = kindOf(scan);
  const active = isActive(scan);
  const headline = word(active ? 'headline_running' : `headline_${kind}`);
  return make('section', { class: `verdict ${kind}`, 'data-state': scan.state },
    make(level, {}, make('span', { 'aria-hidden': 'true', class: 'mark' }, MARKS[kind] ?? '…'), headline),
    scan.p_fake === null ? null
      : make('p', { class: 'probability' }, word('probability', { percent: percent(scan.p_fake) })),
    hasWord(`means_${kind}`) ? make('p', {}, word(`means_${kind}`)) : null,
    why(scan),
    active ? [steps(scan), bar(scan), partial(scan)] : null);
}

function why(scan) {
  const { reasons } = scan.verdict ?? {};
  const told = reasons?.length ? make('span', {}, bdi(reasons.map(sentence).join('; ')))
    : scan.state !== 'interrupted' && scan.reason ? make('span', { lang: 'en' }, bdi(scan.reason)) // an old verdict
      : null;
  return told && make('p', { class: 'quiet' }, `${word('fact_reason')}: `, told);
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

export function people(verdict) {
  if (!verdict?.people.length) return null;
  const head = ['person', 'fact_probability', 'seen', 'frames'].map(key => make('th', { scope: 'col' }, word(key)));
  const rows = verdict.people.map(person => {
    const times = person.frames.map(frame => frame.time_seconds);
    const seen = times.length ? `${clock(times[0])} – ${clock(times[times.length - 1])}` : '';
    const tell = person.p_fake === null ? word('left_out', { why: person.dropped ? sentence(person.dropped) : person.why_dropped ?? '' }) : percent(person.p_fake);
    return make('tr', {}, make('th', { scope: 'row' }, String(person.id + 1)), make('td', {}, tell),
      make('td', {}, seen), make('td', {}, String(times.length)));
  });
  return make('section', {}, make('h2', {}, word('people')), make('div', { class: 'scroll', tabindex: '0', role: 'group',
    'aria-label': word('people') },
  make('table', {}, make('thead', {}, make('tr', {}, head)), make('tbody', {}, rows))));
}

export const reportAddress = (scan, format = 'html') =>
  `/api/scans/${scan.id}/report?language=${language()}&format=${format}`;

// A world of its own: its script can reach neither this page nor the API.
export function reportFrame(scan) {
  const wait = make('p', { class: 'partial' }, word('report_waits'));
  const frame = make('iframe', { class: 'report', sandbox: 'allow-scripts allow-popups allow-downloads',
    title: word('report_of', { name: scan.name }), src: reportAddress(scan) });
  frame.addEventListener('load', () => wait.remove());
  return make('div', {}, wait, frame);
}

// Both in step: one page of its own, made when it is asked for.
export function stepFrame(one, two) {
  const open = () => {
    const wait = make('p', { class: 'partial', role: 'status' }, word('step_waits'));
    const frame = make('iframe', { class: 'report', sandbox: 'allow-scripts allow-popups allow-downloads',
      title: word('step_title'), src: `/api/scans/${one.id}/comparison/${two.id}?language=${language()}` });
    frame.addEventListener('load', () => wait.remove());
    show.replaceWith(wait, frame);
  };
  const show = make('button', { type: 'button', onclick: open }, word('step_show'));
  return make('section', { id: 'step' }, make('h2', {}, word('step_title')), make('p', {}, word('step_text')), show);
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
    make('td', {}, first), make('td', {}, second),
    make('td', { class: 'quiet' }, word(same ?? first === second ? 'same' : 'differs'))));
  return make('section', {}, make('h2', {}, word('compare_table')), make('div', { class: 'scroll', tabindex: '0',
    role: 'group', 'aria-label': word('compare_table') },
  make('table', {}, make('thead', {}, make('tr', {}, head)), make('tbody', {}, body))));
}
