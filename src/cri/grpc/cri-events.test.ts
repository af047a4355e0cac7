/** Where events come from on runtimes that are not containerd, against a CRI server of the test's own. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream, createServer } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import { Container, PodSandbox } from '#cri/grpc/messages.ts';
import { methods } from '#cri/grpc/methods.ts';
import type { RuntimeEvent } from '#cri/runtime.ts';
import { FakeClock, settle } from '#lib/fake-clock.ts';
import { frame } from '#wire/grpc-frames.ts';
import { type InputFor, embedded, enumeration, message, nanos, repeated, string } from '#wire/protobuf.ts';

const ContainerEvent = message({
  containerId: string(1),
  type: enumeration(2, ['created', 'started', 'exited', 'deleted'], 'created'),
  createdAt: nanos(3),
  sandbox: embedded(4, message({ id: string(1) })),
});
const Sandboxes = message({ items: repeated(1, PodSandbox) });
const Containers = message({ containers: repeated(1, Container) });
const Version = message({ runtimeName: string(2), runtimeVersion: string(3) });

class OtherRuntime implements AsyncDisposable {
  readonly #dir = mkdtempSync(join(tmpdir(), 'cri-'));
  readonly #server: Http2Server = createServer();
  readonly path = join(this.#dir, 's');
  readonly asked: string[] = [];
  sandboxes: readonly InputFor<typeof PodSandbox>[] = [];
  containers: readonly InputFor<typeof Container>[] = [];
  /** The open event stream, when this runtime has events. */
  events: ServerHttp2Stream | undefined;
  readonly #hasEvents: boolean;

  constructor(hasEvents: boolean) {
    this.#hasEvents = hasEvents;
  }

  async listen(): Promise<void> {
    this.#server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      stream.on('error', () => {});
      this.#serve(stream, headers[':path'] ?? '');
    });
    await new Promise<void>((resolve) => this.#server.listen(this.path, resolve));
  }

  #serve(stream: ServerHttp2Stream, path: string): void {
    this.asked.push(path.slice(path.lastIndexOf('/') + 1));
    const answer = (bytes: Uint8Array): void => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(frame(bytes));
    };
    if (path === methods.version.path) answer(Version.encode({ runtimeName: 'cri-o', runtimeVersion: '1.36.0' }));
    else if (path === methods.listPodSandbox.path) answer(Sandboxes.encode({ items: this.sandboxes }));
    else if (path === methods.listContainers.path) answer(Containers.encode({ containers: this.containers }));
    else if (path === methods.getContainerEvents.path && this.#hasEvents) {
      this.events = stream;
      stream.respond({ ':status': 200 });
    } else stream.respond({ ':status': 200, 'grpc-status': '12' }, { endStream: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.events?.destroy();
    this.#server.close();
    rmSync(this.#dir, { recursive: true });
  }
}

function listen(path: string) {
  const clock = new FakeClock(1000);
  const runtime = criRuntime(path, clock);
  const stop = new AbortController();
  const heard: RuntimeEvent[] = [];
  const done = (async () => {
    for await (const event of runtime.events.subscribe(stop.signal)) heard.push(event);
  })();
  done.catch(() => {});
  /** Sockets know no fake clock, so both are let go on until it holds. */
  const until = async (holds: () => boolean, advanceMs: number): Promise<void> => {
    const deadline = performance.now() + 5000;
    while (!holds()) {
      assert.ok(performance.now() < deadline, `waited in vain: ${JSON.stringify(heard)}`);
      await clock.advance(advanceMs);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const dispose = async (): Promise<void> => {
    stop.abort(new Error('over'));
    await done.catch(() => {});
    await runtime[Symbol.asyncDispose]();
  };
  return { clock, heard, until, [Symbol.asyncDispose]: dispose };
}

test("cri events: a runtime that is not containerd is asked for CRI's own stream", async () => {
  await using server = new OtherRuntime(true);
  await server.listen();
  await using listener = listen(server.path);
  const { heard, until } = listener;
  await until(() => heard.length > 0 && server.events !== undefined, 0);
  assert.deepEqual(heard, [{ kind: 'resync' }]);
  const send = (event: InputFor<typeof ContainerEvent>): void =>
    void server.events?.write(frame(ContainerEvent.encode(event)));
  send({ containerId: 'c1', type: 'exited', createdAt: 5000, sandbox: { id: 's1' } });
  send({ containerId: 's1', type: 'exited', createdAt: 6000, sandbox: { id: 's1' } });
  send({ containerId: 's1', type: 'deleted', createdAt: 7000, sandbox: { id: 's1' } });
  await until(() => heard.length >= 4, 0);
  assert.deepEqual(heard.slice(1), [
    { kind: 'container', change: 'exited', id: 'c1', sandbox: 's1', at: 5000 },
    { kind: 'sandbox', change: 'exited', id: 's1', at: 6000 },
    { kind: 'sandbox', change: 'deleted', id: 's1', at: 7000 },
  ]);
  assert.ok(!server.asked.includes('Subscribe'), "containerd's own service is not asked for");

  server.events?.destroy();
  heard.length = 0;
  await until(() => heard.length > 0, 100);
  assert.deepEqual(heard[0], { kind: 'resync' }, 'the stream was lost: look at everything');
});

test('cri events: a runtime without any stream is looked at every second', async () => {
  await using server = new OtherRuntime(false);
  server.sandboxes = [{ id: 's1' }];
  server.containers = [
    { id: 'c1', podSandboxId: 's1', state: 'running' },
    { id: 'c2', podSandboxId: 's1', state: 'created' },
  ];
  await server.listen();
  await using listener = listen(server.path);
  const { clock, heard, until } = listener;
  const lists = (): number => server.asked.filter((method) => method === 'ListContainers').length;
  await until(() => lists() === 1 && heard.some(({ kind }) => kind === 'resync'), 0);
  for (let at = 0; at < 5; at++) await settle();
  heard.length = 0;

  await clock.advance(999);
  assert.equal(lists(), 1);
  server.sandboxes = [{ id: 's1', state: 'not-ready' }];
  server.containers = [
    { id: 'c2', podSandboxId: 's1', state: 'running' },
    { id: 'c3', podSandboxId: 's1', state: 'exited' },
  ];
  await until(() => lists() === 2 && heard.length >= 4, 1);
  const seen = heard.map((event) => (event.kind === 'resync' ? 'resync' : `${event.kind} ${event.id} ${event.change}`));
  assert.deepEqual(seen.sort(), [
    'container c1 deleted',
    'container c2 started',
    'container c3 exited',
    'sandbox s1 exited',
  ]);

  heard.length = 0;
  await until(() => lists() === 4, 100);
  assert.deepEqual(heard, [], 'nothing changed, so nothing is told');
});
