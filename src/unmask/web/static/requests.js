// What the page asks of the server. An answer that is no success becomes an error with a code.
export class Refused extends Error {
  constructor(status, body) {
    super(body.detail ?? String(status));
    this.status = status;
    this.code = body.code ?? '';
  }
}

export async function ask(path, options = {}) {
  const answer = await fetch(path, options);
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, body);
  return body;
}

export const remove = id => ask(`/api/scans/${id}`, { method: 'DELETE' });

export const sendPath = path =>
  ask('/api/scans', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ path }) });

export const sendStretch = (id, start, end) => ask(`/api/scans/${id}/examinations`, { method: 'POST',
  headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ start_seconds: start, end_seconds: end }) });

export async function fetchCase(id, language, details) {
  const answer = await fetch(`/api/scans/${id}/case?language=${language}`, { method: 'POST',
    headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(details) });
  if (!answer.ok) throw new Refused(answer.status, await answer.json().catch(() => ({})));
  return answer.blob();
}

export const sendToken = token =>
  ask('/api/session', { method: 'POST', headers: { Authorization: `Bearer ${token}` } });

// fetch tells nothing of how far an upload is, so this is the older way.
export function upload(file, onShare) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.upload.addEventListener('progress', event => event.lengthComputable && onShare(event.loaded / event.total));
    request.addEventListener('load', () => {
      let body = {};
      try { body = JSON.parse(request.responseText); } catch { /* an answer without words */ }
      if (request.status === 201) resolve(body);
      else reject(new Refused(request.status, body));
    });
    for (const name of ['error', 'abort', 'timeout'])
      request.addEventListener(name, () => reject(new Refused(0, { code: name === 'abort' ? 'stopped' : 'broken' })));
  });
  request.open('POST', `/api/scans?name=${encodeURIComponent(file.name.slice(-255))}`);
  request.setRequestHeader('Content-Type', 'application/octet-stream');
  request.send(file);
  return { done, stop: () => request.abort() };
}
