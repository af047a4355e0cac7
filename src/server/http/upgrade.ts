import { ApiError, statusOfError } from '#api/errors.ts';
import type { UpgradeHandler } from '#wire/exchange.ts';
import { ClientGoneError } from '#wire/exchange.ts';
import { isWebSocketRequest } from '#wire/websocket.ts';
import { requestOf, type HttpParts } from '#server/http/handler.ts';

/** The carrier for connections that become something else: the same stages, then the node has the connection. */
export function httpUpgradeHandler(parts: HttpParts): UpgradeHandler {
  return async (exchange, socket, head) => {
    try {
      const request = await requestOf(exchange, parts.tokens, []);
      const answer = await parts.stages.handle(request);
      if (answer.kind !== 'node' || (answer.call.kind === 'stream' && !isWebSocketRequest(exchange))) {
        throw new ApiError('BadRequest', 'this path cannot be upgraded');
      }
      if (answer.call.kind === 'upgrade') await parts.nodes.upgrade(exchange, answer.call, { socket, head });
      else await parts.nodes.streamToWebSocket(exchange, answer.call, { socket, head });
    } catch (error) {
      if (exchange.responded || error instanceof ClientGoneError) throw error;
      const known = error instanceof ApiError ? error : undefined;
      const told =
        known ?? new ApiError('InternalError', `Internal error occurred: ${String(error)}`, { cause: error });
      exchange.respond(told.code, { 'content-type': 'application/json' }, JSON.stringify(statusOfError(told)));
      if (!known) throw error;
    }
  };
}
