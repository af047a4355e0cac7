import type { Clock } from '#lib/clock.ts';
import type { Answer } from '#kubelet/probes/probe-call.ts';
import { GrpcClient } from '#wire/grpc-client.ts';
import { GrpcError } from '#wire/grpc-error.ts';
import { enumeration, message, string } from '#wire/protobuf.ts';

/** grpc.health.v1, the part that is asked. */
const HealthCheckRequest = message({ service: string(1) });
const HealthCheckResponse = message({
  status: enumeration(1, ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'], 'UNKNOWN'),
});

export interface GrpcCall {
  readonly host: string;
  readonly port: number;
  readonly service: string;
}

/** Asks the standard health service over cleartext HTTP/2. Never rejects but with the signal's reason. */
export async function askGrpc(
  call: GrpcCall,
  options: { readonly clock: Clock; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<Answer> {
  const { clock, timeoutMs } = options;
  await using client = new GrpcClient({ kind: 'tcp', host: call.host, port: call.port }, clock);
  const request = HealthCheckRequest.encode({ service: call.service });
  try {
    const bytes = await client.unary('/grpc.health.v1.Health/Check', request, { deadlineMs: timeoutMs }, signal);
    const { status } = HealthCheckResponse.decode(bytes);
    if (status === 'SERVING') return { outcome: 'success', output: 'service healthy' };
    return { outcome: 'failure', output: `service unhealthy (responded with "${status}")` };
  } catch (error) {
    signal.throwIfAborted();
    return { outcome: 'failure', output: explain(error, call, timeoutMs) };
  }
}

function explain(error: unknown, { host, port }: GrpcCall, timeoutMs: number): string {
  const code = error instanceof GrpcError ? error.code : undefined;
  const text = error instanceof Error ? error.message : String(error);
  const place = `"${host.includes(':') ? `[${host}]` : host}:${port}"`;
  switch (code) {
    case 'Unimplemented':
      return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${text}`;
    case 'DeadlineExceeded':
      return `timeout: health rpc did not complete within ${timeoutMs / 1000}s`;
    case 'Unavailable':
      return `error: failed to connect service at ${place}: ${text}`;
    default:
      return `error: health rpc probe failed: ${text}`;
  }
}
