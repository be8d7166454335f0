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

async function request<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, headers: { Accept: 'application/json' }, credentials: 'same-origin' };
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

/** Where an output is downloaded from. */
export function exportURL(notebook: string, cell: string, output: string, format: string, show: string, theme: string): string {
  const query = new URLSearchParams({ ...(show && { show }), theme });
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
