// The report of a scan: in a frame of the page, as a PDF, and what is being done while it is made.
import { ask, Refused } from './requests.js';
import { make } from './views.js';
import { language, word } from './words.js';

const LOOK_MS = 600;

export const reportAddress = (scan, format = 'html') =>
  `/api/scans/${scan.id}/report?language=${language()}&format=${format}`;

// Says in a place what is being done, until it is told to stop.
function follow(scan, place) {
  let over = false;
  const look = async () => {
    if (over || !place.isConnected) return;
    try {
      const { step, share } = await ask(`/api/scans/${scan.id}/report/progress`);
      if (!over && step) place.textContent = word(`report_${step}`, { percent: `${Math.round(100 * share)} %` });
    } catch { /* the request itself says what is wrong */ }
    setTimeout(look, LOOK_MS);
  };
  place.textContent = word('report_waits');
  setTimeout(look, LOOK_MS / 2);
  return () => { over = true; };
}

// A world of its own: its script can reach neither this page nor the API. Its headline is that of the page.
export function reportFrame(scan) {
  const wait = make('p', { class: 'partial', role: 'status' });
  const frame = make('iframe', { class: 'report', sandbox: 'allow-scripts allow-popups allow-downloads',
    title: word('report_of', { name: scan.name }), src: `${reportAddress(scan)}&embedded=true` });
  const stop = follow(scan, wait);
  frame.addEventListener('load', () => { stop(); wait.remove(); });
  return make('div', {}, wait, frame);
}

async function fetchReport(scan, format) {
  const answer = await fetch(reportAddress(scan, format));
  if (!answer.ok) throw new Refused(answer.status, await answer.json().catch(() => ({})));
  return answer.blob();
}

function printButton(scan, place, onProblem) {
  const send = async () => {
    button.disabled = true;
    const stop = follow(scan, place);
    try {
      const address = URL.createObjectURL(await fetchReport(scan, 'pdf'));
      make('a', { href: address, download: `${scan.name}.pdf` }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60000);
    } catch (error) { onProblem(error); }
    stop();
    place.textContent = '';
    button.disabled = false;
  };
  const button = make('button', { type: 'button', class: 'plain', onclick: send }, word('report_pdf'));
  return button;
}

// What can be had of the report; a PDF only where the server can print.
export function reportActions(scan, { pdf, onProblem }) {
  const place = make('span', { class: 'partial', role: 'status' });
  return [
    make('a', { class: 'button', href: reportAddress(scan), target: '_blank', rel: 'noopener' }, word('report_open')),
    pdf ? printButton(scan, place, onProblem) : null,
    make('a', { class: 'button plain', href: reportAddress(scan, 'json'), download: 'report.json' }, word('report_json')),
    place];
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
