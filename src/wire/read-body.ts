import type { Readable } from 'node:stream';
import { BodyTooLargeError, ClientGoneError } from '#wire/exchange.ts';

const nothing = new Uint8Array(0);

/** Collects a request's body; see `Exchange.body`. What exceeds the limit is read and dropped, so that the client gets to hear why. */
export function readBody(
  source: Readable,
  announced: string | undefined,
  limitBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (Number(announced) > limitBytes) {
    source.resume();
    return Promise.reject(new BodyTooLargeError(limitBytes));
  }
  if (source.readableEnded) return Promise.resolve(nothing);
  if (source.destroyed)
    return Promise.reject(new ClientGoneError('the client went away before its request was complete'));
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const onData = (chunk: Uint8Array): void => {
    size += chunk.length;
    if (size > limitBytes) give(() => reject(new BodyTooLargeError(limitBytes)));
    else chunks.push(chunk);
  };
  const onEnd = (): void => {
    const [first] = chunks;
    give(() => resolve(chunks.length === 1 && first ? first : size === 0 ? nothing : Buffer.concat(chunks, size)));
  };
  const onClose = (): void =>
    give(() => reject(new ClientGoneError('the client went away before its request was complete')));
  const onAbort = (): void => give(() => reject(signal.reason));
  const give = (settle: () => void): void => {
    source.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
    signal.removeEventListener('abort', onAbort);
    source.on('error', () => {});
    source.resume();
    settle();
  };
  if (signal.aborted) return Promise.reject(signal.reason);
  source.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  signal.addEventListener('abort', onAbort, { once: true });
  return promise;
}
