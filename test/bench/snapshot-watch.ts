import { Scope } from '#lib/scope.ts';
import { GrpcClient } from '#wire/grpc-client.ts';
import { embedded, int32, int64, message, string, strings } from '#wire/protobuf.ts';

const SUBSCRIBE = '/containerd.services.events.v1.Events/Subscribe';
const SubscribeRequest = message({ filters: strings(1) });
const Envelope = message({
  timestamp: embedded(1, message({ seconds: int64(1), nanos: int32(2) })),
  topic: string(3),
});

/** When containerd begins to make file systems: the first that creating a container does, in its own events' words. */
export class SnapshotWatch implements AsyncDisposable {
  readonly #client: GrpcClient;
  readonly #scope = new Scope();
  #prepared = Promise.withResolvers<number>();

  private constructor(socket: string) {
    this.#client = new GrpcClient({ kind: 'unix', path: socket });
  }

  static async start(socket: string): Promise<SnapshotWatch> {
    const watch = new SnapshotWatch(socket);
    watch.#scope.spawn('snapshots', (signal) => watch.#follow(signal));
    return watch;
  }

  /** What comes next is the first that counts. */
  forget(): void {
    this.#prepared = Promise.withResolvers<number>();
  }

  /** Epoch ms of the first since `forget`. */
  async next(): Promise<number> {
    return await this.#prepared.promise;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const request = SubscribeRequest.encode({ filters: ['namespace==k8s.io,topic=="/snapshot/prepare"'] });
    for await (const answer of this.#client.stream(SUBSCRIBE, request, signal)) {
      const { timestamp } = Envelope.decode(answer);
      this.#prepared.resolve((timestamp?.seconds ?? 0) * 1000 + (timestamp?.nanos ?? 0) / 1e6);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
    await this.#client[Symbol.asyncDispose]();
  }
}
