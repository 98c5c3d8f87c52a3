// What the network does: a server of the test's own that ends, cuts and refuses connections.
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, download, InvalidStream, Refused, stream, submit, type Nofx } from '../src/index.js';

type Turn = (request: IncomingMessage, response: ServerResponse) => void;

/** Each request gets the next turn. Returns what the requests had in a header. */
async function against(turns: Turn[], header: string, act: (nofx: Nofx) => Promise<void>): Promise<(string | undefined)[]> {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers[header] as string | undefined);
    const turn = turns.shift();
    if (turn) turn(request, response);
    else response.writeHead(418).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await act(connect({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'secret' }));
  } finally {
    server.closeAllConnections();
    server.close();
  }
  assert.equal(turns.length, 0, 'each turn was taken');
  return seen;
}

const open = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });
const message = (id: string, goal: string) => `id: ${id}\r\nevent: run.created\r\ndata: ${JSON.stringify({ id, goal })}\r\n\r\n`;

// Cut inside a character and inside a line, ended with the server's own event, refused for a moment, cut before the end of an event: nothing
// is lost, doubled or changed, and each connection continues behind the last whole event.
const bytes = Buffer.from(message('1-1', 'für 日本'));
const cut = bytes.indexOf(Buffer.from('本')) + 1;
const turns: Turn[] = [
  (_, response) => {
    open(response).write(': connected\nretry: 1\n\n');
    response.write(bytes.subarray(0, cut));
    setTimeout(() => {
      response.write(bytes.subarray(cut));
      response.end('event: reconnect\ndata: {}\nretry: 1\n\n');
    }, 20);
  },
  (_, response) => response.writeHead(503, { 'retry-after': '0' }).end(),
  (_, response) => {
    open(response).write(message('1-2', 'two') + 'id: 1-3\r\ndata: {"id": "half"');
    setTimeout(() => response.destroy(), 20);
  },
  (request) => request.socket.destroy(),
  (_, response) => open(response).write(message('1-3', 'three')),
];
const resumed = await against(turns, 'last-event-id', async (nofx) => {
  const goals: unknown[] = [];
  for await (const event of stream(nofx, { after: '1-0', runId: 'a b&c' })) {
    goals.push((event as unknown as { goal: string }).goal);
    if (event.id === '1-3') break;
  }
  assert.deepEqual(goals, ['für 日本', 'two', 'three']);
});
assert.deepEqual(resumed, ['1-0', '1-1', '1-1', '1-2', '1-2']);

// What will not pass is not tried again.
await against([(_, response) => response.writeHead(403, { 'content-type': 'text/html' }).end('<p>no')], 'last-event-id', async (nofx) => {
  await assert.rejects(stream(nofx).next(), (error) => error instanceof Refused && error.status === 403 && error.problem === undefined);
});

// What is no event stream will not become one: a login page, or another server.
for (const headers of [{ 'content-type': 'text/html' }, { 'content-type': 'text/plain; of=text/event-stream' }, {}]) {
  await against([(_, response) => response.writeHead(200, headers).end('<p>sign in')], 'last-event-id', async (nofx) => {
    await assert.rejects(stream(nofx).next(), (error) => error instanceof InvalidStream && /check the URL/.test(error.message));
  });
}

// A connection that is silent is made again; one on which only comments come, or whose consumer takes its time, is not silent.
const silenceMs = 2000;
const silent: Turn = (_, response) => void open(response).write(message('1-1', 'one'));
const unanswered: Turn = () => undefined;
const commented: Turn = (_, response) => {
  open(response).write(message('1-1', 'one'));
  const comments = setInterval(() => response.write(': keep-alive\n\n'), 50);
  setTimeout(() => response.write(message('1-2', 'two')), silenceMs + 500);
  response.on('close', () => clearInterval(comments));
};
const atOnce: Turn = (_, response) => void open(response).write(message('1-1', 'one') + message('1-2', 'two'));
const second: Turn = (_, response) => void open(response).write(message('1-2', 'two'));
await Promise.all(
  [
    { turns: [silent, unanswered, second], takesMs: 0, continued: ['1-0', '1-1', '1-1'] },
    { turns: [commented], takesMs: 0, continued: ['1-0'] },
    { turns: [atOnce], takesMs: silenceMs + 500, continued: ['1-0'] },
  ].map(async ({ turns, takesMs, continued }) => {
    const seen = await against(turns, 'last-event-id', async (nofx) => {
      const ids: string[] = [];
      for await (const event of stream(nofx, { after: '1-0', silenceMs })) {
        ids.push(event.id);
        if (event.id === '1-2') break;
        await new Promise((resolve) => setTimeout(resolve, takesMs));
      }
      assert.deepEqual(ids, ['1-1', '1-2']);
    });
    assert.deepEqual(seen, continued);
  }),
);

// A submission whose response was lost is sent again with the same key.
const keys = await against(
  [
    (request) => request.socket.destroy(),
    (_, response) => response.writeHead(503, { 'retry-after': '0' }).end(),
    (_, response) => {
      response.writeHead(409, { 'content-type': 'application/problem+json', 'retry-after': '0' });
      response.end('{"type": "https://nofx.dev/problems/request-in-progress", "title": "", "detail": ""}');
    },
    (_, response) => response.writeHead(201, { 'content-type': 'application/json' }).end('{"id": "r"}'),
  ],
  'idempotency-key',
  async (nofx) => assert.equal((await submit(nofx, {})).id, 'r'),
);
assert.equal(keys.length, 4);
assert.ok(keys[0] && keys.every((key) => key === keys[0]), String(keys));

// Bytes that are not the artifact's are not returned.
const json = { 'content-type': 'application/json' };
await against(
  [
    (_, response) => response.writeHead(200, json).end(JSON.stringify({ id: 'a', hash: `sha256:${'0'.repeat(64)}` })),
    (_, response) => response.writeHead(200).end('other bytes'),
  ],
  'authorization',
  (nofx) => assert.rejects(download(nofx, 'a'), /has the digest sha256:0000/),
);
