import type { Socket } from 'node:net';

/** A question under way. `cut` makes `done` reject with its reason and lets go of the connection; later it does nothing. */
export interface Exchange<T> {
  readonly done: Promise<T>;
  cut(reason: unknown): void;
}

/**
 * An exchange over a socket of its own, which is destroyed at its end. `begin` is told how to end it; what the socket reports as an
 * error ends it too.
 */
export function overSocket<T>(
  socket: Socket,
  begin: (socket: Socket, resolve: (answer: T) => void, reject: (error: unknown) => void) => void,
): Exchange<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const over = <A>(end: (value: A) => void) => {
    return (value: A): void => {
      end(value);
      socket.destroy();
    };
  };
  const fail = over(reject);
  socket.on('error', fail);
  begin(socket, over(resolve), fail);
  return { done: promise, cut: fail };
}
