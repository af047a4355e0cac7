import type { Container, Pod, Probe } from '#api/generated/core-v1.ts';
import { kubectlRef, type ProbeKind } from '#api/peapod/why-facts.ts';

/** How to find out what a probe sees, and what it takes to please it. */
export function probeHelp(pod: Pod, container: Container, kind: ProbeKind): string {
  const probe = container[`${kind}Probe`] ?? {};
  const see = `kubectl logs ${kubectlRef(pod)} -c ${container.name}`;
  return `${asks(probe, container)}; what it is busy with: ${see}`;
}

function asks(probe: Probe, container: Container): string {
  const { httpGet, tcpSocket, grpc, exec, timeoutSeconds = 1 } = probe;
  const within = `within ${timeoutSeconds} s`;
  if (httpGet) {
    const { port, path = '/', scheme = 'HTTP', host } = httpGet;
    const at = `${scheme.toLowerCase()} ${host ?? ''}:${port}${path}`;
    return `make ${at} answer 200 to 399 ${within}, or correct ${fieldOf(container, probe)}`;
  }
  if (tcpSocket)
    return `make it listen on ${tcpSocket.host ?? ''}:${tcpSocket.port}, or correct ${fieldOf(container, probe)}`;
  if (grpc) return `make grpc :${grpc.port} answer SERVING ${within}, or correct ${fieldOf(container, probe)}`;
  const command = exec?.command?.join(' ') ?? '';
  return `make \`${command}\` exit 0 in it ${within}, or correct ${fieldOf(container, probe)}`;
}

function fieldOf(container: Container, probe: Probe): string {
  const name = (['startupProbe', 'livenessProbe', 'readinessProbe'] as const).find((each) => container[each] === probe);
  return `its ${name ?? 'probe'}`;
}
