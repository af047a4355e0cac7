import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';

/**
 * Says whether CRI is served on a unix socket. A listening socket alone says little: containerd accepts connections,
 * and even answers calls with "server is not initialized yet", before its CRI part has looked at what there is.
 */
export function criAnswers(socket: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connectHttp2('http://localhost', { createConnection: () => connect(socket) });
    const finish = (answer: boolean): void => {
      session.destroy();
      resolve(answer);
    };
    session.setTimeout(timeoutMs, () => finish(false));
    session.once('error', () => finish(false));
    session.once('close', () => finish(false));
    const call = session.request({
      ':method': 'POST',
      ':path': '/runtime.v1.RuntimeService/ListPodSandbox',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    // A failure without any message has its status among the headers, a success in the trailers.
    call.once('response', (headers) => {
      if (headers['grpc-status'] !== undefined) finish(headers['grpc-status'] === '0');
    });
    call.once('trailers', (trailers) => finish(trailers['grpc-status'] === '0'));
    call.once('error', () => finish(false));
    call.resume();
    call.end(emptyMessage);
  });
}

// Not compressed, of length 0: a request with every field left out.
const emptyMessage = Buffer.alloc(5);
