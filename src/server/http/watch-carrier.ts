import type { Clock } from '#lib/clock.ts';
import type { ResponseStream } from '#wire/exchange.ts';
import type { ResourceCache, CacheEvent } from '#server/cache/resource-cache.ts';
import { Flusher, type Flushable } from '#server/http/flusher.ts';
import { errorLine, PlainLines, type LineMaker } from '#server/http/watch-lines.ts';
import { tooSlowStatus } from '#server/in-process.ts';
import type { Watch, Watches } from '#server/registry/watch.ts';

/** How much a client may leave unread before its watch is ended. */
const MOST_BACKLOG_BYTES = 8 * 1024 * 1024;

/**
 * Brings watches to HTTP clients. Those that want all events of the same objects as plain JSON share one *fan-out*: it gathers
 * lines once and writes the same bytes to each. The others have lines of their own.
 */
export class WatchCarrier {
  readonly #watches: Watches;
  readonly #flusher: Flusher;
  readonly #plain = new PlainLines();
  readonly #fanOuts = new Map<string, FanOut>();

  constructor(watches: Watches, clock: Clock, signal: AbortSignal) {
    this.#watches = watches;
    this.#flusher = new Flusher(clock, signal);
  }

  /** `lines` for another form than plain JSON. Throws (a 410) before anything is sent. Ends by itself when the client goes. */
  carry(watch: Watch, open: () => ResponseStream, lines: LineMaker | undefined, signal: AbortSignal): void {
    const maker = lines ?? this.#plain.for(watch.descriptor);
    const shared = lines === undefined && watch.unselective;
    const { items, revision } = watch.begin();
    const fanOut = shared ? this.#fanOut(watch) : undefined;
    // What is gathered already is older than this watcher's beginning, which holds it.
    fanOut?.flush();
    const watcher = new Watcher(open(), this.#flusher);
    const first = items.map((item) => maker.line(item));
    if (watch.query.sendInitialEvents) first.push(maker.bookmark(revision, true));
    if (first.length > 0) watcher.write(Buffer.concat(first));
    const leave = fanOut
      ? fanOut.join(watcher)
      : watch.listen((event) => {
          const item = watch.select(event);
          if (item) watcher.push(maker.line(item));
        });
    const opened = this.#watches.open(watch, {
      bookmark: (at, end) => {
        fanOut?.flush();
        watcher.push(maker.bookmark(at, end));
      },
      end: () => watcher.end(),
    });
    watcher.onEnd = () => {
      leave();
      opened[Symbol.dispose]();
    };
    if (signal.aborted) watcher.end();
    else signal.addEventListener('abort', () => watcher.end(), { once: true });
  }

  #fanOut(watch: Watch): FanOut {
    const { descriptor, scope } = watch;
    const key = `${descriptor.group}/${descriptor.version} ${scope.under}`;
    const known = this.#fanOuts.get(key);
    if (known) return known;
    const made = new FanOut(watch, this.#plain, { flusher: this.#flusher, onEmpty: () => this.#fanOuts.delete(key) });
    this.#fanOuts.set(key, made);
    return made;
  }
}

/** All watchers of the same events in the same form. */
class FanOut implements Flushable {
  readonly #flusher: Flusher;
  readonly #onEmpty: () => void;
  readonly #members = new Set<Watcher>();
  readonly #unlisten: () => void;
  #gathered: Buffer[] = [];

  constructor(watch: Watch, lines: PlainLines, { flusher, onEmpty }: { flusher: Flusher; onEmpty: () => void }) {
    this.#flusher = flusher;
    this.#onEmpty = onEmpty;
    const cache: ResourceCache = watch.cache;
    const { under, view } = watch.scope;
    this.#unlisten = cache.listen(({ type, stored }: CacheEvent) => {
      if (!stored.key.startsWith(under)) return;
      this.#gathered.push(lines.line({ type, stored: view(stored) }));
      flusher.mark(this);
    });
  }

  join(watcher: Watcher): () => void {
    this.#members.add(watcher);
    return () => {
      this.#members.delete(watcher);
      if (this.#members.size > 0) return;
      this.#unlisten();
      this.#flusher.forget(this);
      this.#onEmpty();
    };
  }

  flush(): void {
    if (this.#gathered.length === 0) return;
    const [only] = this.#gathered;
    const chunk = this.#gathered.length === 1 ? only! : Buffer.concat(this.#gathered);
    this.#gathered = [];
    for (const member of this.#members) member.write(chunk);
  }
}

/** One client. */
class Watcher implements Flushable {
  readonly #stream: ResponseStream;
  readonly #flusher: Flusher;
  #gathered: Buffer[] = [];
  #ended = false;
  onEnd: () => void = () => {};

  constructor(stream: ResponseStream, flusher: Flusher) {
    this.#stream = stream;
    this.#flusher = flusher;
  }

  push(line: Buffer): void {
    this.#gathered.push(line);
    this.#flusher.mark(this);
  }

  flush(): void {
    if (this.#gathered.length === 0) return;
    const chunk = this.#gathered.length === 1 ? this.#gathered[0]! : Buffer.concat(this.#gathered);
    this.#gathered = [];
    this.write(chunk);
  }

  write(chunk: Buffer): void {
    if (this.#ended) return;
    if (this.#stream.write(chunk)) return;
    if (this.#stream.bufferedBytes <= MOST_BACKLOG_BYTES) return;
    // It has not read for long: the last it will find is why there is no more.
    this.#stream.write(errorLine(tooSlowStatus));
    this.end();
  }

  end(): void {
    if (this.#ended) return;
    this.flush();
    if (this.#ended) return;
    this.#ended = true;
    this.#flusher.forget(this);
    this.onEnd();
    this.#stream.end();
  }
}
