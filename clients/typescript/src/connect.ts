import createClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './schema.js';

/** The types of everything that the API takes and returns. */
export type Schemas = components['schemas'];

export interface Options {
  /** Where the API is, without `/api`: `https://nofx.example.com`. */
  url: string;
  /** A token of Supabase Auth or an API key. */
  token: string;
  /** Instead of the global `fetch`. */
  fetch?: typeof fetch;
}

/** A connection: `api` has every route with its types, the functions of this package take the whole. */
export interface Nofx {
  readonly api: Client<paths>;
  /** Sends a request to a path of the API with the caller's credential. */
  readonly request: (path: string, init?: RequestInit) => Promise<Response>;
}

export function connect({ url, token, fetch = globalThis.fetch }: Options): Nofx {
  const baseUrl = url.replace(/\/+$/, '');
  const authorization = { authorization: `Bearer ${token}` };
  return {
    api: createClient<paths>({ baseUrl, fetch: (request) => fetch(request), headers: authorization }),
    request: (path, init = {}) => fetch(baseUrl + path, { ...init, headers: { ...init.headers, ...authorization } }),
  };
}
