import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the source behaves when it is asked for a document. */
export type StandInBehaviour =
  | { readonly kind: 'well' }
  /** Answers with a status and nothing to read. */
  | { readonly kind: 'status'; readonly status: number }
  /** Sends this text as it is, whatever it is. */
  | { readonly kind: 'says'; readonly text: string }
  /** Takes the question and never answers. */
  | { readonly kind: 'silent' }
  /** Breaks the connection off in the middle of the document. */
  | { readonly kind: 'breaks-off' };

/**
 * A small server in the place of somebody else's: it gives JSON documents, answers conditional requests, and fails on
 * demand. For the demo town, and for tests.
 */
export type StandInSource = {
  /** The address of a document, such as `/warehouses`. */
  url(path: string): string;
  /** Puts a document in its place; the next question gets it. */
  put(path: string, document: unknown): void;
  behave(path: string, behaviour: StandInBehaviour): void;
  /** How often a document was asked for, and how often the answer was that it has not changed. */
  asked(path: string): { readonly times: number; readonly notModified: number };
  close(): Promise<void>;
};

type Place = { text: string; behaviour: StandInBehaviour; times: number; notModified: number };

const WELL: StandInBehaviour = { kind: 'well' };

/** Opens it on loopback, on a free port unless one is given. */
export async function openStandInSource(
  documents: Readonly<Record<string, unknown>>,
  { port = 0 }: { readonly port?: number } = {},
): Promise<StandInSource> {
  const places = new Map<string, Place>();
  const placeOf = (path: string): Place => {
    const found = places.get(path) ?? { text: 'null', behaviour: WELL, times: 0, notModified: 0 };
    places.set(path, found);
    return found;
  };
  for (const [path, document] of Object.entries(documents)) placeOf(path).text = JSON.stringify(document);
  const server = createServer((request, response) => {
    const place = places.get(request.url ?? '');
    if (place === undefined) response.writeHead(404).end();
    else reply(place, request, response);
  });
  await listening(server, port);
  const { port: bound } = server.address() as AddressInfo;

  return {
    url: (path) => `http://127.0.0.1:${bound}${path}`,
    put(path, document) {
      placeOf(path).text = JSON.stringify(document);
    },
    behave(path, behaviour) {
      placeOf(path).behaviour = behaviour;
    },
    asked(path) {
      const { times, notModified } = placeOf(path);
      return { times, notModified };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function reply(place: Place, request: IncomingMessage, response: ServerResponse): void {
  const { text, behaviour } = place;
  place.times += 1;
  const json = { 'content-type': 'application/json; charset=utf-8' };
  switch (behaviour.kind) {
    case 'silent':
      return;
    case 'status':
      response.writeHead(behaviour.status).end();
      return;
    case 'says':
      response.writeHead(200, json).end(behaviour.text);
      return;
    case 'breaks-off':
      response.writeHead(200, { ...json, 'content-length': `${Buffer.byteLength(text)}` });
      response.write(text.slice(0, text.length / 2), () => response.destroy());
      return;
    case 'well': {
      const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
      const isKnown = request.headers['if-none-match'] === etag;
      if (isKnown) place.notModified += 1;
      response.writeHead(isKnown ? 304 : 200, { ...json, etag }).end(isKnown ? undefined : text);
    }
  }
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}
