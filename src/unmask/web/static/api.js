// The description of the API for people, from the one for programs.
import { ask } from './requests.js';
import { make } from './views.js';
import { loadWords, translatePage, word } from './words.js';

const main = document.querySelector('#main');

function kind(schema = {}) {
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.anyOf) return schema.anyOf.map(kind).join(' | ');
  return schema.enum ? schema.enum.join(' | ') : schema.type ?? '';
}

function answers(responses) {
  return make('ul', {}, Object.entries(responses).map(([status, answer]) => {
    const body = Object.values(answer.content ?? {})[0];
    return make('li', {}, make('code', {}, status), ` ${answer.description}`, body?.schema ? `: ${kind(body.schema)}` : '');
  }));
}

function operation(path, method, told) {
  const parameters = (told.parameters ?? []).map(one =>
    make('li', {}, make('code', {}, one.name), ` (${one.in}) ${kind(one.schema)}. ${one.description ?? ''}`));
  return make('details', { class: 'operation' },
    make('summary', {}, make('code', {}, `${method.toUpperCase()} ${path}`), ` ${told.summary}`),
    make('p', {}, told.description ?? ''),
    parameters.length ? [make('h3', {}, word('api_parameters')), make('ul', {}, parameters)] : null,
    make('h3', {}, word('api_answers')), answers(told.responses));
}

await loadWords();
translatePage();
try {
  const told = await ask('/openapi.json');
  main.append(make('p', { lang: 'en' }, told.info.description),
    make('p', {}, `${word('api_machine')} `, make('a', { href: '/openapi.json' }, '/openapi.json')),
    make('div', { lang: 'en' }, Object.entries(told.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, one]) => operation(path, method, one)))));
} catch (error) {
  main.append(make('p', { class: 'problem', role: 'alert' }, error.status === 401 ? word('token_title') : error.message));
}
