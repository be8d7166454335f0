// Commands to the server: JSON over HTTP. The cookie that the server set
// carries the right to ask.
import type * as api from './types.gen';

/** The server's answer when it refuses, in words for the reader. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly detail: api.Error,
  ) {
    super(detail.message);
  }

  get hint(): string {
    return this.detail.hint ?? '';
  }
}

/** No answer came: the server is gone or the network is. */
export class Unreachable extends Error {}

/** The path of a notebook's routes; "/" in its id is escaped. */
export function notebookPath(id: string): string {
  return `/api/notebooks/${encodeURIComponent(id)}`;
}

async function request<T>(method: 'GET' | 'POST', path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = { method, headers: { Accept: 'application/json' }, credentials: 'same-origin', signal: signal ?? null };
  if (body !== undefined) {
    init.headers = { ...init.headers, 'Content-Type': 'application/json', 'X-Orrery': '1' };
    init.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new Unreachable('the server does not answer');
  }
  const text = await response.text();
  if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T;
  throw new ApiError(response.status, readError(response.status, text));
}

/** The error of an answer; one that is not ours is named by its status. */
function readError(status: number, text: string): api.Error {
  try {
    const error = JSON.parse(text) as Partial<api.Error>;
    if (typeof error.message === 'string') return { ...error, code: error.code ?? 'internal', message: error.message };
  } catch {
    // Not JSON: a proxy or a crash answered, and its text is not for the reader.
  }
  return { code: status === 401 ? 'unauthorized' : 'internal', message: `the server answered with status ${status}` };
}

export const workspace = () => request<api.Workspace>('GET', '/api/workspace');

export const snapshot = (id: string) => request<api.Snapshot>('GET', notebookPath(id));

export const create = (body: api.CreateRequest) => request<api.NotebookInfo>('POST', '/api/notebooks', body);

export const edit = (id: string, body: api.EditRequest) =>
  request<api.EditResponse>('POST', `${notebookPath(id)}/edit`, body);

export const run = (id: string, body: api.RunRequest) => request<api.RunResponse>('POST', `${notebookPath(id)}/run`, body);

export const interrupt = (id: string, body: api.InterruptRequest) =>
  request<void>('POST', `${notebookPath(id)}/interrupt`, body);

export const resolve = (id: string, keep: 'mine' | 'disk') =>
  request<void>('POST', `${notebookPath(id)}/resolve`, { keep } satisfies api.ResolveRequest);

export const tokenize = (body: api.TokenizeRequest) => request<api.TokenizeResponse>('POST', '/api/tokenize', body);

/** Reads, and changes, the calls of a cell's text; the document is left alone. */
export const form = (body: api.FormRequest) => request<api.FormResponse>('POST', '/api/form', body);

/** A cell of a figure's heatmap, and one of the prompts behind it. */
export interface HeadAsked {
  panel: number;
  row: number;
  column: number;
  prompt: number;
}

/** What the attention head behind a cell reads and writes. */
export function head(notebook: string, cell: string, output: string, { panel, row, column, prompt }: HeadAsked): Promise<api.HeadCard> {
  const query = new URLSearchParams({ panel: String(panel), row: String(row), column: String(column), prompt: String(prompt) });
  return request('GET', `${notebookPath(notebook)}/cells/${encodeURIComponent(cell)}/outputs/${encodeURIComponent(output)}/head?${query}`);
}

/** What that head writes directly, over all of the figure's prompts. */
export function headDirect(notebook: string, cell: string, output: string, { panel, row, column }: HeadAsked, signal: AbortSignal): Promise<api.HeadDirect> {
  const query = new URLSearchParams({ panel: String(panel), row: String(row), column: String(column) });
  return request('GET', `${notebookPath(notebook)}/cells/${encodeURIComponent(cell)}/outputs/${encodeURIComponent(output)}/head/direct?${query}`, undefined, signal);
}

/** What the reader sees of a figure, as an export takes it; empty for the figure's own. */
export interface Seen {
  show: string;
  colour: string;
  /** "azimuth,elevation" in degrees. */
  turn: string;
  /** The slider's frame. */
  frame: string;
  theme: string;
  /** The first two of each panel of multiples. */
  panels: { show: string; colour: string }[];
}

/** Where an output is downloaded from. */
export function exportURL(notebook: string, cell: string, output: string, format: string, { panels, ...whole }: Seen): string {
  const parts = panels.flatMap(({ show, colour }, i) => [[`show.${i}`, show], [`colour.${i}`, colour]] as [string, string][]);
  const query = new URLSearchParams([...Object.entries(whole), ...parts].filter(([, value]) => value !== ''));
  const file = `${encodeURIComponent(output)}.${format}`;
  return `${notebookPath(notebook)}/cells/${encodeURIComponent(cell)}/outputs/${file}?${query}`;
}

/** An error in two lines: what happened, and what to do next. */
export function inWords(error: unknown): { message: string; hint: string } {
  if (error instanceof ApiError) {
    const signIn = 'open the address with its token that orrery printed in its terminal';
    return { message: error.message, hint: error.hint || (error.status === 401 ? signIn : '') };
  }
  if (error instanceof Unreachable) {
    return { message: error.message, hint: 'check that orrery still runs in its terminal; this page goes on by itself' };
  }
  return { message: error instanceof Error ? error.message : String(error), hint: '' };
}

/** A message as a sentence: the server's begin small and have no full stop. A name at its beginning stays as it is. */
export function sentence(text: string): string {
  const begun = /^\p{Ll}+[ ,]/u.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return begun === '' || /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
