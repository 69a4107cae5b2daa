// A closer look at a stretch of a scanned video: a form, and a button for each stretch that stands out.
import { sendStretch } from './requests.js';
import { make } from './views.js';
import { span, word } from './words.js';

const MOST = 5;

// Where one face was looked at once, all of the clip is that look: there is nothing to choose among.
const isWhole = ({ looks, segments: [first, ...more], start_seconds: start, end_seconds: end }) =>
  looks <= 1 && !more.length && (!first || (first.start_seconds <= start && first.end_seconds >= end));

// From the first frame, as the server counts, with the segments as the verdict has them.
const fromFirst = (verdict, time) => Math.max(0, time - verdict.start_seconds);
const round = time => Math.round(time * 100) / 100;

export const canExamine = ({ state, verdict }) =>
  state === 'done' && verdict && verdict.p_fake !== null && verdict.end_seconds > verdict.start_seconds;

export function examineSection(scan, { onSent, onProblem }) {
  if (!canExamine(scan)) return '';
  const { verdict, examined } = scan, first = verdict.segments[0] ?? verdict;
  const field = (name, value) => make('label', {}, make('span', {}, word(`examine_${name}`)),
    make('input', { name, type: 'number', min: '0', step: 'any', required: true, value: String(round(value)) }));
  const from = field('from', fromFirst(verdict, first.start_seconds));
  const to = field('to', fromFirst(verdict, first.end_seconds));
  const send = async event => {
    event.preventDefault();
    const { from: start, to: end } = event.target.elements;
    try { onSent(await sendStretch(scan.id, Number(start.value), Number(end.value))); } catch (error) { onProblem(error); }
  };
  const form = make('form', { class: 'tools', id: 'examine-form', onsubmit: send }, from, to,
    make('button', {}, word('examine_send')));
  const fill = (start, end) => {
    [form.elements.from.value, form.elements.to.value] = [start, end].map(time => String(round(time)));
    form.querySelector('button').focus();
    form.scrollIntoView({ block: 'nearest' });
  };
  const stretches = examined || isWhole(verdict) ? [] : verdict.segments.slice(0, MOST).map(one => make('li', {},
    make('button', { type: 'button', class: 'plain', onclick: () => fill(...times(one)) }, word('examine_choose',
      { when: span(one.start_seconds, one.end_seconds), person: one.person + 1 }))));
  const times = one => [one.start_seconds, one.end_seconds].map(time => fromFirst(verdict, time));
  const section = make('section', { id: 'examine', 'aria-labelledby': 'examine-title' },
    make('h2', { id: 'examine-title' }, word('examine_title')),
    make('p', {}, word('examine_text'),
      isWhole(verdict) ? null : ` ${word('examine_among', { looks: verdict.looks })} ${word('look')}`),
    stretches.length ? make('ul', { class: 'stretches' }, stretches) : null, form);
  section.fill = (start, end) => fill(...[start, end].map(time => fromFirst(verdict, time)));
  return section;
}

// What a stretch is one of: told on its own page, with the way back to the film.
export function examinedNote({ examined }) {
  if (!examined) return '';
  const told = { when: span(examined.start_seconds, examined.end_seconds), looks: examined.looks };
  return make('p', { class: 'examined' }, word('examined_note', told), ' ', word('look'), ' ',
    make('a', { href: `#/scan/${examined.of}` }, word('examined_film')));
}

// A report in its frame asks for a stretch of its own film, and for nothing else; the form waits for a click.
export function listenToReport(frame, section) {
  const hear = event => {
    if (!frame.isConnected) return void removeEventListener('message', hear);
    const asked = event.source === frame.contentWindow && event.data?.examine;
    if (Array.isArray(asked) && asked.length === 2 && asked.every(Number.isFinite)) section.fill?.(...asked);
  };
  addEventListener('message', hear);
}
